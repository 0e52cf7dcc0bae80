#pragma once

#include "core.h"

#include <cstdint>

namespace identity {

/// Ends an account in the running job: sessions, links, directory; the rooms follow as news, whose number it
/// returns.
std::int64_t close_account(storage::Transaction& tx, Core& core, const DeviceRemoved& removed,
                           UserNumber user, bool erase, std::int64_t now_ms);

}  // namespace identity
