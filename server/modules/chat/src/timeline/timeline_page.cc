#include "timeline/timeline_page.h"

#include "rooms/state_store.h"

#include <algorithm>
#include <set>

namespace chat {
namespace {

/// The most rows that one request reads; a client that filters goes on from `end`.
constexpr std::size_t kScanLimit = 5'000;
constexpr std::size_t kChunkRows = 200;

}  // namespace

Page read_page(RoomView& view, const PageQuery& query) {
    auto& tx = view.transaction();
    const auto limit = std::min(query.limit, query.filter.limit.value_or(query.limit));
    const auto up_to = view.sees_up_to();
    Page page;
    page.start = query.backwards ? std::min(query.from, up_to) : query.from;
    if (page.start == kEndOfTime) page.start = last_event_position(tx, view.room());
    if (!query.filter.allows_room(view.room_id())) return page;

    auto at = page.start;
    std::size_t scanned = 0;
    while (page.events.size() < limit && scanned < kScanLimit) {
        const auto rows = std::min(kChunkRows, std::max<std::size_t>(2 * (limit - page.events.size()), 20));
        auto chunk = query.backwards ? events_before(tx, view.room(), at, query.to.value_or(Position{}), rows)
                                     : events_after(tx, view.room(), at,
                                                    std::min(query.to.value_or(kEndOfTime), up_to), rows);
        if (chunk.empty()) return page;
        for (auto& event : chunk) {
            if (page.events.size() == limit) break;
            at = query.backwards ? Position{event.position.value - 1} : event.position;
            ++scanned;
            if (view.may_see(event) && !view.hides(event) && query.filter.allows(event))
                page.events.push_back(std::move(event));
        }
        if (chunk.size() < rows && page.events.size() < limit) return page;
    }
    // Backwards there is more unless this was the room's first event; forwards whatever may come.
    const bool at_start = query.backwards && !last_event_position(tx, view.room(), at);
    if (!at_start) page.end = at;
    return page;
}

std::vector<StoredEvent> members_of_senders(RoomView& view, const std::vector<StoredEvent>& events,
                                            Position at) {
    std::set<std::string_view> senders;
    for (const auto& event : events) senders.insert(sender_in(event));
    std::vector<StoredEvent> members;
    for (const auto sender : senders) {
        if (auto member = state_event_at(view.transaction(), view.room(), "m.room.member", sender, at)) {
            members.push_back(std::move(*member));
        }
    }
    return members;
}

}  // namespace chat
