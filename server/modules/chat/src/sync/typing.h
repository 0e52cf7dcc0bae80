#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <base/clock.h>
#include <chat/ids.h>
#include <identity/ids.h>

namespace chat {

/// Who is writing where, in memory. Positions begin at the time of the start in milliseconds, so that a token
/// of before a restart lies before them. I/O thread only.
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
    void touch(State& state);

    const base::Clock& clock_;
    std::int64_t last_;
    std::unordered_map<RoomNumber, State> rooms_;
};

}  // namespace chat
