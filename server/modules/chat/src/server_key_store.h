#pragma once

#include "event/signing.h"

#include <cstdint>
#include <optional>

#include <base/random.h>
#include <storage/transaction.h>

namespace chat {

/// The key that the server signs events with; nothing before the first start.
std::optional<ServerKey> find_server_key(storage::Transaction& tx);
void insert_server_key(storage::Transaction& tx, const ServerKey& key, std::int64_t now_ms);

}  // namespace chat
