#include "sync/typing.h"

#include <algorithm>

namespace chat {
namespace {

/// A room in which nobody types any more is kept, for those who have still to be told; this many at most.
constexpr std::size_t kQuietRoomLimit = 10'000;

}  // namespace

Typing::Typing(const base::Clock& clock) : clock_(clock), last_(clock.now_ms()) {}

void Typing::touch(State& state) {
    state.position = ++last_;
}

bool Typing::start(RoomNumber room, identity::UserNumber user, std::string user_id,
                   std::chrono::milliseconds limit) {
    auto& state = rooms_[room];
    const auto [at, is_new] = state.typists.try_emplace(user, Typist{std::move(user_id), {}});
    at->second.until = clock_.steady_now() + limit;
    if (is_new) touch(state);
    return is_new;
}

bool Typing::stop(RoomNumber room, identity::UserNumber user) {
    const auto at = rooms_.find(room);
    if (at == rooms_.end() || at->second.typists.erase(user) == 0) return false;
    touch(at->second);
    return true;
}

std::vector<RoomNumber> Typing::expire() {
    const auto now = clock_.steady_now();
    std::vector<RoomNumber> changed;
    for (auto& [room, state] : rooms_) {
        if (std::erase_if(state.typists, [&](const auto& item) { return item.second.until <= now; }) == 0)
            continue;
        touch(state);
        changed.push_back(room);
    }
    if (rooms_.size() > kQuietRoomLimit)
        std::erase_if(rooms_, [](const auto& item) { return item.second.typists.empty(); });
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

Typing::RoomTyping Typing::in(RoomNumber room) const {
    RoomTyping typing;
    const auto at = rooms_.find(room);
    if (at == rooms_.end()) return typing;
    typing.position = at->second.position;
    for (const auto& [user, typist] : at->second.typists) typing.user_ids.push_back(typist.user_id);
    return typing;
}

}  // namespace chat
