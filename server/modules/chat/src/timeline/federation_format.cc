#include "timeline/federation_format.h"

#include "event/auth_rules.h"
#include "event/canonical_json.h"
#include "event/redaction.h"
#include "rooms/state_store.h"
#include "timeline/event_json.h"

#include <algorithm>

#include <base/crypto.h>
#include <identity/ids.h>

namespace chat {

void find_parts(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                FoundParts& found) {
    const auto whole = parse_stored(event.json);
    const auto& content = content_of(whole);
    found.content = content_text(event);
    found.redacted_content = canonical_json(redact_content(event.type, content)).value_or("{}");
    found.sender = base::get_string(whole, "sender").value_or(std::string_view{});
    found.room_id =
        creators_rule(room.version) && event.type == "m.room.create" ? std::string{} : room.id.value;

    const Position before{event.position.value - 1};
    if (const auto previous = last_event_position(tx, room.number, before)) {
        found.prev_event = event_id_at(tx, room.number, previous);
    }
    const Candidate candidate{event.type, event.state_key, found.sender, content};
    for (const auto& key : auth_events_selection(room.version, candidate)) {
        const auto position = state_position_at(tx, room.number, key.type, key.state_key, before);
        if (position) found.auth_events.push_back(event_id_at(tx, room.number, position));
    }
    found.view = {.auth_events = found.auth_events,
                  .content = found.content,
                  .redacted_content = found.redacted_content,
                  .depth = event.depth,
                  .origin_server_ts = event.origin_server_ts,
                  .prev_event = found.prev_event,
                  .room_id = found.room_id,
                  .sender = found.sender,
                  .state_key = event.state_key,
                  .type = event.type};
}

base::Result<base::json::object> federation_event(storage::Transaction& tx, const StoredRoom& room,
                                                  const StoredEvent& event, const ServerKey& key) {
    FoundParts found;
    find_parts(tx, room, event, found);
    base::Sha256 hash{};
    if (const auto kept = kept_content_hash(tx, room.number, event.position)) {
        std::ranges::copy_n(kept->begin(), std::min(kept->size(), hash.size()), hash.begin());
    } else {
        const auto built = build_event(found.view);
        if (!built) return base::fail(built.error());
        hash = built->content_hash;
    }
    return signed_event(found.view, hash, identity::server_of(found.sender), key);
}

}  // namespace chat
