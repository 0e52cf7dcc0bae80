#pragma once

#include "rooms/room_view.h"
#include "timeline/event_filter.h"

#include <optional>
#include <vector>

namespace chat {

/// A stretch of a room's timeline that somebody wants to read, between two places.
struct PageQuery {
    bool backwards = true;
    Position from;               ///< where reading begins: backwards at or below it, forwards above it
    std::optional<Position> to;  ///< where it stops, on the way
    std::size_t limit = 10;
    RoomEventFilter filter;
};

struct Page {
    std::vector<StoredEvent> events;  ///< in order of reading
    Position start;
    std::optional<Position> end;  ///< where to go on; nothing where the timeline ends
};

/// Reads on past what the person may not see or did not ask for, within a bound.
Page read_page(RoomView& view, const PageQuery& query);

/// The member events of those who sent `events`, as of the position `at`, each once.
std::vector<StoredEvent> members_of_senders(RoomView& view, const std::vector<StoredEvent>& events,
                                            Position at);

}  // namespace chat
