#pragma once

#include "rooms/room_store.h"

#include <string>

#include <base/json.h>
#include <storage/transaction.h>

namespace chat {

/// A room as it is shown to people who may not be in it (definitions/public_rooms_chunk.yaml).
struct RoomCard {
    std::string name;
    std::string topic;
    std::string canonical_alias;
    std::string avatar_url;
    std::string join_rule = "invite";
    std::string room_type;
    std::string encryption;
    base::json::array allowed_room_ids;  ///< of a restricted room
    bool world_readable = false;
    bool guest_can_join = false;
};
RoomCard read_card(storage::Transaction& tx, RoomNumber room);

/// Whether anybody may come in, or read what is said.
bool is_open_to_all(storage::Transaction& tx, RoomNumber room);

base::json::object card_json(const StoredRoom& room, const RoomCard& card);

}  // namespace chat
