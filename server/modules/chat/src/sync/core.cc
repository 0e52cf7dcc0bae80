#include "sync/core.h"

#include "members/membership_store.h"
#include "rooms/room_store.h"
#include "sync/account_data_store.h"

#include <algorithm>

namespace chat {
namespace {

using base::ErrorKind;

constexpr std::chrono::milliseconds kUpkeep{500};
constexpr std::chrono::seconds kStorePresence{2};
constexpr std::size_t kStoredAJob = 200;
/// Presence wakes nobody in rooms where more people than this are connected: they hear of it with their next
/// answer.
constexpr std::size_t kPresenceWakeLimit = 200;
constexpr std::size_t kBodyDepth = 64;

}  // namespace

StreamToken SyncCore::now() const {
    StreamToken token;
    token[Stream::events] = events.last();
    token[Stream::receipts] = receipts.last();
    token[Stream::account_data] = account_data_position;
    token[Stream::typing] = typing.last();
    token[Stream::presence] = presence.last();
    token.life = lives.name_at(token);
    return token;
}

void SyncCore::begin_at(std::int64_t events_position, std::int64_t receipts_position,
                        std::int64_t account_data) {
    events.begin_at(events_position);
    receipts.begin_at(receipts_position);
    account_data_position = std::max(account_data_position, account_data);
}

void SyncCore::on_event(const RoomNews& news) {
    events.add({news.position.value, news.room, {}});
    if (news.member) {
        events.add({news.position.value, news.room, news.member});
        watches.change_membership(news.member, news.room, news.membership);
        watches.wake(news.member);
        if (news.membership != Membership::join) typing.stop(news.room, news.member);
        if (news.membership == Membership::join && news.membership_before != Membership::join)
            introduce(news.room, news.member);
    }
    watches.wake_room(news.room);
}

void SyncCore::on_receipt(RoomNumber room, std::int64_t position, identity::UserNumber user,
                          bool is_private) {
    receipts.add({position, room, is_private ? user : identity::UserNumber{}});
    if (is_private) {
        watches.wake(user);
    } else {
        watches.wake_room(room);
    }
}

void SyncCore::on_account_data(identity::UserNumber user, std::int64_t position) {
    account_data_position = std::max(account_data_position, position);
    watches.change_account_data(user, position);
}

void SyncCore::tell_presence() {
    for (const auto user : presence.take_news()) {
        const auto* watch = watches.find(user);
        if (watch == nullptr) continue;
        for (const auto room : watch->joined) {
            if (watches.watchers_of(room).size() <= kPresenceWakeLimit) watches.wake_room(room);
        }
    }
}

void SyncCore::introduce(RoomNumber room, identity::UserNumber newcomer) {
    const auto others = watches.watchers_of(room);
    if (others.size() > kPresenceWakeLimit) return;
    presence.tell_again(newcomer);
    watches.introduce(newcomer, others, presence.next());
}

runtime::Task<void> SyncCore::write_life() {
    const auto written = co_await database.write(
        {"stream_life"}, [this, name = *unwritten_life](storage::Transaction& tx) -> base::Result<void> {
            begin_life(tx, name);
            // Before anything is heard of what is written next.
            tx.after_commit([this, stored = read_lives(tx)] { lives.begin(stored); });
            return {};
        });
    if (written) unwritten_life.reset();
}

runtime::Task<void> SyncCore::upkeep() {
    for (int turn = 0; !is_stopping; ++turn) {
        co_await runtime::sleep_for(kUpkeep);
        if (unwritten_life && turn % 4 == 3) co_await write_life();
        for (const auto room : typing.expire()) watches.wake_room(room);
        if (turn % 2 == 0) {
            presence.expire();
            tell_presence();
        }
        if (turn % 60 == 0) watches.drop_idle();
    }
}

runtime::Task<void> SyncCore::store_presence() {
    while (!is_stopping) {
        co_await runtime::sleep_for(kStorePresence);
        const auto whereabouts = presence.take_unstored(kStoredAJob);
        if (whereabouts.empty()) continue;
        const auto stored = co_await database.write(
            {"presence"}, [whereabouts](storage::Transaction& tx) -> base::Result<void> {
                for (const auto& [user, is_here] : whereabouts) {
                    // Where an account was erased meanwhile nothing is written of it any more.
                    auto statement = tx.prepare(
                        is_here ? "INSERT INTO presence_status (user_number, status_message, is_here) "
                                  "VALUES (?1, '', 1) ON CONFLICT (user_number) DO UPDATE SET is_here = 1"
                                : "UPDATE presence_status SET is_here = 0 WHERE user_number = ?1");
                    statement.bind(user);
                    statement.run();
                }
                return {};
            });
        if (!stored) presence.keep_unstored(whereabouts);
    }
}

void write_account_data(SyncCore& core, storage::Transaction& tx, identity::UserNumber user, RoomNumber room,
                        std::string_view type, std::string_view json) {
    const auto position = put_account_data(tx, user, room, type, json);
    tx.after_commit([&core, user, position] { core.on_account_data(user, position); });
}

Caller caller_of(const net::Request& request) {
    const auto& principal = request.principal.value();
    return {identity::UserNumber{principal.user_number}, principal.user_id,
            identity::DeviceNumber{principal.device_number}};
}

base::Result<Caller> owner_of(const net::Request& request) {
    auto caller = caller_of(request);
    if (request.value("userId") != caller.user_id)
        return base::fail(ErrorKind::forbidden, "M_FORBIDDEN", "That belongs to another person.");
    return caller;
}

base::Result<base::json::object> body_of(const net::Request& request) {
    if (request.body.empty()) return base::json::object{};
    auto value = base::parse_json(request.body, request.body.size(), kBodyDepth);
    if (!value) return base::fail(std::move(value.error()));
    if (!value->is_object())
        return base::fail(ErrorKind::invalid, "M_BAD_JSON", "The body has to be a JSON object.");
    return std::move(value->get_object());
}

base::Result<RoomNumber> joined_room(storage::Transaction& tx, std::string_view room_id,
                                     identity::UserNumber user) {
    const auto room = find_room(tx, room_id);
    const auto membership = room ? find_membership(tx, room->number, user) : std::nullopt;
    if (!membership || membership->membership != Membership::join)
        return base::fail(ErrorKind::forbidden, "M_FORBIDDEN", "You are not in this room.");
    return room->number;
}

}  // namespace chat
