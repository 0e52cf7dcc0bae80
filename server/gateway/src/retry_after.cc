#include "retry_after.h"

#include <algorithm>
#include <charconv>

#include <base/http_date.h>

namespace gateway {
namespace {

constexpr std::int64_t kLongestSeconds = std::int64_t{24} * 3600;

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<std::chrono::seconds> pause_asked_for(std::string_view retry_after, std::string_view date,
                                                    std::int64_t now_seconds) {
    while (retry_after.ends_with(' ') || retry_after.ends_with('\t')) retry_after.remove_suffix(1);
    std::int64_t seconds = kLongestSeconds;  // of more digits than a number holds
    if (is_digits(retry_after)) {
        std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    } else {
        const auto until = base::parse_http_date(retry_after);
        if (!until) return std::nullopt;
        seconds = *until - base::parse_http_date(date).value_or(now_seconds);
    }
    if (seconds <= 0) return std::nullopt;
    return std::chrono::seconds(std::min(seconds, kLongestSeconds));
}

}  // namespace gateway
