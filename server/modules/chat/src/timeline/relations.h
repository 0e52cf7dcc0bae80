#pragma once

#include "timeline/append_event.h"
#include "timeline/event_store.h"
#include "timeline/relation_store.h"

#include <optional>
#include <string>
#include <string_view>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// m.relates_to as it stands in a content; nothing where it names no event or no rel_type.
struct RelatesTo {
    std::string rel_type;
    std::string event_id;
    std::string key;  ///< m.annotation
};
std::optional<RelatesTo> read_relates_to(const base::json::object& content);

/// Refuses what may not relate as it does. Part of the write job, before the event is written.
/// Errors: M_DUPLICATE_ANNOTATION, M_UNKNOWN (a thread off an event that relates itself) (invalid);
/// M_FORBIDDEN (an edit of what was redacted, whose words would be stored once more).
base::Result<void> check_relation(storage::Transaction& tx, RoomNumber room, const Draft& draft);

/// Writes down that the event at `position` relates to another of its room. Relations that are not valid are
/// ignored, as the specification says.
void record_relation(storage::Transaction& tx, RoomNumber room, const Draft& draft, Position position);

/// Takes away what a redacted event added to its parent.
void forget_relation(storage::Transaction& tx, const StoredEvent& child, const base::json::object& content);

}  // namespace chat
