#include "server_day.h"

#include <chrono>
#include <memory>
#include <string>

#include <unicode/gregocal.h>
#include <unicode/timezone.h>

namespace assistant {
namespace {

icu::UnicodeString unicode(std::string_view text) {
    return icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

}  // namespace

bool is_time_zone(std::string_view time_zone) {
    if (time_zone.empty() || time_zone.size() > 64) return false;
    const std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(unicode(time_zone)));
    return zone && *zone != icu::TimeZone::getUnknown();
}

ServerDay server_day(std::string_view time_zone, std::int64_t now_ms) {
    constexpr std::int64_t kDayMs = 86'400'000;
    UErrorCode status = U_ZERO_ERROR;
    // The calendar owns its zone. An unknown name gives "Etc/Unknown", which runs as UTC.
    icu::GregorianCalendar calendar(icu::TimeZone::createTimeZone(unicode(time_zone)), status);
    calendar.setGregorianChange(-8.64e15, status);
    calendar.setTime(static_cast<UDate>(now_ms), status);
    const std::chrono::year_month_day date{
        std::chrono::year(calendar.get(UCAL_EXTENDED_YEAR, status)),
        std::chrono::month(static_cast<unsigned>(calendar.get(UCAL_MONTH, status)) + 1),
        std::chrono::day(static_cast<unsigned>(calendar.get(UCAL_DATE, status)))};
    const std::int64_t number = std::chrono::sys_days(date).time_since_epoch().count();
    for (const auto field : {UCAL_HOUR_OF_DAY, UCAL_MINUTE, UCAL_SECOND, UCAL_MILLISECOND})
        calendar.set(field, 0);
    calendar.add(UCAL_DATE, 1, status);
    const auto next_ms = static_cast<std::int64_t>(calendar.getTime(status));
    if (U_FAILURE(status)) return {now_ms / kDayMs, (now_ms / kDayMs + 1) * kDayMs};
    return {number, next_ms};
}

}  // namespace assistant
