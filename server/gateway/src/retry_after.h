#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gateway {

/// How long a server asks to be left alone (Retry-After; RFC 9110, 10.2.3): so many seconds, or until a date,
/// at most a day. A date is that server's, whose clock is not ours: it is counted from the `date` of the same
/// answer, and from `now_seconds` (Unix) only where that says nothing. Nothing where no pause is asked for.
std::optional<std::chrono::seconds> pause_asked_for(std::string_view retry_after, std::string_view date,
                                                    std::int64_t now_seconds);

}  // namespace gateway
