#pragma once

#include "timeline/event_filter.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// The most bytes of a filter, stored or inline.
inline constexpr std::size_t kFilterLimitBytes = 64 * 1024;

/// What a client wants of /sync (specification: definitions/sync_filter.yaml).
struct SyncFilter {
    std::vector<std::string> event_fields;  ///< empty: all
    bool federation_format = false;         ///< events as another server would be sent them
    RoomEventFilter presence;
    RoomEventFilter account_data;
    std::optional<std::vector<std::string>> rooms;
    std::vector<std::string> not_rooms;
    bool include_leave = false;
    RoomEventFilter ephemeral;
    RoomEventFilter state;
    RoomEventFilter timeline;
    RoomEventFilter room_account_data;

    /// Errors: M_BAD_JSON, M_INVALID_PARAM (invalid): a wrong type, an id that is none.
    static base::Result<SyncFilter> parse(const base::json::object& object);
    /// The same from text. Also errors: M_NOT_JSON, M_TOO_LARGE.
    static base::Result<SyncFilter> parse_text(std::string_view text);

    bool allows_room(std::string_view room_id) const;
    /// Timeline and state filters may ask for lazily loaded members; either counts for the room.
    bool lazy_load_members() const { return state.lazy_load_members || timeline.lazy_load_members; }
    bool include_redundant_members() const {
        return state.include_redundant_members || timeline.include_redundant_members;
    }
};

/// Takes everything but `fields` (dot-separated paths) out of an event.
base::json::object keep_fields(const base::json::object& event, const std::vector<std::string>& fields);

/// The names of a dot-separated path, "\." being a dot of a name: "content.m\.mentions.room" is content,
/// m.mentions, room.
std::vector<std::string> split_path(std::string_view path);

}  // namespace chat
