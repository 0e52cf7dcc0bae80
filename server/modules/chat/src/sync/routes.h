#pragma once

#include "sync/core.h"

#include <vector>

#include <net/route.h>

namespace chat {

std::vector<net::Route> sync_routes(SyncCore& core);

}  // namespace chat
