#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>

namespace net {

/// An IP address; IPv4 in its mapped form, so that ::ffff:10.0.0.1 and 10.0.0.1 are one.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const IpAddress&) const = default;
    bool is_v4() const;
    std::string text() const;
};

/// Errors: net.bad_address (invalid).
base::Result<IpAddress> parse_ip(std::string_view text);

/// The proxies whose X-Forwarded-For is believed.
class TrustedProxies {
  public:
    /// Addresses or blocks ("10.0.0.0/8", "::1"). Errors: net.bad_address (invalid).
    static base::Result<TrustedProxies> parse(std::span<const std::string> blocks);
    bool contains(const IpAddress& address) const;

    /// Who the client is: `peer`, unless that is trusted; then the rightmost address of `forwarded_for` that
    /// is not. What stands left of an unreadable entry is not believed.
    IpAddress client(const IpAddress& peer, std::string_view forwarded_for) const;

  private:
    struct Block {
        IpAddress address;
        unsigned prefix_bits;
    };
    std::vector<Block> blocks_;
};

/// What limits count by: an IPv4 address, or the /64 that one subscriber of IPv6 has.
IpAddress subscriber_of(IpAddress address);
/// The same as text; what is no address stays as it is.
std::string rate_key(std::string_view address);

}  // namespace net
