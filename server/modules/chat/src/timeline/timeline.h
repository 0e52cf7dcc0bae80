#pragma once

#include "core.h"

#include <optional>
#include <string>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// What a client's repetition of a request is recognised by.
struct Txn {
    std::string endpoint;  ///< "send", "redact"
    std::string id;
};

/// Puts a message into a room, once however often the request is repeated with its transaction id.
/// Errors: those of append_event and of the content checks; M_BAD_JSON; chat.sending_busy (unavailable): it
/// cannot be told whether the request is a repetition.
runtime::Task<base::Result<EventId>> send_message(Core& core, Actor actor, std::string room_id,
                                                  std::string type, base::json::object content,
                                                  std::optional<Txn> txn);

/// Sets a piece of the room's state. Errors: as above; M_BAD_ALIAS, M_INVALID_PARAM for a canonical alias.
runtime::Task<base::Result<EventId>> set_state(Core& core, Actor actor, std::string room_id, std::string type,
                                               std::string state_key, base::json::object content);

/// Appends state that a client wrote, checked beyond the room's rules where its type asks for it (aliases,
/// members). Part of a job. Errors: as above.
base::Result<Appended> append_checked_state(RoomWriter& writer, const Actor& actor, std::string_view type,
                                            std::string_view state_key, base::json::object content);

/// Whether the aliases that `content` names newly, compared with the current m.room.canonical_alias, lead to
/// this room.
base::Result<void> check_canonical_alias(RoomWriter& writer, const base::json::object& content);

/// Whether `text` is a room alias of the given server.
bool is_alias_of(std::string_view text, std::string_view server);

}  // namespace chat
