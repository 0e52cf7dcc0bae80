#include "members/membership_store.h"

#include "rooms/room_store.h"

namespace chat {
namespace {

StoredMembership read_row(const storage::Statement& row) {
    return {.room = RoomNumber{row.integer(0)},
            .user = identity::UserNumber{row.integer(1)},
            .membership = static_cast<Membership>(row.integer(2)),
            .position = Position{row.integer(3)},
            .since = Position{row.integer(4)},
            .sender = identity::UserNumber{row.integer(5)},
            .is_forgotten = row.integer(6) != 0};
}

std::int64_t counts(Membership membership, Membership wanted) {
    return membership == wanted ? 1 : 0;
}

}  // namespace

std::optional<StoredMembership> find_membership(storage::Transaction& tx, RoomNumber room,
                                                identity::UserNumber user) {
    auto statement = tx.prepare(
        "SELECT room_number, user_number, membership, position, since_position, sender_number, is_forgotten "
        "FROM membership WHERE room_number = ?1 AND user_number = ?2");
    statement.bind(room, user);
    if (!statement.step()) return std::nullopt;
    return read_row(statement);
}

Membership put_membership(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                          Membership membership, Position position, identity::UserNumber sender) {
    const auto before = find_membership(tx, room, user);
    const auto was = before ? before->membership : Membership::none;
    if (before && was == membership) {
        auto statement = tx.prepare(
            "UPDATE membership SET position = ?3, is_forgotten = 0 WHERE room_number = ?1 AND user_number = "
            "?2");
        statement.bind(room, user, position);
        statement.run();
        return was;
    }
    auto statement = tx.prepare(
        "INSERT INTO membership (room_number, user_number, membership, position, since_position, "
        "sender_number) "
        "VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (room_number, user_number) DO UPDATE SET membership = "
        "?3, "
        "position = ?4, since_position = ?4, sender_number = ?5, is_forgotten = 0");
    statement.bind(room, user, static_cast<int>(membership), position, sender);
    statement.run();
    auto history = tx.prepare(
        "INSERT INTO membership_history (room_number, user_number, position, membership) VALUES (?1, ?2, ?3, "
        "?4)");
    history.bind(room, user, position, static_cast<int>(membership));
    history.run();
    change_member_counts(tx, room, counts(membership, Membership::join) - counts(was, Membership::join),
                         counts(membership, Membership::invite) - counts(was, Membership::invite));
    return was;
}

void set_forgotten(storage::Transaction& tx, RoomNumber room, identity::UserNumber user) {
    auto statement =
        tx.prepare("UPDATE membership SET is_forgotten = 1 WHERE room_number = ?1 AND user_number = ?2");
    statement.bind(room, user);
    statement.run();
}

std::vector<StoredMembership> memberships_of(storage::Transaction& tx, identity::UserNumber user,
                                             bool forgotten_too) {
    auto statement = tx.prepare(
        "SELECT room_number, user_number, membership, position, since_position, sender_number, is_forgotten "
        "FROM membership WHERE user_number = ?1 AND is_forgotten <= ?2 ORDER BY room_number");
    statement.bind(user, forgotten_too ? 1 : 0);
    std::vector<StoredMembership> rows;
    while (statement.step()) rows.push_back(read_row(statement));
    return rows;
}

std::vector<RoomNumber> rooms_of(storage::Transaction& tx, identity::UserNumber user, Membership membership,
                                 RoomNumber after, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number FROM membership WHERE user_number = ?1 AND membership = ?2 AND room_number > ?3 "
        "ORDER BY room_number LIMIT ?4");
    statement.bind(user, static_cast<int>(membership), after, static_cast<std::int64_t>(limit));
    std::vector<RoomNumber> rooms;
    while (statement.step()) rooms.push_back(RoomNumber{statement.integer(0)});
    return rooms;
}

std::vector<RoomNumber> rooms_ever_of(storage::Transaction& tx, identity::UserNumber user, RoomNumber after,
                                      std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number FROM membership WHERE user_number = ?1 AND room_number > ?2 ORDER BY room_number "
        "LIMIT ?3");
    statement.bind(user, after, static_cast<std::int64_t>(limit));
    std::vector<RoomNumber> rooms;
    while (statement.step()) rooms.push_back(RoomNumber{statement.integer(0)});
    return rooms;
}

std::vector<StoredMembership> members_of(storage::Transaction& tx, RoomNumber room, Membership membership,
                                         identity::UserNumber after, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number, user_number, membership, position, since_position, sender_number, is_forgotten "
        "FROM membership WHERE room_number = ?1 AND user_number > ?3 AND membership = ?2 "
        "ORDER BY user_number LIMIT ?4");
    statement.bind(room, static_cast<int>(membership), after, static_cast<std::int64_t>(limit));
    std::vector<StoredMembership> rows;
    while (statement.step()) rows.push_back(read_row(statement));
    return rows;
}

bool share_room(storage::Transaction& tx, identity::UserNumber one, identity::UserNumber other) {
    auto statement = tx.prepare(
        "SELECT 1 FROM membership a JOIN membership b ON b.room_number = a.room_number AND b.user_number = "
        "?2 AND b.membership = 1 WHERE a.user_number = ?1 AND a.membership = 1 LIMIT 1");
    statement.bind(one, other);
    return statement.step();
}

std::vector<MembershipChange> membership_changes(storage::Transaction& tx, RoomNumber room,
                                                 identity::UserNumber user) {
    auto statement = tx.prepare(
        "SELECT position, membership FROM membership_history WHERE room_number = ?1 AND user_number = ?2 "
        "ORDER BY position");
    statement.bind(room, user);
    std::vector<MembershipChange> changes;
    while (statement.step()) {
        changes.push_back({Position{statement.integer(0)}, static_cast<Membership>(statement.integer(1))});
    }
    return changes;
}

Membership membership_at(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                         Position position) {
    auto statement = tx.prepare(
        "SELECT membership FROM membership_history WHERE room_number = ?1 AND user_number = ?2 AND position "
        "<= ?3 "
        "ORDER BY position DESC LIMIT 1");
    statement.bind(room, user, position);
    return statement.step() ? static_cast<Membership>(statement.integer(0)) : Membership::none;
}

Position last_coming_or_going(storage::Transaction& tx, RoomNumber room) {
    auto statement = tx.prepare(
        "SELECT coalesce(max(position), 0) FROM membership_history WHERE room_number = ?1 AND membership IN "
        "(1, 4, 5)");
    statement.bind(room);
    return statement.step() ? Position{statement.integer(0)} : Position{};
}

}  // namespace chat
