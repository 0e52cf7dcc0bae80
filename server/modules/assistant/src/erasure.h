#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Rows that one job of an erasure deletes at most: everybody's messages wait for its end.
inline constexpr std::int64_t kErasedAtOnce = 1000;

/// What one job of an erasure did.
struct Erased {
    std::int64_t rows = 0;
    std::int64_t receipts = 0;  ///< of these
    bool is_all = false;        ///< nothing is left for another job
};

/// Deletes some of what is kept of a person, at most `limit` rows; to be repeated until it was all. A call of
/// theirs that was told to go and has not ended is settled at its whole hold (for the server's cap), one that
/// was not is released; its end finds nothing then, and does nothing. A crash between two jobs leaves the
/// rest to whoever begins anew.
Erased erase_person(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms,
                    std::int64_t limit = kErasedAtOnce);

/// Forgets some of a person's receipts that have ended, the oldest first, none newer than `newest`: at most
/// `limit` rows. What was spent stays counted.
Erased erase_receipts(storage::Transaction& tx, identity::UserNumber user, std::int64_t newest,
                      std::int64_t limit = kErasedAtOnce);

/// What the two run, so that a test can ask for the plans.
std::span<const std::string_view> erasure_texts();

}  // namespace assistant
