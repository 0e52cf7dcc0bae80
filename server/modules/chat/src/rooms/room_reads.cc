#include "rooms/room_reads.h"

#include "timeline/event_json.h"
#include "timeline/relation_store.h"

namespace chat {
namespace {

constexpr std::size_t kKeptRows = 5'000;

HistoryVisibility parse_visibility(const StoredEvent& event) {
    const auto content = parse_content(event);
    const auto word = base::get_string(content, "history_visibility").value_or(std::string_view{});
    if (word == "world_readable") return HistoryVisibility::world_readable;
    if (word == "invited") return HistoryVisibility::invited;
    if (word == "joined") return HistoryVisibility::joined;
    return HistoryVisibility::shared;
}

}  // namespace

const std::optional<StoredRoom>& RoomReads::room(RoomNumber room) {
    const auto [at, is_new] = rooms_.try_emplace(room);
    if (is_new) {
        at->second = find_room(tx_, room);
        ++kept_;
    }
    return at->second;
}

const Visibilities& RoomReads::visibilities(RoomNumber room) {
    const auto [at, is_new] = visibilities_.try_emplace(room);
    if (is_new) {
        for (const auto position : state_versions(tx_, room, "m.room.history_visibility")) {
            const auto event = find_event(tx_, room, position);
            if (event) at->second.emplace_back(position, parse_visibility(*event));
        }
        kept_ += 1 + at->second.size();
    }
    return at->second;
}

template <class Read>
std::vector<StoredEvent> RoomReads::page(std::map<Page, std::vector<StoredEvent>>& pages, const Page& key,
                                         Read read) {
    if (!is_shared_) return read();
    const auto [at, is_new] = pages.try_emplace(key);
    if (is_new) {
        at->second = read();
        kept_ += 1 + at->second.size();
    }
    return at->second;
}

std::vector<StoredEvent> RoomReads::events_before(RoomNumber room, Position up_to, Position after,
                                                  std::size_t limit) {
    return page(before_, {room.value, up_to.value, after.value, limit},
                [&] { return chat::events_before(tx_, room, up_to, after, limit); });
}

std::vector<StoredEvent> RoomReads::events_after(RoomNumber room, Position after, Position up_to,
                                                 std::size_t limit) {
    return page(after_, {room.value, after.value, up_to.value, limit},
                [&] { return chat::events_after(tx_, room, after, up_to, limit); });
}

const std::vector<StateEntry>& RoomReads::state_changes(RoomNumber room, Position after) {
    const auto [at, is_new] = changes_.try_emplace({room.value, after.value, 0});
    if (is_new) {
        at->second = chat::state_changes(tx_, room, after, kEndOfTime);
        kept_ += 1 + at->second.size();
    }
    return at->second;
}

bool RoomReads::any_relations(RoomNumber room, Position first, Position last) {
    const auto [at, is_new] = relations_.try_emplace({room.value, first.value, last.value});
    if (is_new) {
        at->second = chat::any_relations(tx_, room, first, last);
        ++kept_;
    }
    return at->second;
}

void RoomReads::trim() {
    if (kept_ < kKeptRows) return;
    kept_ = 0;
    rooms_.clear();
    visibilities_.clear();
    before_.clear();
    after_.clear();
    changes_.clear();
    relations_.clear();
}

}  // namespace chat
