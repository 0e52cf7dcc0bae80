#include "sync/room_log.h"

#include <algorithm>

namespace chat {

void RoomLog::begin_at(std::int64_t position) {
    const auto first = std::ranges::upper_bound(entries_, position, {}, &Entry::position);
    entries_.erase(entries_.begin(), first);
    floor_ = std::max(floor_, position);
    last_ = std::max(last_, position);
}

void RoomLog::add(Entry entry) {
    last_ = std::max(last_, entry.position);
    entries_.push_back(entry);
    if (entries_.size() <= limit_) return;
    floor_ = entries_.front().position;
    entries_.pop_front();
}

void RoomLog::since(std::int64_t position, const std::function<void(const Entry&)>& visit) const {
    const auto first = std::ranges::upper_bound(entries_, position, {}, &Entry::position);
    for (auto entry = first; entry != entries_.end(); ++entry) visit(*entry);
}

}  // namespace chat
