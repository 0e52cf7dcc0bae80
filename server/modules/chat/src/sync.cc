#include "stream_store.h"
#include "sync/account_data_store.h"
#include "sync/core.h"
#include "sync/receipt_store.h"
#include "sync/routes.h"

#include <base/log.h>
#include <chat/sync.h>
#include <identity/users.h>

namespace chat {

namespace {

struct Status {
    identity::UserNumber user;
    std::string user_id;
    std::string message;
    bool was_here = false;
};

struct Stored {
    std::vector<StreamLife> lives;
    StreamToken positions;
    std::vector<Status> statuses;
};

Stored read_stored(storage::Transaction& tx) {
    Stored found{.lives = read_lives(tx), .positions = stored_positions(tx), .statuses = {}};
    auto rows = tx.prepare(
        "SELECT user_number, status_message, is_here FROM presence_status "
        "WHERE status_message <> '' OR is_here = 1");
    while (rows.step()) {
        found.statuses.push_back(
            {identity::UserNumber{rows.integer(0)}, {}, std::string(rows.text(1)), rows.integer(2) != 0});
    }
    for (auto& status : found.statuses) status.user_id = identity::user_id_of(tx, status.user).value;
    return found;
}

}  // namespace

Sync::Sync(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
           base::Random& random, News& news)
    : core_(std::make_unique<Core>(runtime, database, clock, random)) {
    news.subscribe([core = core_.get()](const RoomNews& room_news) { core->on_event(room_news); });
}

Sync::~Sync() = default;

runtime::Task<base::Result<void>> Sync::start() {
    const auto name = draw_life_name(core_->random);
    auto stored = co_await core_->database.write({"stream_life"},
                                                 [name](storage::Transaction& tx) -> base::Result<Stored> {
                                                     begin_life(tx, name);
                                                     return read_stored(tx);
                                                 });
    if (!stored) {
        // The disk is full, say: people can read all the same.
        base::log_warning("chat.life_not_written", {{"code", stored.error().code}});
        stored = co_await core_->database.read(
            [](storage::Transaction& tx) -> base::Result<Stored> { return read_stored(tx); });
        if (!stored) co_return base::fail(std::move(stored.error()));
        core_->unwritten_life = name;
    }
    const auto& began_at = stored->positions;
    core_->begin_at(began_at[Stream::events], began_at[Stream::receipts], began_at[Stream::account_data]);
    core_->lives.begin(std::move(stored->lives));
    for (auto& status : stored->statuses)
        core_->presence.restore(status.user, std::move(status.user_id), std::move(status.message),
                                status.was_here);
    core_->tasks.spawn(core_->upkeep());
    core_->tasks.spawn(core_->store_presence());
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

runtime::Task<base::Result<void>> Sync::erase_user(identity::UserNumber user) {
    for (bool is_all = false; !is_all;) {
        const auto erased = co_await core_->database.write(
            {"user:" + std::to_string(user.value)},
            [user](storage::Transaction& tx) -> base::Result<bool> { return erase_some_of(tx, user); });
        if (!erased) co_return base::fail(erased.error());
        is_all = *erased;
    }
    forget(user);
    co_return base::Result<void>{};
}

void Sync::forget(identity::UserNumber user) {
    core_->presence.forget(user);
}

std::vector<net::Route> Sync::routes() {
    return sync_routes(*core_);
}

bool erase_some_of(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit) {
    auto left = limit - delete_account_data(tx, user, limit);
    if (left > 0) left -= delete_receipts(tx, user, left);
    for (const auto sql : {"DELETE FROM sync_filter WHERE user_number = ?1 AND filter_number IN "
                           "(SELECT filter_number FROM sync_filter WHERE user_number = ?1 LIMIT ?2)",
                           "DELETE FROM pusher WHERE user_number = ?1 AND (app_id, pushkey) IN "
                           "(SELECT app_id, pushkey FROM pusher WHERE user_number = ?1 LIMIT ?2)"}) {
        if (left > 0) left -= tx.prepare(sql).bind(user, left).run();
    }
    tx.prepare("DELETE FROM presence_status WHERE user_number = ?1").bind(user).run();
    return left > 0;
}

void erase_device(storage::Transaction& tx, identity::UserNumber user, identity::DeviceNumber device) {
    auto statement = tx.prepare("DELETE FROM pusher WHERE user_number = ?1 AND device_number = ?2");
    statement.bind(user, device);
    statement.run();
}

}  // namespace chat
