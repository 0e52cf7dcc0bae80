#include "timeline/redact_stored.h"

#include "media/media_use.h"
#include "timeline/event_json.h"
#include "timeline/federation_format.h"
#include "timeline/relation_store.h"
#include "timeline/relations.h"

#include <limits>

namespace chat {
namespace {

/// A job stays short: what a person edited more often than this loses its oldest edits only when redacted by
/// itself.
constexpr std::size_t kEditsLimit = 500;

/// An edit says the same words again, as an event of its own: who takes back what they wrote means these too.
void redact_edits(storage::Transaction& tx, const StoredRoom& room, Position original, Position redacted_by) {
    const auto edits = children_of(tx, {.room = room.number,
                                        .parent = original,
                                        .rel_type = "m.replace",
                                        .type = {},
                                        .after = Position{0},
                                        .before = Position{std::numeric_limits<std::int64_t>::max()},
                                        .limit = kEditsLimit});
    for (const Position position : edits) {
        if (const auto edit = find_event(tx, room.number, position))
            redact_stored(tx, room, *edit, redacted_by);
    }
}

}  // namespace

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
    redact_edits(tx, room, event.position, redacted_by);
}

}  // namespace chat
