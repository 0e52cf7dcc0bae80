#include <algorithm>
#include <array>
#include <cmath>

#include <net/rate_limit.h>

namespace net {
namespace {

struct Allowance {
    std::string_view name;
    double per_second;
    double burst;
};

/// One row a class, in the order of RateClass. What a person does fits amply; what a script tries does not.
constexpr std::array kAllowances{
    Allowance{"none", 0, 0},      // not limited
    Allowance{"read", 50, 300},   // a client that starts asks for dozens of things at once
    Allowance{"sync", 20, 100},   // a long-poll each 30 s when nothing happens, many a second in a busy room
    Allowance{"write", 20, 100},  // receipts, typing, settings
    Allowance{"send", 10, 60},    // messages; a burst of pasted pictures passes
    Allowance{"login", 0.2, 12},  // guessing passwords, one every five seconds an address
    Allowance{"registration", 0.1, 20},  // several requests each (user-interactive authentication)
    Allowance{"upload", 2, 40},          // an album
    Allowance{"assist", 0.5, 15},        // each may cost money; the budget is the real limit
};

}  // namespace

std::string_view to_string(RateClass rate) {
    return kAllowances[static_cast<std::size_t>(rate)].name;
}

RateLimiter::RateLimiter(const base::Clock& clock, std::size_t bucket_limit)
    : clock_(clock), bucket_limit_(std::max<std::size_t>(bucket_limit, 1)) {}

std::optional<std::chrono::milliseconds> RateLimiter::take(RateClass rate, std::string_view client) {
    if (rate == RateClass::none) return std::nullopt;
    const auto& allowance = kAllowances[static_cast<std::size_t>(rate)];
    const auto now = clock_.steady_now();

    std::string key;
    key.reserve(client.size() + 1);
    key += static_cast<char>('a' + static_cast<int>(rate));
    key += client;
    auto place = buckets_.find(key);
    if (place == buckets_.end()) {
        if (buckets_.size() >= bucket_limit_) make_room(now);
        place = buckets_.emplace(std::move(key), Bucket{allowance.burst, now}).first;
    }

    auto& bucket = place->second;
    const double passed_seconds = std::chrono::duration<double>(now - bucket.at).count();
    bucket.tokens =
        std::min(allowance.burst, bucket.tokens + std::max(0.0, passed_seconds) * allowance.per_second);
    bucket.at = now;
    if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return std::nullopt;
    }
    const double wait_ms = (1 - bucket.tokens) / allowance.per_second * 1000;
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(wait_ms)));
}

void RateLimiter::make_room(std::chrono::steady_clock::time_point now) {
    // A bucket that has filled up again says no more than one that is not there.
    const auto is_full = [now](const auto& entry) {
        const auto& [key, bucket] = entry;
        const auto& allowance = kAllowances[static_cast<std::size_t>(key.front() - 'a')];
        const double passed_seconds = std::chrono::duration<double>(now - bucket.at).count();
        return bucket.tokens + passed_seconds * allowance.per_second >= allowance.burst;
    };
    // A full sweep costs milliseconds, so at most one a second; in between somebody's bucket is given up.
    if (now - swept_at_ >= std::chrono::seconds(1)) {
        swept_at_ = now;
        std::erase_if(buckets_, is_full);
    }
    if (buckets_.size() >= bucket_limit_) buckets_.erase(buckets_.begin());
}

}  // namespace net
