#pragma once

#include "core.h"

#include <optional>
#include <string>
#include <vector>

#include <base/json.h>
#include <base/result.h>
#include <identity/body.h>

namespace chat {

/// A room that somebody wants: a createRoom request in native types.
struct RoomPlan {
    enum class Preset : std::uint8_t { private_chat, trusted_private_chat, public_chat };
    struct State {
        std::string type;
        std::string state_key;
        base::json::object content;
    };
    RoomVersion version = kDefaultRoomVersion;
    Preset preset = Preset::private_chat;
    bool is_listed = false;
    bool is_direct = false;
    std::optional<std::string> alias_localpart;
    std::optional<std::string> name;
    std::optional<std::string> topic;
    std::vector<std::string> invite;
    std::vector<State> initial_state;
    base::json::object creation_content;
    base::json::object power_levels;  ///< laid over what is written by default
};

/// Reads a createRoom body. Errors: M_BAD_JSON, M_INVALID_PARAM, M_UNSUPPORTED_ROOM_VERSION (invalid).
base::Result<RoomPlan> read_room_plan(identity::Body& body);

/// Makes the room in one job: all of it or nothing. `salt` is 128 random bits, so that no two create events
/// are equal (their hash is the room id of version 12). The writer's news are the caller's to publish.
/// Errors: M_INVALID_ROOM_STATE, M_ROOM_IN_USE, M_INVALID_PARAM (invalid), and those of the content.
base::Result<RoomWriter> make_room(storage::Transaction& tx, const Actor& creator, const RoomPlan& plan,
                                   const std::string& salt, std::int64_t now_ms);

/// The content of m.room.power_levels that a new room gets, before the client's own is laid over it.
base::json::object default_power_levels(const RoomPlan& plan, const Actor& creator);

/// makes it in a write job, and tells of it.
runtime::Task<base::Result<RoomId>> create_room(Core& core, Actor creator, RoomPlan plan);

}  // namespace chat
