#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace net {

/// Whether an Accept-Encoding field allows `coding` (RFC 9110, 12.5.3). An absent field (empty) allows none.
bool accepts_encoding(std::string_view field, std::string_view coding);

/// Whether an If-None-Match field names `etag` (weak comparison) or is "*".
bool etag_matches(std::string_view if_none_match, std::string_view etag);

struct ByteRange {
    std::uint64_t from = 0;
    std::uint64_t bytes = 0;
};
enum class RangeKind : std::uint8_t {
    whole,          ///< no range, a malformed one, several, or a unit other than bytes: all are to be ignored
    part,           ///< 206
    unsatisfiable,  ///< 416
};
/// Reads a Range field for a representation of `size_bytes`.
RangeKind parse_range(std::string_view field, std::uint64_t size_bytes, ByteRange& range);

}  // namespace net
