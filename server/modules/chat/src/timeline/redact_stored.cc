#include "timeline/redact_stored.h"

#include "media/media_use.h"
#include "sync/receipt_store.h"
#include "sync/unread.h"
#include "timeline/event_json.h"
#include "timeline/federation_format.h"
#include "timeline/redaction_store.h"
#include "timeline/relation_store.h"
#include "timeline/relations.h"

#include <algorithm>

#include <identity/ids.h>

namespace chat {
namespace {

constexpr std::string_view kReplace = "m.replace";

/// An edit says the same words again, as an event of its own: who takes back what they wrote means these too.
/// `rows`: that the job has written already.
void redact_edits(storage::Transaction& tx, const StoredRoom& room, const RedactionRest& rest,
                  std::size_t rows) {
    for (const auto& [position, sender] :
         latest_children(tx, rest.room, rest.message, kReplace, kRedactedRowsAJob)) {
        if (rows >= kRedactedRowsAJob) break;
        const auto edit = find_event(tx, rest.room, position);
        const auto written = edit ? redact_event(tx, room, *edit, rest.redacted_by) : 0;
        // So that the work comes to an end whatever else was wrong with it.
        if (written == 0) {
            delete_relation(tx, {.room = rest.room,
                                 .parent = rest.message,
                                 .rel_type = std::string(kReplace),
                                 .child = position,
                                 .sender = {},
                                 .type = {}});
        }
        rows += std::max<std::size_t>(1, written);
    }
    if (latest_child(tx, rest.room, rest.message, kReplace)) {
        put_redaction_rest(tx, rest);
    } else {
        delete_redaction_rest(tx, rest);
    }
}

/// Their other unread messages are not to become unread again.
void keep_reading(storage::Transaction& tx, const StoredEvent& event) {
    if (event.redacted_by || !shows_reading(event)) return;
    const auto latest_edit = latest_child(tx, event.room, event.position, kReplace);
    put_read_by_writing(tx, event.room, event.sender, thread_of(tx, event.room, parse_stored(event.json)),
                        std::max(event.position, latest_edit));
}

}  // namespace

std::size_t redact_event(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                         Position redacted_by) {
    if (event.redacted_by) return 0;
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
    return 1 + withdraw_media_uses(tx, event.room, event.position, event.sender, redacted.content,
                                   identity::server_of(redacted.sender));
}

void redact_message(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                    Position redacted_by) {
    keep_reading(tx, event);
    const auto rows = redact_event(tx, room, event, redacted_by);
    redact_edits(tx, room, {event.room, event.position, redacted_by}, rows);
}

bool redact_some_left(storage::Transaction& tx) {
    const auto rest = first_redaction_rest(tx);
    if (!rest) return false;
    if (const auto room = find_room(tx, rest->room)) {
        redact_edits(tx, *room, *rest, 0);
    } else {
        delete_redaction_rest(tx, *rest);
    }
    return true;
}

}  // namespace chat
