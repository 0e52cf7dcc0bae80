#pragma once

#include "stream_token.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <base/json.h>
#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// What a syncing client asked for.
struct SyncWish {
    std::size_t limit = 10;
    bool is_lazy = false;
    bool is_after = false;       ///< use_state_after
    bool only_messages = false;  ///< a timeline of m.room.message alone
    bool include_leave = false;  ///< asks at first for the rooms that were left, too
    std::set<std::string> ignored;

    std::string filter() const;
};

/// An answer that the client kept, and from where on it was asked for.
struct Heard {
    std::optional<StreamToken> since;
    bool full_state = false;
    base::json::value answer;
};

/// The history of all rooms as it is stored, and the plainest reading of the specification over it: says what
/// a client had to hear. Knows nothing of how /sync is made.
class SyncOracle {
  public:
    explicit SyncOracle(storage::Transaction& tx);

    /// Replays what one client heard, in order; the first fault that is found, in words. Checks that every
    /// event that the person may see came once, in order, or lies behind prev_batch; that rooms came into the
    /// right sections; and that the client's own idea of a room's state is the server's after every answer,
    /// or, of a room that was left, what it was then.
    std::string check(const std::string& user_id, const SyncWish& wish,
                      const std::vector<Heard>& heard) const;

  private:
    friend class Replay;
    struct Event {
        Position position;
        std::string id;
        std::string type;
        std::optional<std::string> state_key;
        std::string sender;
        std::string word;  ///< the membership, or the history visibility, that it sets
    };
    using Key = std::pair<std::string, std::string>;
    using Room = std::vector<Event>;

    static const Event* member_event(const Room& room, const std::string& user_id, Position at);
    static std::string membership(const Room& room, const std::string& user_id, Position at);
    /// Where the last stay that had ended at `at` ended; none for one who never was there.
    static Position stay_end(const Room& room, const std::string& user_id, Position at);
    /// Where the membership of `at` began.
    static Position membership_since(const Room& room, const std::string& user_id, Position at);
    static bool ever_joined(const Room& room, const std::string& user_id, Position after, Position up_to);
    static bool may_see(const Room& room, const std::string& user_id, const Event& event, Position horizon);
    static std::map<Key, std::string> state_at(const Room& room, Position at);

    std::map<std::string, Room> rooms_;
};

}  // namespace chat
