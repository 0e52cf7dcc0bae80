#pragma once

#include "core.h"

#include <vector>

#include <net/route.h>

namespace chat {

/// Rooms, timelines, members, directory.
std::vector<net::Route> room_routes(Core& core);

}  // namespace chat
