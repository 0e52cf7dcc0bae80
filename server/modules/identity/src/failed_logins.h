#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace identity {

/// Spent guesses by key, each of which comes back after a while. In memory, bounded: a restart forgives.
class GuessBudget {
  public:
    GuessBudget(std::int64_t free_guesses, std::chrono::milliseconds back_every)
        : free_guesses_(free_guesses), back_every_ms_(back_every.count()) {}

    /// Until one is back; nothing where one is left.
    std::optional<std::chrono::milliseconds> wait(const std::string& key, std::int64_t now_ms) const;
    void spend(const std::string& key, std::int64_t now_ms);
    void give_back(const std::string& key);
    void give_back_all(const std::string& key) { all_back_at_ms_.erase(key); }

  private:
    std::int64_t free_guesses_;
    std::int64_t back_every_ms_;
    /// What lies in the future are the spent ones.
    std::unordered_map<std::string, std::int64_t> all_back_at_ms_;
};

/// Where a guess at a password comes from.
struct GuessOrigin {
    std::string place;  ///< see `of_network` and `of_session`
    std::string line;   ///< of which the place is one of many; empty: of none
    bool is_stranger = false;

    /// A login. `is_stranger`: the account is not known in the address's network.
    static GuessOrigin of_address(std::string_view address, bool is_stranger);
    /// A confirmation, by who has a session of the account already.
    static GuessOrigin of_session(std::int64_t device_number) {
        return {.place = "device " + std::to_string(device_number)};
    }
};

/// Slows the guessing of one account's password without shutting its owner out. Each place has a budget of
/// its own for an account: ten wrong guesses, then one every ten seconds. All strangers' places together have
/// another, so that many addresses do not guess faster than one every two seconds in the long run; whoever
/// comes from where the account is in use does not draw on that. Of it, one customer's line, which for IPv6
/// is hundreds of places, has a quarter at most.
///
/// A guess counts as wrong from its beginning, since many may be under way at once.
class FailedLogins {
  public:
    /// How long the password cannot be tried; nothing when it can, and then this guess is counted.
    std::optional<std::chrono::milliseconds> begin(std::string_view localpart, const GuessOrigin& origin,
                                                   std::int64_t now_ms);
    void succeeded(std::string_view localpart, const GuessOrigin& origin);
    /// The guess that was begun came to no answer.
    void given_up(std::string_view localpart, const GuessOrigin& origin);

  private:
    void give_back_to_strangers(std::string_view localpart, const GuessOrigin& origin);

    GuessBudget places_{10, std::chrono::seconds(10)};
    GuessBudget lines_{25, std::chrono::seconds(8)};
    GuessBudget strangers_{100, std::chrono::seconds(2)};
};

/// What one person or house is given of addresses, more or less: an IPv4 address's /24, an IPv6 address's
/// /64. What is no address stands for itself.
std::string network_of(std::string_view address);
/// The most that one customer is given, more or less, where that is many networks: an IPv6 address's /48.
/// Else empty.
std::string line_of(std::string_view address);

}  // namespace identity
