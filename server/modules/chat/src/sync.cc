#include "stream_store.h"
#include "sync/account_data_store.h"
#include "sync/core.h"
#include "sync/routes.h"

#include <chat/sync.h>
#include <identity/users.h>

namespace chat {

Sync::Sync(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock, News& news)
    : core_(std::make_unique<Core>(runtime, database, clock)) {
    news.subscribe([core = core_.get()](const RoomNews& room_news) { core->on_event(room_news); });
}

Sync::~Sync() = default;

runtime::Task<base::Result<void>> Sync::start() {
    struct Status {
        identity::UserNumber user;
        std::string user_id;
        std::string message;
    };
    struct Positions {
        std::int64_t events = 0;
        std::int64_t receipts = 0;
        std::int64_t account_data = 0;
        std::vector<Status> statuses;
    };
    auto positions = co_await core_->database.read([](storage::Transaction& tx) -> base::Result<Positions> {
        Positions found{last_position(tx, Stream::events),
                        last_position(tx, Stream::receipts),
                        last_position(tx, Stream::account_data),
                        {}};
        auto rows =
            tx.prepare("SELECT user_number, status_message FROM presence_status WHERE status_message <> ''");
        while (rows.step()) {
            found.statuses.push_back({identity::UserNumber{rows.integer(0)}, {}, std::string(rows.text(1))});
        }
        for (auto& status : found.statuses) status.user_id = identity::user_id_of(tx, status.user).value;
        return found;
    });
    if (!positions) co_return base::fail(std::move(positions.error()));
    core_->begin_at(positions->events, positions->receipts, positions->account_data);
    for (auto& status : positions->statuses)
        core_->presence.restore(status.user, std::move(status.user_id), std::move(status.message));
    core_->tasks.spawn(core_->upkeep());
    co_return base::Result<void>{};
}

void Sync::release_all() {
    core_->is_stopping = true;
    core_->watches.wake_all();
}

runtime::Task<void> Sync::stop() {
    release_all();
    co_await core_->tasks.stop();
}

void Sync::tell_typing(const TypingNews& news) {
    auto& typing = core_->typing;
    const bool is_news = news.is_typing ? typing.start(news.room, news.user, news.user_id, news.limit)
                                        : typing.stop(news.room, news.user);
    if (is_news) core_->watches.wake_room(news.room);
}

std::vector<net::Route> Sync::routes() {
    return sync_routes(*core_);
}

void erase_user(storage::Transaction& tx, identity::UserNumber user) {
    delete_account_data(tx, user);
    for (const auto sql :
         {"DELETE FROM receipt WHERE user_number = ?1", "DELETE FROM sync_filter WHERE user_number = ?1",
          "DELETE FROM pusher WHERE user_number = ?1",
          "DELETE FROM presence_status WHERE user_number = ?1"}) {
        auto statement = tx.prepare(sql);
        statement.bind(user);
        statement.run();
    }
}

void erase_device(storage::Transaction& tx, identity::UserNumber user, identity::DeviceNumber device) {
    auto statement = tx.prepare("DELETE FROM pusher WHERE user_number = ?1 AND device_number = ?2");
    statement.bind(user, device);
    statement.run();
}

}  // namespace chat
