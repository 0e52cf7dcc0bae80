#include "timeline/event_store.h"

#include "event/hashes.h"

namespace chat {
namespace {

/// `json` begins {"event_id":"$ + 43 characters + "; so the id is read without parsing.
constexpr std::size_t kIdOffset = sizeof(R"({"event_id":")") - 1;
constexpr std::size_t kIdBytes = 44;

std::string_view id_in(std::string_view json) {
    return json.substr(kIdOffset, kIdBytes);
}

std::optional<std::int64_t> nullable(Position position) {
    return position ? std::optional(position.value) : std::nullopt;
}

std::vector<StoredEvent> read_rows(storage::Statement& statement, std::size_t limit) {
    std::vector<StoredEvent> events;
    events.reserve(std::min<std::size_t>(limit, 64));
    while (statement.step()) events.push_back(read_event(statement));
    return events;
}

}  // namespace

StoredEvent read_event(const storage::Statement& row) {
    StoredEvent event;
    event.room = RoomNumber{row.integer(0)};
    event.position = Position{row.integer(1)};
    event.sender = identity::UserNumber{row.integer(2)};
    event.type = row.text(3);
    event.state_key = row.optional_text(4);
    event.origin_server_ts = row.integer(5);
    event.depth = row.integer(6);
    event.replaces = Position{row.is_null(7) ? 0 : row.integer(7)};
    event.redacted_by = Position{row.is_null(8) ? 0 : row.integer(8)};
    event.json = row.text(9);
    return event;
}

std::string_view StoredEvent::event_id() const {
    return id_in(json);
}

void insert_event(storage::Transaction& tx, const NewEvent& event) {
    auto statement = tx.prepare(
        "INSERT INTO event (room_number, position, event_key, sender_number, type, state_key, "
        "origin_server_ts, depth, "
        "replaces_position, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    statement.bind(event.room, event.position, event_key_of(event.event_id).value(), event.sender, event.type,
                   event.state_key, event.origin_server_ts, event.depth, nullable(event.replaces),
                   event.json);
    statement.run();
}

void overwrite_redacted(storage::Transaction& tx, RoomNumber room, Position position, Position redacted_by,
                        std::span<const std::uint8_t> content_hash, std::string_view redacted_json) {
    auto statement = tx.prepare(
        "UPDATE event SET redacted_by = ?3, content_hash = ?4, json = ?5 WHERE room_number = ?1 AND position "
        "= ?2");
    statement.bind(room, position, redacted_by, content_hash, redacted_json);
    statement.run();
}

std::optional<base::Bytes> kept_content_hash(storage::Transaction& tx, RoomNumber room, Position position) {
    auto statement = tx.prepare("SELECT content_hash FROM event WHERE room_number = ?1 AND position = ?2");
    statement.bind(room, position);
    if (!statement.step() || statement.is_null(0)) return std::nullopt;
    const auto hash = statement.blob(0);
    return base::Bytes(hash.begin(), hash.end());
}

std::optional<StoredEvent> find_event(storage::Transaction& tx, RoomNumber room, Position position) {
    auto statement = tx.prepare(
        "SELECT room_number, position, sender_number, type, state_key, origin_server_ts, depth, "
        "replaces_position, "
        "redacted_by, json FROM event WHERE room_number = ?1 AND position = ?2");
    statement.bind(room, position);
    if (!statement.step()) return std::nullopt;
    return read_event(statement);
}

std::optional<StoredEvent> find_event(storage::Transaction& tx, std::string_view event_id) {
    const auto key = event_key_of(event_id);
    if (!key) return std::nullopt;
    auto statement = tx.prepare(
        "SELECT room_number, position, sender_number, type, state_key, origin_server_ts, depth, "
        "replaces_position, "
        "redacted_by, json FROM event WHERE event_key = ?1");
    statement.bind(*key);
    while (statement.step()) {
        if (id_in(statement.text(9)) == event_id) return read_event(statement);
    }
    return std::nullopt;
}

std::string event_id_at(storage::Transaction& tx, RoomNumber room, Position position) {
    auto statement = tx.prepare("SELECT json FROM event WHERE room_number = ?1 AND position = ?2");
    statement.bind(room, position);
    if (!statement.step()) return {};
    return std::string(id_in(statement.text(0)));
}

std::optional<StoredEvent> last_event(storage::Transaction& tx, RoomNumber room, Position at_most) {
    auto events = events_before(tx, room, at_most, Position{0}, 1);
    if (events.empty()) return std::nullopt;
    return std::move(events.front());
}

std::optional<LastEvent> last_of_room(storage::Transaction& tx, RoomNumber room) {
    auto statement =
        tx.prepare("SELECT json, depth FROM event WHERE room_number = ?1 ORDER BY position DESC LIMIT 1");
    statement.bind(room);
    if (!statement.step()) return std::nullopt;
    return LastEvent{.event_id = std::string(id_in(statement.text(0))), .depth = statement.integer(1)};
}

Position last_event_position(storage::Transaction& tx, RoomNumber room, Position at_most) {
    auto statement = tx.prepare(
        "SELECT position FROM event WHERE room_number = ?1 AND position <= ?2 ORDER BY position DESC LIMIT "
        "1");
    statement.bind(room, at_most);
    return Position{statement.step() ? statement.integer(0) : 0};
}

std::vector<StoredEvent> events_after(storage::Transaction& tx, RoomNumber room, Position after,
                                      Position up_to, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number, position, sender_number, type, state_key, origin_server_ts, depth, "
        "replaces_position, "
        "redacted_by, json FROM event WHERE room_number = ?1 AND position > ?2 AND position <= ?3 "
        "ORDER BY position LIMIT ?4");
    statement.bind(room, after, up_to, static_cast<std::int64_t>(limit));
    return read_rows(statement, limit);
}

std::vector<StoredEvent> events_before(storage::Transaction& tx, RoomNumber room, Position up_to,
                                       Position after, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number, position, sender_number, type, state_key, origin_server_ts, depth, "
        "replaces_position, "
        "redacted_by, json FROM event WHERE room_number = ?1 AND position <= ?2 AND position > ?3 "
        "ORDER BY position DESC LIMIT ?4");
    statement.bind(room, up_to, after, static_cast<std::int64_t>(limit));
    return read_rows(statement, limit);
}

}  // namespace chat
