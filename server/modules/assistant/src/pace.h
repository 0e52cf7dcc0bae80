#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace assistant {

/// Spreads the starts of calls, so that a flood of them leaves the processor and the writer to chat: as many
/// as `burst` at once, then one each `1 s / a_second`. I/O thread only.
class Pace {
  public:
    using Clock = std::chrono::steady_clock;

    Pace(std::int64_t a_second, std::int64_t burst)
        : between_(std::chrono::nanoseconds(std::chrono::seconds(1)) / a_second), lead_(between_ * burst) {}

    /// Takes the next place: how long its holder is to wait.
    Clock::duration take(Clock::time_point now) {
        free_at_ = std::max(free_at_, now - lead_) + between_;
        return std::max(free_at_ - now, Clock::duration::zero());
    }

  private:
    Clock::duration between_;
    Clock::duration lead_;
    Clock::time_point free_at_{};
};

}  // namespace assistant
