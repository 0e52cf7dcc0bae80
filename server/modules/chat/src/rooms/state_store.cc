#include "rooms/state_store.h"

#include <algorithm>
#include <map>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";

std::vector<StateEntry> read_rows(storage::Statement& statement) {
    std::vector<StateEntry> entries;
    while (statement.step()) {
        entries.push_back(
            {std::string(statement.text(0)), std::string(statement.text(1)), Position{statement.integer(2)}});
    }
    return entries;
}

}  // namespace

Position put_state(storage::Transaction& tx, RoomNumber room, std::string_view type,
                   std::string_view state_key, Position position) {
    const auto before = state_position(tx, room, type, state_key);
    auto current = tx.prepare(
        "INSERT INTO state_current (room_number, type, state_key, position) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (room_number, type, state_key) DO UPDATE SET position = ?4");
    current.bind(room, type, state_key, position);
    current.run();
    auto history = tx.prepare(
        "INSERT INTO state_history (room_number, type, state_key, position) VALUES (?1, ?2, ?3, ?4)");
    history.bind(room, type, state_key, position);
    history.run();
    auto log =
        tx.prepare("INSERT INTO state_log (room_number, position, type, state_key) VALUES (?1, ?2, ?3, ?4)");
    log.bind(room, position, type, state_key);
    log.run();
    return before;
}

Position state_position(storage::Transaction& tx, RoomNumber room, std::string_view type,
                        std::string_view state_key) {
    auto statement = tx.prepare(
        "SELECT position FROM state_current WHERE room_number = ?1 AND type = ?2 AND state_key = ?3");
    statement.bind(room, type, state_key);
    return Position{statement.step() ? statement.integer(0) : 0};
}

Position state_position_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                           std::string_view state_key, Position at) {
    auto statement = tx.prepare(
        "SELECT position FROM state_history WHERE room_number = ?1 AND type = ?2 AND state_key = ?3 AND "
        "position <= ?4 "
        "ORDER BY position DESC LIMIT 1");
    statement.bind(room, type, state_key, at);
    return Position{statement.step() ? statement.integer(0) : 0};
}

std::optional<StoredEvent> state_event(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                       std::string_view state_key) {
    auto statement = tx.prepare(
        "SELECT e.room_number, e.position, e.sender_number, e.type, e.state_key, e.origin_server_ts, "
        "e.depth, "
        "e.replaces_position, e.redacted_by, e.json FROM state_current s JOIN event e ON e.position = "
        "s.position "
        "WHERE s.room_number = ?1 AND s.type = ?2 AND s.state_key = ?3");
    statement.bind(room, type, state_key);
    if (!statement.step()) return std::nullopt;
    return read_event(statement);
}

std::optional<StoredEvent> state_event_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                          std::string_view state_key, Position at) {
    const auto position = state_position_at(tx, room, type, state_key, at);
    return position ? find_event(tx, room, position) : std::nullopt;
}

std::vector<StateEntry> current_state(storage::Transaction& tx, RoomNumber room, Members members) {
    if (members == Members::include) {
        auto statement =
            tx.prepare("SELECT type, state_key, position FROM state_current WHERE room_number = ?1");
        statement.bind(room);
        return read_rows(statement);
    }
    // Two ranges of the key around the members, which are not even passed over.
    auto statement = tx.prepare(
        "SELECT type, state_key, position FROM state_current WHERE room_number = ?1 AND type < ?2 "
        "UNION ALL SELECT type, state_key, position FROM state_current WHERE room_number = ?1 AND type > ?2");
    statement.bind(room, kMember);
    return read_rows(statement);
}

std::vector<StateEntry> state_at(storage::Transaction& tx, RoomNumber room, Position at, Members members) {
    if (members == Members::include) {
        auto statement = tx.prepare(
            "SELECT type, state_key, max(position) FROM state_history WHERE room_number = ?1 AND position <= "
            "?2 "
            "GROUP BY type, state_key");
        statement.bind(room, at);
        return read_rows(statement);
    }
    auto statement = tx.prepare(
        "SELECT type, state_key, max(position) FROM state_history WHERE room_number = ?1 AND type < ?3 "
        "AND position <= ?2 GROUP BY type, state_key UNION ALL "
        "SELECT type, state_key, max(position) FROM state_history WHERE room_number = ?1 AND type > ?3 "
        "AND position <= ?2 GROUP BY type, state_key");
    statement.bind(room, at, kMember);
    return read_rows(statement);
}

std::vector<StateEntry> current_state_of_type(storage::Transaction& tx, RoomNumber room,
                                              std::string_view type) {
    auto statement = tx.prepare(
        "SELECT type, state_key, position FROM state_current WHERE room_number = ?1 AND type = ?2");
    statement.bind(room, type);
    return read_rows(statement);
}

std::vector<StateEntry> state_of_type_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                         Position at) {
    auto statement = tx.prepare(
        "SELECT type, state_key, max(position) FROM state_history WHERE room_number = ?1 AND type = ?2 "
        "AND position <= ?3 GROUP BY state_key");
    statement.bind(room, type, at);
    return read_rows(statement);
}

std::vector<StateEntry> state_changes(storage::Transaction& tx, RoomNumber room, Position after,
                                      Position up_to) {
    auto statement = tx.prepare(
        "SELECT type, state_key, position FROM state_log WHERE room_number = ?1 AND position > ?2 AND "
        "position <= ?3 "
        "ORDER BY position");
    statement.bind(room, after, up_to);
    const auto all = read_rows(statement);
    std::map<std::pair<std::string_view, std::string_view>, Position> latest;
    for (const auto& entry : all) latest[{entry.type, entry.state_key}] = entry.position;
    std::vector<StateEntry> changes;
    for (const auto& entry : all) {
        if (latest[{entry.type, entry.state_key}] == entry.position) changes.push_back(entry);
    }
    return changes;
}

std::vector<Position> state_versions(storage::Transaction& tx, RoomNumber room, std::string_view type) {
    auto statement = tx.prepare(
        "SELECT position FROM state_history WHERE room_number = ?1 AND type = ?2 AND state_key = '' ORDER BY "
        "position");
    statement.bind(room, type);
    std::vector<Position> positions;
    while (statement.step()) positions.push_back(Position{statement.integer(0)});
    return positions;
}

}  // namespace chat
