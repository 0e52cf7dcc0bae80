#include "rooms/room_store.h"

namespace chat {
namespace {

StoredRoom read_row(const storage::Statement& row) {
    StoredRoom room;
    room.number = RoomNumber{row.integer(0)};
    room.id = RoomId(row.text(1));
    room.version = row.integer(2) == 11 ? RoomVersion::v11 : RoomVersion::v12;
    room.creator = identity::UserNumber{row.integer(3)};
    room.created_at_ms = row.integer(4);
    room.is_listed = row.integer(5) != 0;
    room.joined_count = row.integer(6);
    room.invited_count = row.integer(7);
    return room;
}

std::vector<StoredRoom> read_rows(storage::Statement& statement) {
    std::vector<StoredRoom> rooms;
    while (statement.step()) rooms.push_back(read_row(statement));
    return rooms;
}

}  // namespace

std::optional<RoomNumber> insert_room(storage::Transaction& tx, const RoomId& id, RoomVersion version,
                                      identity::UserNumber creator, std::int64_t now_ms) {
    auto statement = tx.prepare(
        "INSERT INTO room (room_id, version, creator_number, created_at_ms) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (room_id) DO NOTHING");
    statement.bind(id, static_cast<int>(version), creator, now_ms);
    if (statement.run() == 0) return std::nullopt;
    return RoomNumber{tx.last_insert_rowid()};
}

std::optional<StoredRoom> find_room(storage::Transaction& tx, std::string_view room_id) {
    auto statement = tx.prepare(
        "SELECT room_number, room_id, version, creator_number, created_at_ms, is_listed, joined_count, "
        "invited_count "
        "FROM room WHERE room_id = ?1");
    statement.bind(room_id);
    if (!statement.step()) return std::nullopt;
    return read_row(statement);
}

std::optional<StoredRoom> find_room(storage::Transaction& tx, RoomNumber number) {
    auto statement = tx.prepare(
        "SELECT room_number, room_id, version, creator_number, created_at_ms, is_listed, joined_count, "
        "invited_count "
        "FROM room WHERE room_number = ?1");
    statement.bind(number);
    if (!statement.step()) return std::nullopt;
    return read_row(statement);
}

void set_listed(storage::Transaction& tx, RoomNumber room, bool is_listed) {
    auto statement = tx.prepare("UPDATE room SET is_listed = ?2 WHERE room_number = ?1");
    statement.bind(room, is_listed);
    statement.run();
}

void change_member_counts(storage::Transaction& tx, RoomNumber room, std::int64_t joined_by,
                          std::int64_t invited_by) {
    if (joined_by == 0 && invited_by == 0) return;
    auto statement = tx.prepare(
        "UPDATE room SET joined_count = joined_count + ?2, invited_count = invited_count + ?3 WHERE "
        "room_number = ?1");
    statement.bind(room, joined_by, invited_by);
    statement.run();
}

std::vector<StoredRoom> listed_rooms(storage::Transaction& tx, std::optional<ListedAfter> after,
                                     std::size_t limit) {
    const auto from = after.value_or(ListedAfter{std::numeric_limits<std::int64_t>::max(), RoomNumber{0}});
    auto statement = tx.prepare(
        "SELECT room_number, room_id, version, creator_number, created_at_ms, is_listed, joined_count, "
        "invited_count "
        "FROM room WHERE is_listed = 1 AND (joined_count, room_number) < (?1, ?2) "
        "ORDER BY joined_count DESC, room_number DESC LIMIT ?3");
    statement.bind(from.joined_count, from.room, static_cast<std::int64_t>(limit));
    return read_rows(statement);
}

std::vector<StoredRoom> listed_rooms_before(storage::Transaction& tx, ListedAfter before, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number, room_id, version, creator_number, created_at_ms, is_listed, joined_count, "
        "invited_count "
        "FROM room WHERE is_listed = 1 AND (joined_count, room_number) > (?1, ?2) "
        "ORDER BY joined_count, room_number LIMIT ?3");
    statement.bind(before.joined_count, before.room, static_cast<std::int64_t>(limit));
    return read_rows(statement);
}

std::int64_t count_listed_rooms(storage::Transaction& tx) {
    auto statement = tx.prepare("SELECT count(*) FROM room WHERE is_listed = 1");
    statement.step();
    return statement.integer(0);
}

bool insert_alias(storage::Transaction& tx, std::string_view alias, RoomNumber room,
                  identity::UserNumber creator, std::int64_t now_ms) {
    auto statement = tx.prepare(
        "INSERT INTO alias (alias, room_number, creator_number, created_at_ms) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (alias) DO NOTHING");
    statement.bind(alias, room, creator, now_ms);
    return statement.run() == 1;
}

std::optional<StoredAlias> find_alias(storage::Transaction& tx, std::string_view alias) {
    auto statement = tx.prepare("SELECT room_number, creator_number FROM alias WHERE alias = ?1");
    statement.bind(alias);
    if (!statement.step()) return std::nullopt;
    return StoredAlias{RoomNumber{statement.integer(0)}, identity::UserNumber{statement.integer(1)}};
}

void delete_alias(storage::Transaction& tx, std::string_view alias) {
    auto statement = tx.prepare("DELETE FROM alias WHERE alias = ?1");
    statement.bind(alias);
    statement.run();
}

std::vector<std::string> aliases_of(storage::Transaction& tx, RoomNumber room, std::size_t limit) {
    auto statement = tx.prepare("SELECT alias FROM alias WHERE room_number = ?1 ORDER BY alias LIMIT ?2");
    statement.bind(room, static_cast<std::int64_t>(limit));
    std::vector<std::string> aliases;
    while (statement.step()) aliases.emplace_back(statement.text(0));
    return aliases;
}

}  // namespace chat
