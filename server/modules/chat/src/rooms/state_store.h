#pragma once

#include "timeline/event_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// One piece of state: which event holds it. Read the event by its position.
struct StateEntry {
    std::string type;
    std::string state_key;
    Position position;
};

/// Makes the event at `position` the room's (type, state_key). Returns the position of what held it before,
/// or none.
Position put_state(storage::Transaction& tx, RoomNumber room, std::string_view type,
                   std::string_view state_key, Position position);

/// Where the current (type, state_key) stands; none where the room has none.
Position state_position(storage::Transaction& tx, RoomNumber room, std::string_view type,
                        std::string_view state_key);
/// The same as it was after the event at `at`.
Position state_position_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                           std::string_view state_key, Position at);
std::optional<StoredEvent> state_event(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                       std::string_view state_key = {});
std::optional<StoredEvent> state_event_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                          std::string_view state_key, Position at);

/// The whole current state; members only when asked for (a room may have thousands).
enum class Members : std::uint8_t { leave_out, include };
std::vector<StateEntry> current_state(storage::Transaction& tx, RoomNumber room, Members members);
/// The whole state after the event at `at`: O(state history) of the room.
std::vector<StateEntry> state_at(storage::Transaction& tx, RoomNumber room, Position at, Members members);
/// Every current entry of one type.
std::vector<StateEntry> current_state_of_type(storage::Transaction& tx, RoomNumber room,
                                              std::string_view type);
std::vector<StateEntry> state_of_type_at(storage::Transaction& tx, RoomNumber room, std::string_view type,
                                         Position at);

/// What changed in (after, up_to], each key once with its latest entry there, in order of position.
std::vector<StateEntry> state_changes(storage::Transaction& tx, RoomNumber room, Position after,
                                      Position up_to);
/// Every value that (type, "") had, oldest first.
std::vector<Position> state_versions(storage::Transaction& tx, RoomNumber room, std::string_view type);

}  // namespace chat
