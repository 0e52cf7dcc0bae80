#pragma once

#include "event/event_builder.h"
#include "members/membership_store.h"
#include "rooms/room_rules.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <base/result.h>
#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// An event that somebody wants in a room.
struct Draft {
    std::string_view type;
    std::optional<std::string_view> state_key;
    identity::UserNumber sender;
    std::string_view sender_id;
    const PreparedContent& content;
    std::int64_t now_ms = 0;
};

/// What became of it.
struct Appended {
    RoomNumber room;
    Position position;
    EventId id;
    bool is_new = true;  ///< false: the state was so already, and its event stands
    /// m.room.member: whose, and from what to what.
    identity::UserNumber member;
    Membership membership_before = Membership::none;
    Membership membership = Membership::none;
    /// The event that this one redacted, or none.
    Position redacted;
    /// False where the room's rules changed with this event: what is kept of them is to be read anew.
    bool keeps_rules = true;
};

/// The one way into a room's timeline, inside the write job: judges the draft by the room's state as it is,
/// puts it after the room's last event, hashes it, and writes the event with all that follows from it (state,
/// membership, relations, redaction). Edits of a redacted message beyond the first hundred are left to later
/// jobs (redact_rest). `rules` must be in force (rules_in_force). Errors: M_FORBIDDEN;
/// M_TOO_LARGE; M_NOT_FOUND (a member event about nobody, a redaction of nothing); M_DUPLICATE_ANNOTATION,
/// M_UNKNOWN, M_INVALID_PARAM, M_BAD_JSON (invalid).
base::Result<Appended> append_event(storage::Transaction& tx, const RoomRules& rules, const Draft& draft);

/// Makes a room with its create event; its rules are then read with load_rules. `room_id` is empty for
/// version 12. Errors: M_FORBIDDEN, M_TOO_LARGE, chat.room_exists (conflict).
base::Result<Appended> append_create_event(storage::Transaction& tx, RoomVersion version,
                                           const RoomId& room_id, const Draft& draft);

}  // namespace chat
