#include "failed_logins.h"

#include <algorithm>

namespace identity {
namespace {

constexpr std::int64_t kGuessMs = 10'000;
constexpr std::int64_t kFreeGuesses = 10;
constexpr std::size_t kLimitAccounts = 20'000;

}  // namespace

std::optional<std::chrono::milliseconds> FailedLogins::begin(std::string_view localpart,
                                                             std::int64_t now_ms) {
    if (const auto found = all_back_at_ms_.find(std::string(localpart)); found != all_back_at_ms_.end()) {
        const auto until_one_is_back_ms = found->second - (kFreeGuesses - 1) * kGuessMs - now_ms;
        if (until_one_is_back_ms > 0) return std::chrono::milliseconds(until_one_is_back_ms);
    }
    if (all_back_at_ms_.size() >= kLimitAccounts) {
        std::erase_if(all_back_at_ms_, [now_ms](const auto& entry) { return entry.second <= now_ms; });
        if (all_back_at_ms_.size() >= kLimitAccounts) all_back_at_ms_.clear();
    }
    auto& back_at_ms = all_back_at_ms_[std::string(localpart)];
    back_at_ms = std::max(back_at_ms, now_ms) + kGuessMs;
    return std::nullopt;
}

void FailedLogins::succeeded(std::string_view localpart) {
    all_back_at_ms_.erase(std::string(localpart));
}

void FailedLogins::given_up(std::string_view localpart) {
    const auto found = all_back_at_ms_.find(std::string(localpart));
    if (found != all_back_at_ms_.end()) found->second -= kGuessMs;
}

}  // namespace identity
