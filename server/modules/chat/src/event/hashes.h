#pragma once

#include <string_view>

#include <base/crypto.h>
#include <base/json.h>
#include <base/result.h>
#include <chat/ids.h>

namespace chat {

/// SHA-256 over the canonical event without `unsigned`, `signatures` and `hashes`: covers all of the content.
/// Errors: M_BAD_JSON.
base::Result<base::Sha256> content_hash(const base::json::object& event);

/// SHA-256 over the redacted canonical event without `signatures` and `unsigned`: survives redaction, so that
/// the event id is made of it. Errors: M_BAD_JSON.
base::Result<base::Sha256> reference_hash(const base::json::object& event);

/// "$" and the URL-safe base64 of the reference hash (room versions 4 and later).
EventId event_id_of(const base::Sha256& reference_hash);
/// Version 12: the id of the room that this create event makes.
RoomId room_id_of(const EventId& create_event);

/// Whether `text` has the form of an event id of room versions 11 and 12.
bool is_event_id(std::string_view text);

/// The first 8 bytes of the event's hash: what the one index on event ids holds. Nothing where `text` is no
/// such id.
std::optional<std::int64_t> event_key_of(std::string_view text);

}  // namespace chat
