#pragma once

#include <chrono>
#include <cstdint>

namespace base {

/// Time from outside, so that tests can stand still or leap.
class Clock {
  public:
    virtual ~Clock() = default;
    /// Milliseconds since the Unix epoch: what is stored and shown.
    virtual std::int64_t now_ms() const = 0;
    /// Monotonic: what deadlines and durations are measured by.
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

class SystemClock final : public Clock {
  public:
    std::int64_t now_ms() const override;
    std::chrono::steady_clock::time_point steady_now() const override;
};

/// A clock that moves only when it is told to.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(std::int64_t start_ms = 1'700'000'000'000) : now_ms_(start_ms) {}
    std::int64_t now_ms() const override { return now_ms_; }
    std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_ms_));
    }
    void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

  private:
    std::int64_t now_ms_;
};

}  // namespace base
