#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace identity {

/// Slows the guessing of one account's password from many addresses, which net's limit for each address does
/// not see. Ten wrong guesses are free, then one is every ten seconds. In memory, bounded: a restart
/// forgives.
///
/// A guess counts as wrong from its beginning, since many may be under way at once.
class FailedLogins {
  public:
    /// How long this account's password cannot be tried; nothing when it can, and then this guess is counted.
    std::optional<std::chrono::milliseconds> begin(std::string_view localpart, std::int64_t now_ms);
    void succeeded(std::string_view localpart);
    /// The guess that was begun came to no answer.
    void given_up(std::string_view localpart);

  private:
    /// A guess is spent until the time it comes back; what lies in the future are the spent ones.
    std::unordered_map<std::string, std::int64_t> all_back_at_ms_;
};

}  // namespace identity
