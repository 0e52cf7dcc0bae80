#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <assistant/assistant.h>
#include <chat/sync.h>

namespace assistant {

/// "灵犀 is typing…" in a room for as long as it lives. I/O thread only.
class TypingNotice {
  public:
    TypingNotice(const TypingTeller& tell, chat::RoomNumber room, identity::UserNumber user,
                 std::string user_id)
        : tell_(tell), room_(room), user_(user), user_id_(std::move(user_id)) {
        renew();
    }
    TypingNotice(const TypingNotice&) = delete;
    TypingNotice& operator=(const TypingNotice&) = delete;
    ~TypingNotice() { tell(false); }

    /// To be called now and then: a notice that is not renewed is forgotten, should its end be lost.
    void renew() {
        const auto now = std::chrono::steady_clock::now();
        if (now < renew_at_) return;
        renew_at_ = now + kLimit / 2;
        tell(true);
    }

  private:
    static constexpr std::chrono::seconds kLimit{30};

    void tell(bool is_typing) const {
        if (!tell_) return;
        tell_({.room = room_, .user = user_, .user_id = user_id_, .is_typing = is_typing, .limit = kLimit});
    }

    const TypingTeller& tell_;
    chat::RoomNumber room_;
    identity::UserNumber user_;
    std::string user_id_;
    std::chrono::steady_clock::time_point renew_at_{};
};

}  // namespace assistant
