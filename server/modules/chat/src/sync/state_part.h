#pragma once

#include "rooms/room_view.h"
#include "sync/filter.h"
#include "sync/sync_query.h"
#include "sync/timeline_part.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>

namespace chat {

/// What became of the person who reads, where they are told more of that than of the rest.
struct OwnMember {
    std::string_view user_id;
    Position up_to;
};

/// Which of a room's state an answer tells.
struct StateRange {
    bool is_whole = false;  ///< all of it, rather than what changed
    bool is_after = false;  ///< as it is after the timeline, rather than before it
    Position after;         ///< changes up to here are known to the client
    Position up_to;
    std::optional<OwnMember> own;
};

/// Members that a client that loads them lazily is told of: those in `wanted` that it has not got in `sent`.
struct LazyMembers {
    bool is_lazy = false;
    UserIds wanted;
    const UserIds* sent = nullptr;  ///< null: none
};

/// Appends the state events, comma between. What changed within the timeline but does not stand in it (a
/// filter left it out) is told too. Returns the lazily loaded members that the client had not got before.
std::vector<std::string> append_state(std::string& out, RoomView& view, StateRange range,
                                      const Timeline& timeline, const SyncFilter& filter,
                                      const LazyMembers& members, EventWriter& writer);

}  // namespace chat
