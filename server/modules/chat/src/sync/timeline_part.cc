#include "sync/timeline_part.h"

#include "rooms/state_store.h"
#include "stream_token.h"
#include "timeline/event_json.h"

#include <algorithm>
#include <functional>

namespace chat {
namespace {

constexpr std::size_t kDefaultLimit = 10;
constexpr std::size_t kMostEvents = 500;
/// With a filter that lets little through, the timeline ends here, wherever the events are.
constexpr std::size_t kMostScanned = 2000;

bool is_own_membership(const StoredEvent& event, std::string_view user_id) {
    return event.type == "m.room.member" && event.state_key == user_id;
}

/// Whether the person is told of the event at all. Their own membership they always are, or a client would
/// never learn that an invitation was taken back.
bool is_for(const RoomView& view, const StoredEvent& event, const NotificationSettings& settings) {
    if (!event.is_state() && !settings.ignored.empty() && settings.ignored.contains(sender_in(event)))
        return false;
    return view.may_see(event) || is_own_membership(event, settings.user_id);
}

/// Whether a piece of state that `event` set was set anew by an event that the timeline leaves out.
bool is_overtaken(RoomView& view, const Timeline& timeline, const StoredEvent& event, Position up_to) {
    if (!event.is_state() || event.position > up_to) return false;
    const auto latest =
        state_position_at(view.transaction(), view.room(), event.type, *event.state_key, up_to);
    // Still in order from the newest to the oldest.
    return latest != event.position &&
           !std::ranges::binary_search(timeline.events, latest, std::greater{}, &StoredEvent::position);
}

}  // namespace

bool Timeline::contains(Position position) const {
    return std::ranges::binary_search(events, position, {}, &StoredEvent::position);
}

Timeline select_timeline(RoomView& view, TimelineRange range, const RoomEventFilter& filter,
                         const NotificationSettings& settings) {
    Timeline timeline;
    timeline.before = range.up_to;
    if (!filter.allows_room(view.room_id())) {
        timeline.may_redact = true;
        return timeline;
    }
    const auto limit = std::min(filter.limit.value_or(kDefaultLimit), kMostEvents);
    auto up_to = range.up_to;
    bool leaves_out_state = false;
    for (std::size_t scanned = 0;;) {
        const auto page_size = std::clamp<std::size_t>(limit + 1 - timeline.events.size(), 2, 100);
        auto page = view.reads().events_before(view.room(), up_to, range.after, page_size);
        for (auto& event : page) {
            up_to = Position{event.position.value - 1};
            timeline.may_redact = timeline.may_redact || event.type == "m.room.redaction";
            if (!is_for(view, event, settings) || !filter.allows(event)) {
                leaves_out_state = leaves_out_state || event.is_state();
                continue;
            }
            if (timeline.events.size() == limit || (range.state_up_to && leaves_out_state &&
                                                    is_overtaken(view, timeline, event, range.state_up_to))) {
                timeline.is_limited = true;
                break;
            }
            timeline.before = up_to;
            timeline.events.push_back(std::move(event));
        }
        scanned += page.size();
        if (timeline.is_limited || page.size() < page_size) break;
        if (scanned >= kMostScanned) {
            timeline.is_limited = true;
            timeline.before = up_to;
            break;
        }
    }
    timeline.may_redact = timeline.may_redact || timeline.is_limited;
    std::ranges::reverse(timeline.events);
    return timeline;
}

void append_timeline(std::string& out, RoomView& view, const Timeline& timeline, EventWriter& writer) {
    out.append(R"({"events":)");
    if (writer.is_plain()) {
        view.append_array(out, timeline.events, RoomIdIn::leave_out);
    } else {
        if (!timeline.events.empty())
            view.expect(timeline.events.front().position, timeline.events.back().position);
        out.push_back('[');
        for (const auto& event : timeline.events) {
            if (out.back() != '[') out.push_back(',');
            std::string whole;
            view.append(whole, event, RoomIdIn::leave_out);
            writer.append(out, event, whole);
        }
        out.push_back(']');
    }
    out.append(R"(,"limited":)").append(timeline.is_limited ? "true" : "false");
    out.append(R"(,"prev_batch":")").append(timeline_token(timeline.before)).append("\"}");
}

}  // namespace chat
