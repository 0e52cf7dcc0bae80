#include "sync/watch_list.h"

#include <algorithm>

namespace chat {
namespace {

constexpr std::chrono::minutes kIdle{2};
constexpr std::size_t kIntroductionLimit = 500;

}  // namespace

WatchList::WatchList(runtime::Runtime& runtime, const base::Clock& clock)
    : runtime_(runtime), clock_(clock) {}

std::shared_ptr<WatchList::Watch> WatchList::use(identity::UserNumber user) {
    auto& watch = watches_[user];
    if (!watch) watch = std::make_shared<Watch>(runtime_);
    watch->used_at = clock_.steady_now();
    return watch;
}

void WatchList::load(identity::UserNumber user, Watch& watch, std::vector<RoomNumber> joined,
                     std::int64_t account_data_position) {
    if (watch.is_loaded) return;  // another request of the same person was faster
    watch.is_loaded = true;
    watch.account_data_position = std::max(watch.account_data_position, account_data_position);
    std::ranges::sort(joined);
    watch.joined = std::move(joined);
    for (const auto room : watch.joined) rooms_[room].push_back(user);
    for (const auto& [room, membership] : std::exchange(watch.while_loading, {}))
        change_membership(user, room, membership);
}

void WatchList::change_membership(identity::UserNumber user, RoomNumber room, Membership membership) {
    const auto at = watches_.find(user);
    if (at == watches_.end()) return;
    auto& watch = *at->second;
    if (!watch.is_loaded) {
        watch.while_loading.emplace_back(room, membership);
    } else if (membership == Membership::join) {
        join(user, watch, room);
    } else {
        leave(user, watch, room);
    }
}

void WatchList::join(identity::UserNumber user, Watch& watch, RoomNumber room) {
    const auto at = std::ranges::lower_bound(watch.joined, room);
    if (at != watch.joined.end() && *at == room) return;
    watch.joined.insert(at, room);
    rooms_[room].push_back(user);
}

void WatchList::leave(identity::UserNumber user, Watch& watch, RoomNumber room) {
    const auto at = std::ranges::lower_bound(watch.joined, room);
    if (at == watch.joined.end() || *at != room) return;
    watch.joined.erase(at);
    forget_room_of(user, room);
}

void WatchList::forget_room_of(identity::UserNumber user, RoomNumber room) {
    const auto at = rooms_.find(room);
    if (at == rooms_.end()) return;
    std::erase(at->second, user);
    if (at->second.empty()) rooms_.erase(at);
}

void WatchList::change_account_data(identity::UserNumber user, std::int64_t position) {
    const auto at = watches_.find(user);
    if (at == watches_.end()) return;
    at->second->account_data_position = std::max(at->second->account_data_position, position);
    at->second->notifier.notify();
}

void WatchList::introduce(identity::UserNumber user, std::span<const identity::UserNumber> others,
                          std::int64_t presence_position) {
    const auto at = watches_.find(user);
    if (at == watches_.end()) return;
    auto& introductions = at->second->introductions;
    for (const auto other : others) introductions.push_back({presence_position, other});
    while (introductions.size() > kIntroductionLimit) introductions.pop_front();
}

void WatchList::wake(identity::UserNumber user) {
    if (const auto at = watches_.find(user); at != watches_.end()) at->second->notifier.notify();
}

void WatchList::wake_room(RoomNumber room) {
    for (const auto user : watchers_of(room)) wake(user);
}

void WatchList::wake_all() {
    for (const auto& [user, watch] : watches_) watch->notifier.notify();
}

std::span<const identity::UserNumber> WatchList::watchers_of(RoomNumber room) const {
    const auto at = rooms_.find(room);
    if (at == rooms_.end()) return {};
    return at->second;
}

const WatchList::Watch* WatchList::find(identity::UserNumber user) const {
    const auto at = watches_.find(user);
    return at == watches_.end() ? nullptr : at->second.get();
}

void WatchList::drop_idle() {
    const auto now = clock_.steady_now();
    std::erase_if(watches_, [&](const auto& item) {
        const auto& [user, watch] = item;
        if (watch.use_count() > 1 || watch->notifier.waiters() > 0 || now - watch->used_at < kIdle)
            return false;
        for (const auto room : watch->joined) forget_room_of(user, room);
        return true;
    });
}

}  // namespace chat
