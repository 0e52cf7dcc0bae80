#include "failed_logins.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace identity {
namespace {

constexpr std::size_t kLimitKeys = 20'000;
constexpr std::size_t kNetworkBytesOfV4 = 3;
constexpr std::size_t kNetworkBytesOfV6 = 8;
constexpr std::size_t kLineBytesOfV6 = 6;

std::string key_of(std::string_view localpart, std::string_view origin) {
    return std::string(localpart).append(1, '\n').append(origin);
}

/// An IPv4 address in IPv6's form is that of IPv4.
std::optional<boost::asio::ip::address> parse(std::string_view text) {
    namespace ip = boost::asio::ip;
    boost::system::error_code error;
    auto address = ip::make_address(text, error);
    if (error) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
    return address;
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

GuessOrigin GuessOrigin::of_address(std::string_view address, bool is_stranger) {
    return {.place = network_of(address), .line = line_of(address), .is_stranger = is_stranger};
}

std::optional<std::chrono::milliseconds> FailedLogins::begin(std::string_view localpart,
                                                             const GuessOrigin& origin, std::int64_t now_ms) {
    const auto place = key_of(localpart, origin.place);
    if (const auto wait = places_.wait(place, now_ms)) return wait;
    if (origin.is_stranger) {
        const std::string account(localpart);
        const auto line = key_of(localpart, origin.line);
        if (!origin.line.empty()) {
            if (const auto wait = lines_.wait(line, now_ms)) return wait;
        }
        if (const auto wait = strangers_.wait(account, now_ms)) return wait;
        if (!origin.line.empty()) lines_.spend(line, now_ms);
        strangers_.spend(account, now_ms);
    }
    places_.spend(place, now_ms);
    return std::nullopt;
}

void FailedLogins::succeeded(std::string_view localpart, const GuessOrigin& origin) {
    places_.give_back_all(key_of(localpart, origin.place));
    give_back_to_strangers(localpart, origin);
}

void FailedLogins::given_up(std::string_view localpart, const GuessOrigin& origin) {
    places_.give_back(key_of(localpart, origin.place));
    give_back_to_strangers(localpart, origin);
}

void FailedLogins::give_back_to_strangers(std::string_view localpart, const GuessOrigin& origin) {
    if (!origin.is_stranger) return;
    if (!origin.line.empty()) lines_.give_back(key_of(localpart, origin.line));
    strangers_.give_back(std::string(localpart));
}

std::string network_of(std::string_view address) {
    const auto parsed = parse(address);
    if (!parsed) return std::string(address);
    if (parsed->is_v4()) return "v4 " + first_bytes(parsed->to_v4().to_bytes(), kNetworkBytesOfV4);
    return "v6 " + first_bytes(parsed->to_v6().to_bytes(), kNetworkBytesOfV6);
}

std::string line_of(std::string_view address) {
    const auto parsed = parse(address);
    if (!parsed || parsed->is_v4()) return {};
    return "v6 " + first_bytes(parsed->to_v6().to_bytes(), kLineBytesOfV6);
}

}  // namespace identity
