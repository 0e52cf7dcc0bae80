#pragma once

#include <cstdint>

#include <storage/transaction.h>

namespace chat {

/// The streams that a sync token holds a position of. Numbers are stored: never reuse one.
enum class Stream : std::uint8_t {
    events = 1,
    receipts = 2,
    account_data = 3,
    typing = 4,    ///< in memory alone; positions grow across restarts all the same
    presence = 5,  ///< so too
    // No streams, but what the holder of a token was told that is still to be set right:
    shown_typing = 6,  ///< where they see somebody typing (Typing::shown_to)
    cut_counts = 7,    ///< 1: some unread counts that they have were cut short
};

/// Takes the next position of a stream; the first is 1. Part of the write job, so that positions are given in
/// commit order and a failed job takes none.
std::int64_t take_position(storage::Transaction& tx, Stream stream);

/// The last position given; 0 where there is none.
std::int64_t last_position(storage::Transaction& tx, Stream stream);

}  // namespace chat
