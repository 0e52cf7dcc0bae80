#pragma once

#include "timeline/event_store.h"

#include <string>
#include <string_view>

#include <base/json.h>

namespace chat {

/// Parses what this server stored itself (StoredEvent::json).
base::json::object parse_stored(std::string_view json);
/// Its content; an empty object where there is none.
const base::json::object& content_of(const base::json::object& event);
base::json::object parse_content(const StoredEvent& event);

/// The content as it stands in the stored text, without parsing: it is the last member.
std::string_view content_text(const StoredEvent& event);

/// The event as its redaction would leave it, for a reader who is to know of it but not what it says.
StoredEvent redacted_form(const StoredEvent& event);

/// Appends the event in client format: the stored text with room_id (where it is not empty) and with
/// `unsigned_members` (the inside of the object: "\"age\":5,\"…\"", or empty) spliced in.
void append_client_event(std::string& out, const StoredEvent& event, std::string_view room_id,
                         std::string_view unsigned_members);

/// Appends the stripped form that invitations carry: type, state_key, sender, content.
void append_stripped_event(std::string& out, const StoredEvent& event);

}  // namespace chat
