#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <base/clock.h>
#include <chat/ids.h>
#include <identity/ids.h>

namespace chat {

/// Who is writing where, in memory. Positions begin at the time of the start in milliseconds, so that a token
/// of before a restart lies before them. Nothing is known of what was before; so a token says where its
/// holder saw somebody typing, and they are told that it is over. I/O thread only.
class Typing {
  public:
    explicit Typing(const base::Clock& clock);

    /// True where this changed who is seen to be typing.
    bool start(RoomNumber room, identity::UserNumber user, std::string user_id,
               std::chrono::milliseconds limit);
    bool stop(RoomNumber room, identity::UserNumber user);
    /// Ends what is over its limit; the rooms in which that changed something.
    std::vector<RoomNumber> expire();

    std::int64_t last() const { return last_; }
    struct RoomTyping {
        std::int64_t position = 0;  ///< of the last change
        std::vector<std::string> user_ids;
    };
    /// Rooms that changed after `position`.
    std::vector<RoomNumber> changed_since(std::int64_t position) const;
    /// Whether that is all: nothing after `position` was forgotten.
    bool covers(std::int64_t position) const { return position >= known_from_; }

    /// Where somebody is typing of these rooms (sorted), in a number: 0, nowhere; 1, in more than one; else
    /// the room's number and 1.
    std::int64_t shown_to(std::span<const RoomNumber> joined) const;
    /// The rooms, of these, where somebody was seen typing by whom that number was told.
    static std::vector<RoomNumber> read_shown(std::int64_t shown, std::span<const RoomNumber> joined);
    RoomTyping in(RoomNumber room) const;

  private:
    struct Typist {
        std::string user_id;
        std::chrono::steady_clock::time_point until;
    };
    struct State {
        std::int64_t position = 0;
        std::map<identity::UserNumber, Typist> typists;
    };
    void touch(RoomNumber room, State& state);

    const base::Clock& clock_;
    std::int64_t last_;
    std::int64_t known_from_;
    std::unordered_set<RoomNumber> typed_in_;  ///< where somebody is typing
    std::unordered_map<RoomNumber, State> rooms_;
};

}  // namespace chat
