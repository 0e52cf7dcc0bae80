#include "sync/sync_cache.h"

namespace chat {
namespace {

constexpr std::size_t kFilterLimit = 10'000;
constexpr std::size_t kSettingsLimit = 20'000;
constexpr std::size_t kUnreadLimit = 300'000;
constexpr std::size_t kSentLimit = 500'000;

template <class Rooms, class From, class To>
void copy_rooms(const Rooms& rooms, const From& from, To& to) {
    for (const auto room : rooms) {
        if (const auto at = from.find(room); at != from.end()) to.emplace(room, at->second);
    }
}

}  // namespace

std::shared_ptr<const SyncFilter> SyncCache::filter(identity::UserNumber user, std::int64_t number) const {
    const auto at = filters_.find({user, number});
    return at == filters_.end() ? nullptr : at->second;
}

void SyncCache::put_filter(identity::UserNumber user, std::int64_t number,
                           std::shared_ptr<const SyncFilter> filter) {
    if (filters_.size() >= kFilterLimit) filters_.clear();
    filters_.insert_or_assign({user, number}, std::move(filter));
}

void SyncCache::fill(SyncQuery& query) const {
    if (const auto at = settings_.find(query.user); at != settings_.end()) {
        query.settings = at->second.settings;
        query.settings_hold = query.account_data_position <= at->second.as_of;
    }
    if (const auto at = unread_.find(query.user); at != unread_.end()) {
        if (query.rooms) {
            copy_rooms(*query.rooms, at->second, query.unread);
        } else {
            query.unread = at->second;
        }
    }
    if (!query.filter->lazy_load_members() || !query.since) return;
    if (const auto at = sent_.find(query.device); at != sent_.end()) {
        if (query.rooms) {
            copy_rooms(*query.rooms, at->second.members, query.members_sent);
        } else {
            query.members_sent = at->second.members;
        }
    }
}

std::optional<std::vector<RoomNumber>> SyncCache::long_rooms(identity::UserNumber user,
                                                             std::span<const RoomNumber> joined) const {
    std::vector<RoomNumber> rooms;
    if (joined.empty()) return rooms;
    const auto known = unread_.find(user);
    if (known == unread_.end()) return std::nullopt;
    for (const auto room : joined) {
        const auto at = known->second.find(room);
        if (at == known->second.end()) return std::nullopt;
        if (at->second.is_long) rooms.push_back(room);
    }
    return rooms;
}

void SyncCache::keep(const SyncQuery& query, SyncAnswer& answer) {
    if (settings_.size() >= kSettingsLimit) settings_.clear();
    auto& settings = settings_[query.user];
    // Answers may be finished in another order than they were begun in.
    if (query.now[Stream::account_data] >= settings.as_of)
        settings = {answer.settings, query.now[Stream::account_data]};
    if (unread_count_ >= kUnreadLimit) {
        unread_.clear();
        unread_count_ = 0;
    }
    if (!answer.unread.empty()) {
        auto& unread = unread_[query.user];
        for (auto& [room, counted] : answer.unread)
            unread_count_ += unread.insert_or_assign(room, std::move(counted)).second ? 1 : 0;
    }
    if (answer.members_sent.empty() || !query.device) return;
    if (sent_count_ >= kSentLimit) {
        sent_.clear();
        sent_count_ = 0;
    }
    auto& sent = sent_[query.device];
    for (auto& [room, members] : answer.members_sent) {
        // What is under way holds on to what it was given.
        auto& known = sent.members[room];
        auto more = known ? std::make_shared<UserIds>(*known) : std::make_shared<UserIds>();
        for (auto& member : members) sent_count_ += more->insert(std::move(member)).second ? 1 : 0;
        known = std::move(more);
    }
}

void SyncCache::forget_sent_unless(identity::DeviceNumber device, const std::optional<StreamToken>& since) {
    const auto at = sent_.find(device);
    if (at == sent_.end() || (since && at->second.next_batch == *since)) return;
    for (const auto& [room, members] : at->second.members)
        sent_count_ -= std::min(sent_count_, members->size());
    sent_.erase(at);
}

void SyncCache::handed(identity::DeviceNumber device, const StreamToken& next_batch) {
    if (const auto at = sent_.find(device); at != sent_.end()) at->second.next_batch = next_batch;
}

}  // namespace chat
