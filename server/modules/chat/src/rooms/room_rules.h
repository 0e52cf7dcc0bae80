#pragma once

#include "event/power_levels.h"
#include "rooms/room_store.h"

#include <memory>
#include <string>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// What every message of a room is judged by, read once and kept: it changes with the room's power levels
/// only, and `levels_position` says which ones it was read from. Immutable, so that a write job can be handed
/// the one that was right a moment ago, and check that it still is with one look at the state.
struct RoomRules {
    StoredRoom room;  ///< its counts and listing are not kept up to date
    std::string create_event_id;
    bool federates = true;
    Position levels_position;     ///< none in a room without m.room.power_levels
    std::string levels_event_id;  ///< empty then
    PowerLevels levels;
};

/// The room with this create event and these levels, from the state as it is.
std::shared_ptr<const RoomRules> load_rules(storage::Transaction& tx, const StoredRoom& room);

/// `known` where it still holds, else what does.
std::shared_ptr<const RoomRules> rules_in_force(storage::Transaction& tx,
                                                std::shared_ptr<const RoomRules> known);

}  // namespace chat
