#include "timeline/redact_stored.h"

#include "media/media_use.h"
#include "timeline/event_json.h"
#include "timeline/federation_format.h"
#include "timeline/relations.h"

namespace chat {

void redact_stored(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                   Position redacted_by) {
    if (event.redacted_by) return;
    FoundParts found;
    find_parts(tx, room, event, found);
    const auto built = build_event(found.view);
    base::Sha256 hash{};
    if (built) hash = built->content_hash;
    const auto content = parse_content(event);
    forget_relation(tx, event, content);
    auto redacted = found.view;
    redacted.content = found.redacted_content;
    std::string_view redacts;
    if (event.type == "m.room.redaction")
        redacts = base::get_string(content, "redacts").value_or(std::string_view{});
    overwrite_redacted(tx, event.room, event.position, redacted_by, hash,
                       client_event_json(event.event_id(), redacted, redacts));
    withdraw_media_uses(tx, event.room, event.position, event.sender, redacted.content,
                        identity::server_of(redacted.sender));
}

}  // namespace chat
