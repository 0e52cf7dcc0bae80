#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <base/result.h>

namespace assistant {

/// The pauses between tries of what chat cannot take for the moment: 1 s, twice as long each time, a minute
/// at most; none any more after half an hour.
class Backoff {
  public:
    static constexpr std::chrono::seconds kFirst{1};
    static constexpr std::chrono::seconds kLongest{60};
    static constexpr std::chrono::seconds kGivenUpAfter{1800};

    /// Nothing: it is given up.
    std::optional<std::chrono::seconds> next() {
        if (waited_ >= kGivenUpAfter) return std::nullopt;
        const auto pause = next_;
        waited_ += pause;
        next_ = std::min(2 * next_, kLongest);
        return pause;
    }
    std::chrono::seconds waited() const { return waited_; }

  private:
    std::chrono::seconds next_{kFirst};
    std::chrono::seconds waited_{0};
};

/// Whether the same may be taken later: no rule was against it.
inline bool may_pass(const base::Error& error) {
    return error.kind == base::ErrorKind::unavailable || error.kind == base::ErrorKind::timeout ||
           error.kind == base::ErrorKind::rate_limited || error.kind == base::ErrorKind::internal;
}

}  // namespace assistant
