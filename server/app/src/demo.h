#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <base/clock.h>
#include <base/random.h>
#include <base/result.h>
#include <chat/chat.h>
#include <identity/identity.h>
#include <runtime/task.h>

namespace app {

/// The clock that chat reads in the demonstration: real time, except while the conversation is written that
/// the two have had. So their past takes the way of every message, and nothing in chat can date one.
class DemoClock final : public base::Clock {
  public:
    std::int64_t now_ms() const override { return standing_at_ms_.value_or(real_.now_ms()); }
    std::chrono::steady_clock::time_point steady_now() const override { return real_.steady_now(); }

    /// Stands still at a moment of the past; a later one than before, and none that is still to come.
    void stand_at(std::int64_t moment_ms);
    void go_on() { standing_at_ms_.reset(); }

  private:
    base::SystemClock real_;
    std::optional<std::int64_t> standing_at_ms_;
};

/// When something was said: on the evening before, by the clock on the wall, or so many minutes ago.
struct Moment {
    int evening_hour = 0;  ///< none: `minutes` ago
    int minutes = 0;

    /// Evenings end early enough for all that is some minutes ago to come after them, just after midnight
    /// too.
    std::int64_t in_ms(std::int64_t now_ms) const;
};

/// Fills an empty server with two people, one writing Chinese and one English, and a conversation that they
/// have had since yesterday evening; nothing in it is AI's. `clock` is the one that `chat` reads. On a server
/// that has them already it only makes new links. Returns the text for the terminal: a one-use link for each.
runtime::Task<base::Result<std::string>> furnish_demo(identity::Identity& identity, chat::Chat& chat,
                                                      DemoClock& clock, base::Random& random,
                                                      storage::Database& database);

}  // namespace app
