#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string format_http_date(std::int64_t unix_seconds);
/// Only that form: its obsolete two are no longer sent by anything. Nothing where it is malformed.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace base
