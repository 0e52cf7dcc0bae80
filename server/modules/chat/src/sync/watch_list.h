#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <base/clock.h>
#include <chat/ids.h>
#include <chat/membership.h>
#include <identity/ids.h>
#include <runtime/runtime.h>
#include <runtime/signal.h>

namespace chat {

/// Who is connected and in which rooms they are: so that news of a room wakes those of its people who wait,
/// and nobody else is looked at. Rooms of a person are read from the database when they connect and kept up
/// by the news of memberships; after a while without a request they are dropped. I/O thread only.
class WatchList {
  public:
    WatchList(runtime::Runtime& runtime, const base::Clock& clock);

    struct Watch {
        explicit Watch(runtime::Runtime& runtime) : notifier(runtime) {}
        runtime::Notifier notifier;
        bool is_loaded = false;
        std::vector<RoomNumber> joined;  ///< sorted
        std::vector<std::pair<RoomNumber, Membership>> while_loading;
        std::int64_t account_data_position = 0;  ///< of the person's last change
        /// Whose presence the person may see newly, and since which position of that stream.
        struct Introduction {
            std::int64_t position = 0;
            identity::UserNumber user;
        };
        std::deque<Introduction> introductions;
        std::chrono::steady_clock::time_point used_at;
    };

    /// The person's watch, made where there is none; it then has to be loaded. A caller who waits holds on to
    /// it.
    std::shared_ptr<Watch> use(identity::UserNumber user);
    /// Gives a watch the rooms that the person has joined; changes that came meanwhile are applied to them.
    void load(identity::UserNumber user, Watch& watch, std::vector<RoomNumber> joined,
              std::int64_t account_data_position);

    void change_membership(identity::UserNumber user, RoomNumber room, Membership membership);
    void change_account_data(identity::UserNumber user, std::int64_t position);
    /// A connected person has come to where `others` are; only the latest few hundred are kept.
    void introduce(identity::UserNumber user, std::span<const identity::UserNumber> others,
                   std::int64_t presence_position);

    void wake(identity::UserNumber user);
    void wake_room(RoomNumber room);
    void wake_all();
    /// The connected people of a room.
    std::span<const identity::UserNumber> watchers_of(RoomNumber room) const;
    const Watch* find(identity::UserNumber user) const;

    /// Drops those whom nobody waits for and who have not asked for anything in two minutes.
    void drop_idle();
    std::size_t size() const { return watches_.size(); }

  private:
    void join(identity::UserNumber user, Watch& watch, RoomNumber room);
    void leave(identity::UserNumber user, Watch& watch, RoomNumber room);
    void forget_room_of(identity::UserNumber user, RoomNumber room);

    runtime::Runtime& runtime_;
    const base::Clock& clock_;
    std::unordered_map<identity::UserNumber, std::shared_ptr<Watch>> watches_;
    std::unordered_map<RoomNumber, std::vector<identity::UserNumber>> rooms_;
};

}  // namespace chat
