#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <base/clock.h>
#include <net/route.h>

namespace net {

/// Its name in metrics and in the OpenAPI document.
std::string_view to_string(RateClass rate);

/// A token bucket a class and client (the user where known, else the address), in bounded memory.
class RateLimiter {
  public:
    explicit RateLimiter(const base::Clock& clock, std::size_t bucket_limit = 100'000);
    /// Nothing when allowed, else how long to wait.
    std::optional<std::chrono::milliseconds> take(RateClass rate, std::string_view client);
    /// Clients that it remembers, never more than the limit.
    std::size_t size() const { return buckets_.size(); }

  private:
    struct Bucket {
        double tokens;
        std::chrono::steady_clock::time_point at;
    };
    void make_room(std::chrono::steady_clock::time_point now);

    const base::Clock& clock_;
    std::size_t bucket_limit_;
    std::chrono::steady_clock::time_point swept_at_{};
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace net
