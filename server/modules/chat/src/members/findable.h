#pragma once

#include <functional>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Says whether `viewer` is to find somebody whom they look for by name: who shares a room with them, or is
/// in one that anybody may join or read ("User Directory"). Holds as long as the transaction; rooms are
/// looked at once for all who are asked about.
std::function<bool(identity::UserNumber)> findable_by(storage::Transaction& tx, identity::UserNumber viewer);

}  // namespace chat
