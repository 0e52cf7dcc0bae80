#pragma once

#include "stream_store.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <base/result.h>
#include <chat/ids.h>

namespace chat {

/// Where a client stands in each stream: what /sync calls next_batch. Opaque to clients: "s2_", the name of
/// the life of the streams (stream_lives.h), then a position for each stream in order of its number; streams
/// that the token's writer did not know count as 0. "s1" and no name: of before lives were named.
struct StreamToken {
    static constexpr std::size_t kStreams = 8;
    std::uint32_t life = 0;
    std::array<std::int64_t, kStreams> positions{};

    std::int64_t& operator[](Stream stream) { return positions[static_cast<std::size_t>(stream) - 1]; }
    std::int64_t operator[](Stream stream) const { return positions[static_cast<std::size_t>(stream) - 1]; }
    bool operator==(const StreamToken&) const = default;

    std::string text() const;
    /// Errors: M_INVALID_PARAM (invalid).
    static base::Result<StreamToken> parse(std::string_view text);
};

/// A place in a timeline, for pages of it: between the event at `position` and the one after it. "t1_" and
/// the position; a StreamToken is taken for one too. It names no life: a page shows what is there now on that
/// side of the place, and no client takes it for all that is new. Whoever held one of a database that was
/// then put back from a copy is given another by /sync, with timelines that are cut (SyncQuery::parted_at).
std::string timeline_token(Position position);
/// Errors: M_INVALID_PARAM (invalid).
base::Result<Position> parse_timeline_token(std::string_view text);

}  // namespace chat
