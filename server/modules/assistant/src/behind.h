#pragma once

#include "backoff.h"

#include <chrono>
#include <map>
#include <optional>

#include <base/log.h>
#include <chat/ids.h>

namespace assistant {

/// Rooms in which more was written than was heard, or something could not be taken on for the moment: each is
/// read from the database in its turn. One that cannot be read rests, and takes no other's turn.
class Behind {
  public:
    using Clock = std::chrono::steady_clock;

    bool empty() const { return rooms_.empty(); }
    void clear() { rooms_.clear(); }
    void add(chat::RoomNumber room) { rooms_.try_emplace(room); }
    /// After the next of these pauses; not at all after the last.
    void add_again(chat::RoomNumber room, Backoff backoff) {
        if (const auto pause = backoff.next()) {
            rooms_[room] = {.backoff = backoff, .rests_until = Clock::now() + *pause};
        } else {
            base::log_error("assistant.room_given_up", {{"waited_s", backoff.waited().count()}});
        }
    }
    /// Of those that do not rest, in turns.
    std::optional<chat::RoomNumber> next() {
        auto found = rooms_.upper_bound(last_);
        for (auto left = rooms_.size(); left > 0; --left, ++found) {
            if (found == rooms_.end()) found = rooms_.begin();
            if (found->second.rests_until > Clock::now()) continue;
            last_ = found->first;
            return last_;
        }
        return std::nullopt;
    }
    /// The room is no more among them; its pauses so far.
    Backoff take(chat::RoomNumber room) {
        const auto taken = rooms_.extract(room);
        return taken ? taken.mapped().backoff : Backoff{};
    }

  private:
    struct Rest {
        Backoff backoff;
        Clock::time_point rests_until;
    };
    std::map<chat::RoomNumber, Rest> rooms_;
    chat::RoomNumber last_;
};

}  // namespace assistant
