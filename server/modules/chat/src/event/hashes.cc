#include "event/hashes.h"

#include "event/canonical_json.h"
#include "event/redaction.h"

namespace chat {
namespace {

/// "$" and 43 characters: 32 bytes in unpadded base64.
constexpr std::size_t kEventIdBytes = 44;

}  // namespace

base::Result<base::Sha256> content_hash(const base::json::object& event) {
    auto bare = event;
    bare.erase("unsigned");
    bare.erase("signatures");
    bare.erase("hashes");
    const auto text = canonical_json(bare);
    if (!text) return base::fail(text.error());
    return base::sha256(*text);
}

base::Result<base::Sha256> reference_hash(const base::json::object& event) {
    auto redacted = redact_event(event);
    redacted.erase("signatures");
    const auto text = canonical_json(redacted);
    if (!text) return base::fail(text.error());
    return base::sha256(*text);
}

EventId event_id_of(const base::Sha256& reference_hash) {
    return EventId("$" + base::base64url_encode(reference_hash));
}

RoomId room_id_of(const EventId& create_event) {
    return RoomId("!" + create_event.value.substr(1));
}

bool is_event_id(std::string_view text) {
    return event_key_of(text).has_value();
}

std::optional<std::int64_t> event_key_of(std::string_view text) {
    if (text.size() != kEventIdBytes || text.front() != '$') return std::nullopt;
    const auto hash = base::base64url_decode(text.substr(1));
    if (!hash || hash->size() != 32) return std::nullopt;
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < 8; ++i) key = key << 8 | (*hash)[i];
    return static_cast<std::int64_t>(key);
}

}  // namespace chat
