#pragma once

#include <cstdint>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Deletes what is kept of a person. A call of theirs that was told to go and has not ended is settled at its
/// whole hold (for the server's cap), one that was not is released; its end finds nothing then, and does
/// nothing.
void erase_person(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms);

}  // namespace assistant
