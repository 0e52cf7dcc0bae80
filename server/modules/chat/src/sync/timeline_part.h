#pragma once

#include "rooms/room_view.h"
#include "sync/event_writer.h"
#include "sync/unread.h"
#include "timeline/event_store.h"

#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>

namespace chat {

/// The events of a room that an answer tells of.
struct Timeline {
    std::vector<StoredEvent> events;  ///< oldest first
    bool is_limited = false;          ///< there are more between `after` and the first
    Position before;                  ///< of the last event that stands before the first one
    /// Whether the range may hold a redaction, shown or not: one was seen, or not all of it was looked at.
    bool may_redact = false;

    bool contains(Position position) const;
};

/// The newest events of (after, up_to] that the filter asks for and the person may see.
struct TimelineRange {
    Position after;
    Position up_to;
    /// The client takes the state up to here from the state events of the timeline; none: it does not. Where
    /// a piece of state changed once more in a later event that is not shown, it would believe in the older
    /// one: the timeline is cut off after that, so that the change is told as state.
    Position state_up_to;
};
Timeline select_timeline(RoomView& view, TimelineRange range, const RoomEventFilter& filter,
                         const NotificationSettings& settings);

/// Appends {"events":[…],"limited":…,"prev_batch":…}.
void append_timeline(std::string& out, RoomView& view, const Timeline& timeline, EventWriter& writer);

}  // namespace chat
