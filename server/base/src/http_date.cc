#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <base/http_date.h>

namespace base {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

}  // namespace

std::string format_http_date(std::int64_t unix_seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    const auto pad = [](std::int64_t value, std::size_t width) {
        auto digits = std::to_string(value);
        digits.insert(0, width - std::min(width, digits.size()), '0');
        return digits;
    };
    std::string text(kDays[std::chrono::weekday(day).c_encoding()]);
    text += ", " + pad(static_cast<unsigned>(date.day()), 2) + " ";
    text += kMonths[static_cast<unsigned>(date.month()) - 1];
    text += " " + pad(static_cast<int>(date.year()), 4) + " " + pad(clock.hours().count(), 2) + ":";
    text += pad(clock.minutes().count(), 2) + ":" + pad(clock.seconds().count(), 2) + " GMT";
    return text;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
    // Sun, 06 Nov 1994 08:49:37 GMT
    // 0    5  8   12   17 20 23 26
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
    if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
        return std::nullopt;
    const auto month = std::ranges::find(kMonths, text.substr(8, 3));
    const auto day = number(text.substr(5, 2));
    const auto year = number(text.substr(12, 4));
    const auto hours = number(text.substr(17, 2));
    const auto minutes = number(text.substr(20, 2));
    const auto seconds = number(text.substr(23, 2));
    if (month == kMonths.end() || !day || !year || !hours || !minutes || !seconds) return std::nullopt;
    const std::chrono::year_month_day date(
        std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok() || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
    const auto days = std::chrono::sys_days(date).time_since_epoch();
    return std::chrono::seconds(days).count() + *hours * 3600 + *minutes * 60 + *seconds;
}

}  // namespace base
