#pragma once

#include "event/signing.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <base/crypto.h>
#include <base/json.h>
#include <base/result.h>
#include <chat/ids.h>

namespace chat {

/// The most bytes of an event in federation format, canonical, hashes and signatures included.
inline constexpr std::size_t kEventLimitBytes = 65'535;
/// The most bytes of a type, state key, sender or room id.
inline constexpr std::size_t kFieldLimitBytes = 255;

/// A content made ready outside of the write job: what is expensive about an event depends on nothing stored.
struct PreparedContent {
    base::json::object object;
    std::string canonical;  ///< of the whole
    std::string redacted;   ///< canonical, of what a redaction leaves
};
/// Errors: M_BAD_JSON (a number that is no integer), M_TOO_LARGE.
base::Result<PreparedContent> prepare_content(std::string_view type, base::json::object content);

/// All that stands in an event of versions 11 and 12 but its hashes and signatures.
struct EventParts {
    std::span<const std::string> auth_events;
    std::string_view content;           ///< canonical
    std::string_view redacted_content;  ///< canonical
    std::int64_t depth = 1;
    std::int64_t origin_server_ts = 0;
    std::string_view prev_event;  ///< empty for m.room.create
    std::string_view room_id;     ///< empty for m.room.create of version 12
    std::string_view sender;
    std::optional<std::string_view> state_key;
    std::string_view type;
};

struct BuiltEvent {
    EventId id;
    base::Sha256 content_hash;
    std::string client_json;  ///< see StoredEvent::json
};

/// Hashes an event and gives it its id. The text is put together from parts that are canonical already, in
/// the order in which canonical JSON has its keys, so that nothing is parsed or sorted here. Errors:
/// M_TOO_LARGE (too_large), M_INVALID_PARAM (a field over 255 bytes).
base::Result<BuiltEvent> build_event(const EventParts& parts);

/// The client format: what `StoredEvent::json` holds. `redacts` is added at the top level for a redaction.
std::string client_event_json(std::string_view event_id, const EventParts& parts,
                              std::string_view redacts = {});

/// The federation format, hashed with the content hash given (which a redacted event keeps) and signed.
base::Result<base::json::object> signed_event(const EventParts& parts, const base::Sha256& content_hash,
                                              std::string_view server, const ServerKey& key);

}  // namespace chat
