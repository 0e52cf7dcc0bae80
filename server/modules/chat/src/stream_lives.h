#pragma once

#include "stream_token.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <base/random.h>
#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// From one start of the server to the next: who gives positions meanwhile does so under a name of its own.
struct StreamLife {
    std::uint32_t name = 0;  ///< 0: before lives were named
    StreamToken began_at;    ///< so far the streams that are stored had come
};

std::uint32_t draw_life_name(base::Random& random);

/// Where the stored streams stand; those that are in memory alone count as 0.
StreamToken stored_positions(storage::Transaction& tx);

/// So many are kept; a token of an older one is of a life that nobody knows.
constexpr std::int64_t kMostLives = 10'000;

/// Oldest first. Part of a job.
std::vector<StreamLife> read_lives(storage::Transaction& tx);
/// Part of a write job: a life of this name begins where the stored streams stand. It takes the place of the
/// last one where they have not moved since that began: no token names it (StreamLives::name_at), and a
/// server that falls over at each start shall not push out those that clients hold tokens of.
void begin_life(storage::Transaction& tx, std::uint32_t name);
/// Part of a write job.
void insert_life(storage::Transaction& tx, const StreamLife& life);

/// Tells the tokens that this database gave from those that it did not. Put back from a copy, it gives the
/// same positions a second time to other events, whether it was told that it is a copy or not; but in a life
/// that the tokens of before do not name. I/O thread only.
///
///     what was lost    life 1 ──────────┬─ ─ ─ ─ 150 (given in life 1: beyond its end, as the copy knows it)
///     what is there    life 1 ── 100 ───┘copied
///                                 └─ life 2 ──────── 200 ──
class StreamLives {
  public:
    /// All that are stored, and no other: the last is the one that now begins, where it could be written.
    void begin(std::vector<StreamLife> lives) { lives_ = std::move(lives); }
    /// The life that a token of this place names: up to where the last one began, the one before.
    std::uint32_t name_at(const StreamToken& now) const;

    /// Nothing where the token is a place in these streams, which stand at `now`. Else up to which event, at
    /// most, what its holder was told of is what is here; 0: of a life that nobody knows.
    std::optional<Position> parted_at(const StreamToken& token, const StreamToken& now) const;

  private:
    std::vector<StreamLife> lives_;
};

}  // namespace chat
