#include "core.h"
#include "members/account_news.h"
#include "members/findable.h"
#include "members/members.h"
#include "rooms/room_card.h"
#include "routes.h"
#include "server_key_store.h"
#include "timeline/redaction_rest.h"
#include "timeline/timeline.h"

#include <algorithm>
#include <chrono>

#include <base/log.h>
#include <chat/chat.h>
#include <identity/users.h>

namespace chat {
namespace {

constexpr auto kUpkeepEvery = std::chrono::minutes(30);

runtime::Task<void> upkeep(Core& core) {
    for (;;) {
        co_await core.transactions.prune(core.clock.now_ms());
        co_await runtime::sleep_for(kUpkeepEvery);
    }
}

runtime::Task<base::Result<Actor>> find_actor(Core& core, identity::UserNumber user) {
    co_return co_await core.database.read(
        [user](storage::Transaction& tx) { return base::Result<Actor>(actor_of(tx, user)); });
}

bool may_invite_to(storage::Transaction& tx, identity::UserNumber inviter, const std::string& room_id) {
    const auto room = find_room(tx, room_id);
    return room && may_invite(tx, *load_rules(tx, *room), actor_of(tx, inviter));
}

std::vector<identity::RoomName> room_names(storage::Transaction& tx,
                                           const std::vector<std::string>& room_ids) {
    std::vector<identity::RoomName> names;
    for (const auto& room_id : room_ids) {
        if (const auto room = find_room(tx, room_id))
            names.push_back({room_id, read_card(tx, room->number).name});
    }
    return names;
}

}  // namespace

Chat::Chat(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
           base::Random& random)
    : core_(std::make_unique<Core>(runtime, database, clock, random)) {
    core_->news.subscribe([core = core_.get()](const RoomNews& event) {
        if (!event.redacted) return;
        core->has_redacted = true;
        core->redacted.notify();
    });
}

Chat::~Chat() = default;

runtime::Task<base::Result<void>> Chat::start() {
    const auto fresh = base::SigningKey::generate(core_->random);
    ServerKey made{fresh, "ed25519:" + core_->random.alphanumeric(6)};
    auto key = co_await core_->database.write({"server_key"},
                                              [made = std::move(made), now_ms = core_->clock.now_ms()](
                                                  storage::Transaction& tx) -> base::Result<ServerKey> {
                                                  if (auto found = find_server_key(tx))
                                                      return std::move(*found);
                                                  insert_server_key(tx, made, now_ms);
                                                  return made;
                                              });
    if (!key) co_return base::fail(std::move(key.error()));
    core_->key = std::move(*key);
    core_->tasks.spawn(core_->transactions.load());
    core_->tasks.spawn(upkeep(*core_));
    core_->tasks.spawn(redact_rest(*core_));
    co_return base::Result<void>{};
}

runtime::Task<void> Chat::stop() {
    core_->is_stopping = true;
    core_->redacted.notify();
    co_await core_->tasks.stop();
}

std::vector<net::Route> Chat::routes() {
    return room_routes(*core_);
}

identity::Hooks Chat::hooks() {
    identity::Hooks hooks;
    auto* core = core_.get();
    hooks.account_created = [core](identity::AccountCreated account) {
        return welcome_account(*core, std::move(account));
    };
    hooks.profile_changed = [core](identity::UserNumber user) { return spread_profile(*core, user); };
    hooks.account_deactivated = [core](identity::UserNumber user, bool erase) {
        return remove_account(*core, user, erase);
    };
    hooks.findable_by = findable_by;
    hooks.may_invite_to = may_invite_to;
    hooks.room_names = room_names;
    return hooks;
}

void Chat::add_content_check(ContentCheck check) {
    core_->content_checks.push_back(std::move(check));
}

News& Chat::news() {
    return core_->news;
}

runtime::Task<base::Result<EventId>> Chat::send(Outgoing event) {
    auto actor = co_await find_actor(*core_, event.sender);
    if (!actor) co_return base::fail(std::move(actor.error()));
    if (event.state_key) {
        co_return co_await set_state(*core_, std::move(*actor), std::move(event.room_id),
                                     std::move(event.type), std::move(*event.state_key),
                                     std::move(event.content));
    }
    std::optional<Txn> txn;
    if (event.txn_id) txn = Txn{"module", std::move(*event.txn_id)};
    co_return co_await send_message(*core_, std::move(*actor), std::move(event.room_id),
                                    std::move(event.type), std::move(event.content), std::move(txn));
}

runtime::Task<base::Result<void>> Chat::join(identity::UserNumber user, std::string room_id) {
    auto actor = co_await find_actor(*core_, user);
    if (!actor) co_return base::fail(std::move(actor.error()));
    co_return co_await core_->write_in_room(
        std::move(room_id),
        [actor = std::move(*actor)](RoomWriter& writer) { return join_room(writer, actor, std::nullopt); },
        Core::no_such_room());
}

runtime::Task<base::Result<void>> Chat::leave(identity::UserNumber user, std::string room_id) {
    auto actor = co_await find_actor(*core_, user);
    if (!actor) co_return base::fail(std::move(actor.error()));
    co_return co_await core_->write_in_room(
        std::move(room_id),
        [actor = std::move(*actor)](RoomWriter& writer) { return leave_room(writer, actor, std::nullopt); });
}

}  // namespace chat
