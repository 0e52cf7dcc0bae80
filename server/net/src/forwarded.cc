#include "forwarded.h"

#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::unexpected<base::Error> bad_address(std::string_view text) {
    return base::fail(base::ErrorKind::invalid, "net.bad_address", "Not an address: " + std::string(text));
}

/// An entry of X-Forwarded-For: an address, perhaps with brackets or a port.
base::Result<IpAddress> parse_entry(std::string_view entry) {
    if (entry.starts_with('[')) {
        const auto end = entry.find(']');
        if (end == std::string_view::npos) return bad_address(entry);
        return parse_ip(entry.substr(1, end - 1));
    }
    if (std::ranges::count(entry, ':') == 1) entry = entry.substr(0, entry.find(':'));
    return parse_ip(entry);
}

}  // namespace

bool IpAddress::is_v4() const {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> out{};
    const bool v4 = is_v4();
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &bytes[12] : bytes.data(), out.data(), out.size());
    return out.data();
}

base::Result<IpAddress> parse_ip(std::string_view text) {
    IpAddress address;
    if (text.size() >= INET6_ADDRSTRLEN) return bad_address(text.substr(0, 64));
    const std::string terminated(text);
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
    std::ranges::copy(kMappedPrefix, address.bytes.begin());
    if (inet_pton(AF_INET, terminated.c_str(), &address.bytes[12]) == 1) return address;
    return bad_address(text);
}

base::Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> blocks) {
    TrustedProxies proxies;
    for (const std::string& text : blocks) {
        std::string_view rest = trim(text);
        const bool has_prefix = rest.contains('/');
        auto address = parse_ip(take_until(rest, '/'));
        if (!address) return base::fail(std::move(address.error()));
        unsigned bits = 128;
        if (has_prefix) {
            const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), bits);
            if (error != std::errc{} || end != rest.data() + rest.size() ||
                bits > (address->is_v4() ? 32U : 128U)) {
                return bad_address(text);
            }
            if (address->is_v4()) bits += 96;
        }
        proxies.blocks_.push_back(Block{*address, bits});
    }
    return proxies;
}

bool TrustedProxies::contains(const IpAddress& address) const {
    return std::ranges::any_of(blocks_, [&](const Block& block) {
        for (unsigned bit = 0; bit < block.prefix_bits; bit += 8) {
            const unsigned kept = std::min(8U, block.prefix_bits - bit);
            const auto mask = static_cast<std::uint8_t>(0xffU << (8U - kept));
            if ((address.bytes[bit / 8] & mask) != (block.address.bytes[bit / 8] & mask)) return false;
        }
        return true;
    });
}

IpAddress TrustedProxies::client(const IpAddress& peer, std::string_view forwarded_for) const {
    IpAddress client = peer;
    while (contains(client) && !forwarded_for.empty()) {
        const auto comma = forwarded_for.rfind(',');
        const auto entry =
            trim(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
        forwarded_for = comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
        const auto parsed = parse_entry(entry);
        if (!parsed) break;
        client = *parsed;
    }
    return client;
}

IpAddress subscriber_of(IpAddress address) {
    if (!address.is_v4()) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
    return address;
}

std::string rate_key(std::string_view address) {
    const auto parsed = parse_ip(address);
    return parsed ? subscriber_of(*parsed).text() : std::string(address);
}

}  // namespace net
