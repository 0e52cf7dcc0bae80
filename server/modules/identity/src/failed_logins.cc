#include "failed_logins.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace identity {
namespace {

constexpr std::size_t kLimitKeys = 20'000;
constexpr std::size_t kNetworkBytesOfV4 = 3;
constexpr std::size_t kNetworkBytesOfV6 = 8;

std::string key_of(std::string_view localpart, const GuessOrigin& origin) {
    return std::string(localpart) + '\n' + origin.place;
}

template <class Bytes>
std::string first_bytes(const Bytes& bytes, std::size_t count) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::optional<std::chrono::milliseconds> GuessBudget::wait(const std::string& key,
                                                           std::int64_t now_ms) const {
    const auto found = all_back_at_ms_.find(key);
    if (found == all_back_at_ms_.end()) return std::nullopt;
    const auto until_one_is_back_ms = found->second - (free_guesses_ - 1) * back_every_ms_ - now_ms;
    if (until_one_is_back_ms <= 0) return std::nullopt;
    return std::chrono::milliseconds(until_one_is_back_ms);
}

void GuessBudget::spend(const std::string& key, std::int64_t now_ms) {
    if (all_back_at_ms_.size() >= kLimitKeys) {
        std::erase_if(all_back_at_ms_, [now_ms](const auto& entry) { return entry.second <= now_ms; });
        if (all_back_at_ms_.size() >= kLimitKeys) all_back_at_ms_.clear();
    }
    auto& back_at_ms = all_back_at_ms_[key];
    back_at_ms = std::max(back_at_ms, now_ms) + back_every_ms_;
}

void GuessBudget::give_back(const std::string& key) {
    const auto found = all_back_at_ms_.find(key);
    if (found != all_back_at_ms_.end()) found->second -= back_every_ms_;
}

std::optional<std::chrono::milliseconds> FailedLogins::begin(std::string_view localpart,
                                                             const GuessOrigin& origin, std::int64_t now_ms) {
    const auto key = key_of(localpart, origin);
    const std::string account(localpart);
    if (const auto wait = places_.wait(key, now_ms)) return wait;
    if (origin.is_stranger) {
        if (const auto wait = strangers_.wait(account, now_ms)) return wait;
        strangers_.spend(account, now_ms);
    }
    places_.spend(key, now_ms);
    return std::nullopt;
}

void FailedLogins::succeeded(std::string_view localpart, const GuessOrigin& origin) {
    places_.give_back_all(key_of(localpart, origin));
    if (origin.is_stranger) strangers_.give_back(std::string(localpart));
}

void FailedLogins::given_up(std::string_view localpart, const GuessOrigin& origin) {
    places_.give_back(key_of(localpart, origin));
    if (origin.is_stranger) strangers_.give_back(std::string(localpart));
}

std::string network_of(std::string_view address) {
    boost::system::error_code error;
    const auto parsed = boost::asio::ip::make_address(address, error);
    if (error) return std::string(address);
    if (parsed.is_v4()) return "v4 " + first_bytes(parsed.to_v4().to_bytes(), kNetworkBytesOfV4);
    const auto v6 = parsed.to_v6();
    if (v6.is_v4_mapped()) {
        const auto v4 = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6);
        return "v4 " + first_bytes(v4.to_bytes(), kNetworkBytesOfV4);
    }
    return "v6 " + first_bytes(v6.to_bytes(), kNetworkBytesOfV6);
}

}  // namespace identity
