#pragma once

#include "core.h"

#include <string>
#include <vector>

#include <base/result.h>

namespace chat {

/// An upgradeRoom request.
struct UpgradePlan {
    std::string room_id;
    RoomVersion version = kDefaultRoomVersion;
    std::vector<std::string> additional_creators;
};

/// Makes the replacement, moves to it what can be moved, and closes the old room: one job ("Room Upgrades").
/// Errors: M_FORBIDDEN, M_INVALID_PARAM.
runtime::Task<base::Result<RoomId>> upgrade(Core& core, Actor actor, UpgradePlan plan);

}  // namespace chat
