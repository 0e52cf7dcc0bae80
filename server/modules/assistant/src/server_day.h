#pragma once

#include <cstdint>
#include <string_view>

#include <base/result.h>

namespace assistant {

/// A day of the server's zone.
struct ServerDay {
    std::int64_t number = 0;        ///< days since 1970-01-01 of that calendar
    std::int64_t resets_at_ms = 0;  ///< when the next one begins
};

bool is_time_zone(std::string_view time_zone);
/// UTC where the zone is not known. Any thread.
ServerDay server_day(std::string_view time_zone, std::int64_t now_ms);

}  // namespace assistant
