#pragma once

#include "event/power_levels.h"
#include "push/push_rules.h"

#include <cstdint>
#include <functional>
#include <string_view>

#include <base/json.h>

namespace chat {

/// An event and what the rules may ask about its room.
struct PushSubject {
    const base::json::object& event;  ///< client format; need not have room_id
    std::string_view room_id;
    std::string_view sender;
    std::string_view user_id;       ///< of the rules' owner
    std::string_view display_name;  ///< theirs in the room; empty: none
    std::int64_t joined_members = 0;
    /// The room's power levels, asked for only where a rule comes to need them; null, and without it: nobody
    /// may notify the room.
    std::function<const PowerLevels*()> levels;
};

/// The rule that decides about the event, or null: no notification. Not to be asked about one's own events.
const PushRule* matching_rule(const PushRules& rules, const PushSubject& subject);

}  // namespace chat
