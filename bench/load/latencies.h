#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

/// Every duration as it was, in microseconds, so that a percentile is one of them; bounded.
class Latencies {
  public:
    static constexpr std::size_t kMost = 20'000'000;

    void add(Clock::duration took) {
        if (values_.size() >= kMost) return;
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
        values_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, UINT32_MAX)));
    }
    std::size_t count() const { return values_.size(); }
    /// In milliseconds; 0 where nothing was measured.
    double at(double share) {
        if (values_.empty()) return 0;
        const auto index = std::min(values_.size() - 1,
                                    static_cast<std::size_t>(share * static_cast<double>(values_.size())));
        std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(index),
                         values_.end());
        return values_[index] / 1000.0;
    }
    /// The members of a JSON object.
    std::string json() {
        char text[200];
        std::snprintf(text, sizeof text,
                      R"("count":%zu,"p50_ms":%.4f,"p90_ms":%.4f,"p99_ms":%.4f,"p999_ms":%.4f,"max_ms":%.4f)",
                      count(), at(0.5), at(0.9), at(0.99), at(0.999), at(1.0));
        return text;
    }

  private:
    std::vector<std::uint32_t> values_;
};

}  // namespace bench
