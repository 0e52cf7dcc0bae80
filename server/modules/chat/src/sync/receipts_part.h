#pragma once

#include <cstdint>
#include <string>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Appends the m.receipt events (a comma before each where `out` is not empty) with the receipts of (after,
/// up_to] that `reader` is told of; from 0 on only the latest, and all of the reader's own.
void append_receipts(std::string& out, storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                     std::int64_t after, std::int64_t up_to);

}  // namespace chat
