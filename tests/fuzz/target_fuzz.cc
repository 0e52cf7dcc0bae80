// Everything that is read out of a request's target and header fields.
#include "forwarded.h"
#include "fuzz.h"
#include "negotiation.h"
#include "target.h"

#include <string>
#include <string_view>

#include <base/encoding.h>
#include <base/http_date.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    if (const auto target = net::split_target(text)) {
        if (const auto path = net::split_path(target->path)) {
            for (const auto& segment : *path) require(base::is_utf8(segment) && !segment.contains('\0'));
        }
        if (const auto query = net::parse_query(target->query)) {
            for (const auto& [name, value] : query->pairs())
                require(base::is_utf8(name) && base::is_utf8(value));
        }
    }
    net::ByteRange range;
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX}) {
        if (net::parse_range(text, bytes, range) != net::RangeKind::part) continue;
        require(range.bytes > 0 && range.from < bytes && range.bytes <= bytes - range.from);
    }
    net::accepts_encoding(text, "gzip");
    net::etag_matches(text, "\"a\"");
    net::rate_key(text);
    if (const auto at = base::parse_http_date(text)) require(base::format_http_date(*at).size() >= 29);
    const std::string block(text.substr(0, 64));
    if (const auto proxies = net::TrustedProxies::parse({&block, 1})) {
        proxies->client(net::IpAddress{}, text);
    }
    static const std::string everything = "::/0";
    static const auto all = net::TrustedProxies::parse({&everything, 1});
    all->client(net::IpAddress{}, text);
    return 0;
}
