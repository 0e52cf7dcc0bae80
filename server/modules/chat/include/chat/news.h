#pragma once

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <base/log.h>
#include <chat/ids.h>
#include <chat/membership.h>
#include <identity/ids.h>

namespace chat {

/// An event that has just become durable.
struct RoomNews {
    RoomNumber room;
    Position position;
    identity::UserNumber sender;
    std::string type;
    bool is_state = false;
    /// m.room.member: about whom, and from what to what (equal where only a name changed). Otherwise none.
    identity::UserNumber member;
    Membership membership_before = Membership::none;
    Membership membership = Membership::none;
    Position redacted;  ///< the event that this one redacted, or none
};

/// Tells of committed events, in commit order, on the I/O thread: the fleeting signal that wakes who waits.
/// It may be lost (a crash between commit and call); what must not be missed is read from the positions.
class News {
  public:
    /// `listener` must outlive the server's run; it may not wait. One that throws costs the others nothing.
    void subscribe(std::function<void(const RoomNews&)> listener) {
        listeners_.push_back(std::move(listener));
    }
    void publish(const RoomNews& news) const {
        for (const auto& listener : listeners_) tell(listener, news);
    }

    /// The edits of a redacted message that were left when its redaction was told are redacted as well.
    void subscribe_to_rest(std::function<void()> listener) { rest_listeners_.push_back(std::move(listener)); }
    void publish_rest() const {
        for (const auto& listener : rest_listeners_) tell(listener);
    }

  private:
    template <class Listener, class... Facts>
    static void tell(const Listener& listener, const Facts&... facts) {
        try {
            listener(facts...);
        } catch (const std::exception& fault) {
            base::log_error("chat.listener_fault", {{"what", fault.what()}});
        }
    }

    std::vector<std::function<void(const RoomNews&)>> listeners_;
    std::vector<std::function<void()>> rest_listeners_;
};

}  // namespace chat
