#include "sync/typing.h"

#include <algorithm>

namespace chat {
namespace {

/// A room in which nobody types any more is kept, for those who have still to be told; this many at most.
constexpr std::size_t kQuietRoomLimit = 10'000;
// What shown_to() says; the number of a room comes after.
constexpr std::int64_t kNowhere = 0;
constexpr std::int64_t kSeveral = 1;

}  // namespace

Typing::Typing(const base::Clock& clock) : clock_(clock), last_(clock.now_ms()), known_from_(last_) {}

void Typing::touch(RoomNumber room, State& state) {
    state.position = ++last_;
    if (state.typists.empty()) {
        typed_in_.erase(room);
    } else {
        typed_in_.insert(room);
    }
}

bool Typing::start(RoomNumber room, identity::UserNumber user, std::string user_id,
                   std::chrono::milliseconds limit) {
    auto& state = rooms_[room];
    const auto [at, is_new] = state.typists.try_emplace(user, Typist{std::move(user_id), {}});
    at->second.until = clock_.steady_now() + limit;
    if (is_new) touch(room, state);
    return is_new;
}

bool Typing::stop(RoomNumber room, identity::UserNumber user) {
    const auto at = rooms_.find(room);
    if (at == rooms_.end() || at->second.typists.erase(user) == 0) return false;
    touch(room, at->second);
    return true;
}

std::vector<RoomNumber> Typing::expire() {
    const auto now = clock_.steady_now();
    std::vector<RoomNumber> changed;
    for (auto& [room, state] : rooms_) {
        if (std::erase_if(state.typists, [&](const auto& item) { return item.second.until <= now; }) == 0)
            continue;
        touch(room, state);
        changed.push_back(room);
    }
    if (rooms_.size() > kQuietRoomLimit) {
        std::erase_if(rooms_, [this](const auto& item) {
            if (!item.second.typists.empty()) return false;
            known_from_ = std::max(known_from_, item.second.position);
            return true;
        });
    }
    return changed;
}

std::vector<RoomNumber> Typing::changed_since(std::int64_t position) const {
    std::vector<RoomNumber> rooms;
    if (position >= last_) return rooms;
    for (const auto& [room, state] : rooms_) {
        if (state.position > position) rooms.push_back(room);
    }
    return rooms;
}

std::int64_t Typing::shown_to(std::span<const RoomNumber> joined) const {
    std::int64_t shown = kNowhere;
    const auto add = [&](RoomNumber room) {
        shown = shown == kNowhere ? room.value + kSeveral : kSeveral;
        return shown != kSeveral;
    };
    // Whichever are fewer are looked through.
    if (typed_in_.size() < joined.size()) {
        for (const auto room : typed_in_) {
            if (std::ranges::binary_search(joined, room) && !add(room)) break;
        }
    } else if (!typed_in_.empty()) {
        for (const auto room : joined) {
            if (typed_in_.contains(room) && !add(room)) break;
        }
    }
    return shown;
}

std::vector<RoomNumber> Typing::read_shown(std::int64_t shown, std::span<const RoomNumber> joined) {
    if (shown == kNowhere) return {};
    if (shown == kSeveral) return {joined.begin(), joined.end()};
    const RoomNumber room{shown - kSeveral};
    if (!std::ranges::binary_search(joined, room)) return {};
    return {room};
}

Typing::RoomTyping Typing::in(RoomNumber room) const {
    RoomTyping typing;
    const auto at = rooms_.find(room);
    if (at == rooms_.end()) return typing;
    typing.position = at->second.position;
    for (const auto& [user, typist] : at->second.typists) typing.user_ids.push_back(typist.user_id);
    return typing;
}

}  // namespace chat
