#include "target.h"

#include "text.h"

#include <base/encoding.h>

namespace net {
namespace {

constexpr std::size_t kPairLimit = 256;
constexpr std::size_t kSegmentLimit = 64;

base::Result<std::string> decode_text(std::string_view text, bool plus_is_space, std::string_view code) {
    auto decoded = base::percent_decode(text, plus_is_space);
    if (!decoded)
        return base::fail(base::ErrorKind::invalid, code, "A percent-encoding in the address is broken.");
    if (!base::is_utf8(*decoded)) {
        return base::fail(base::ErrorKind::invalid, code, "The address holds bytes that are not UTF-8.");
    }
    if (decoded->contains('\0')) {
        return base::fail(base::ErrorKind::invalid, code, "The address holds a zero byte.");
    }
    return decoded;
}

}  // namespace

base::Result<Target> split_target(std::string_view target) {
    if (target == "*") return Target{target, {}};
    if (!target.starts_with('/')) {
        const auto scheme = target.find("://");
        const auto authority = scheme == std::string_view::npos ? std::string_view::npos
                                                                : target.find_first_of("/?", scheme + 3);
        const bool known = equal_without_case(target.substr(0, scheme), "http") ||
                           equal_without_case(target.substr(0, scheme), "https");
        if (!known || authority == std::string_view::npos || target[authority] != '/') {
            return base::fail(base::ErrorKind::invalid, "net.bad_target",
                              "The request target is not a path.");
        }
        target.remove_prefix(authority);
    }
    if (target.contains('#')) {
        return base::fail(base::ErrorKind::invalid, "net.bad_target", "A request target has no fragment.");
    }
    const auto path = take_until(target, '?');
    return Target{path, target};
}

base::Result<Query> parse_query(std::string_view text) {
    Query query;
    while (!text.empty()) {
        auto pair = take_until(text, '&');
        if (pair.empty()) continue;
        if (query.pairs().size() == kPairLimit) {
            return base::fail(base::ErrorKind::invalid, "net.bad_query",
                              "The query has too many parameters.");
        }
        auto name = decode_text(take_until(pair, '='), true, "net.bad_query");
        if (!name) return base::fail(std::move(name.error()));
        auto value = decode_text(pair, true, "net.bad_query");
        if (!value) return base::fail(std::move(value.error()));
        query.add(std::move(*name), std::move(*value));
    }
    return query;
}

base::Result<std::vector<std::string>> split_path(std::string_view path) {
    std::vector<std::string> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return segments;
    for (bool more = true; more;) {
        more = path.contains('/');
        if (segments.size() == kSegmentLimit) {
            return base::fail(base::ErrorKind::invalid, "net.bad_path", "The path has too many segments.");
        }
        auto segment = decode_text(take_until(path, '/'), false, "net.bad_path");
        if (!segment) return base::fail(std::move(segment.error()));
        segments.push_back(std::move(*segment));
    }
    return segments;
}

}  // namespace net
