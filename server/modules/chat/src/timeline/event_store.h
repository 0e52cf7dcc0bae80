#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

inline constexpr Position kEndOfTime{std::numeric_limits<std::int64_t>::max()};

/// A row of the timeline.
struct StoredEvent {
    RoomNumber room;
    Position position;
    identity::UserNumber sender;
    std::string type;
    std::optional<std::string> state_key;  ///< absent: no state event
    std::int64_t origin_server_ts = 0;     ///< milliseconds
    std::int64_t depth = 0;
    Position replaces;     ///< the state event that this one took the place of, or none
    Position redacted_by;  ///< the redaction's position, or none
    /// Client format without room_id and unsigned, ready to be spliced: {"event_id":"$…","type":…,…}.
    std::string json;

    std::string_view event_id() const;
    bool is_state() const { return state_key.has_value(); }
};

/// From a row of room_number, position, sender_number, type, state_key, origin_server_ts, depth,
/// replaces_position, redacted_by, json.
StoredEvent read_event(const storage::Statement& row);

struct NewEvent {
    RoomNumber room;
    Position position;
    std::string_view event_id;
    identity::UserNumber sender;
    std::string_view type;
    std::optional<std::string_view> state_key;
    std::int64_t origin_server_ts = 0;
    std::int64_t depth = 0;
    Position replaces;
    std::string_view json;
};
void insert_event(storage::Transaction& tx, const NewEvent& event);

/// Puts the redacted form in the place of a row's content; what was there is gone.
void overwrite_redacted(storage::Transaction& tx, RoomNumber room, Position position, Position redacted_by,
                        std::span<const std::uint8_t> content_hash, std::string_view redacted_json);
/// The content hash that a redacted row keeps.
std::optional<base::Bytes> kept_content_hash(storage::Transaction& tx, RoomNumber room, Position position);

std::optional<StoredEvent> find_event(storage::Transaction& tx, RoomNumber room, Position position);
/// By its full id, in whatever room it is.
std::optional<StoredEvent> find_event(storage::Transaction& tx, std::string_view event_id);
/// Only the id of the event at `position`, which exists.
std::string event_id_at(storage::Transaction& tx, RoomNumber room, Position position);

/// The last event of the room at or before `at_most`.
std::optional<StoredEvent> last_event(storage::Transaction& tx, RoomNumber room,
                                      Position at_most = kEndOfTime);
/// What the next event says of the one before it.
struct LastEvent {
    std::string event_id;
    std::int64_t depth = 0;
};
std::optional<LastEvent> last_of_room(storage::Transaction& tx, RoomNumber room);
/// The position of the last event alone; none in a room without events.
Position last_event_position(storage::Transaction& tx, RoomNumber room, Position at_most = kEndOfTime);

/// The events of (after, up_to], oldest first, at most `limit`.
std::vector<StoredEvent> events_after(storage::Transaction& tx, RoomNumber room, Position after,
                                      Position up_to, std::size_t limit);
/// The events of (after, up_to], newest first, at most `limit`.
std::vector<StoredEvent> events_before(storage::Transaction& tx, RoomNumber room, Position up_to,
                                       Position after, std::size_t limit);

}  // namespace chat
