#pragma once

#include "core.h"

#include <optional>
#include <string>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// A change of somebody's membership.
struct MemberChange {
    Actor actor;
    std::string target_id;
    Membership to = Membership::join;
    std::optional<std::string> reason;
    bool is_direct = false;
    std::optional<std::string> authorised_by;  ///< a restricted join
};

/// Writes the member event, with the person's name and picture where they come in. Part of a job.
/// Errors: M_FORBIDDEN, M_NOT_FOUND (no such user).
base::Result<Appended> change_membership(RoomWriter& writer, const MemberChange& change);

/// The content of a member event that a client wrote itself. Who vouches for a restricted join is for the
/// server to say, and only where the conditions are fulfilled: what the client says of it is left out. Part
/// of a job. Errors: M_NOT_FOUND (somebody is brought in who has been deactivated).
base::Result<base::json::object> checked_member(RoomWriter& writer, const Actor& actor,
                                                std::string_view target_id, base::json::object content);

/// Joins, by whatever way is open: invitation, public room, the conditions of a restricted one. Part of a
/// job; nothing is written where the person has joined already. Errors: M_FORBIDDEN.
base::Result<void> join_room(RoomWriter& writer, const Actor& actor,
                             const std::optional<std::string>& reason);

/// Leaves, refuses an invitation, or takes back a knock. Nothing is written where the person has left
/// already. Errors: M_FORBIDDEN (never was there).
base::Result<void> leave_room(RoomWriter& writer, const Actor& actor,
                              const std::optional<std::string>& reason);

/// The content of the member event of a person who is in the room, with their profile as it is now; nothing
/// where it says so already.
std::optional<base::json::object> refreshed_member(RoomWriter& writer, const Actor& actor);

/// Whether the room is a restricted one whose conditions this person fulfils.
bool fulfils_conditions(storage::Transaction& tx, RoomNumber room, identity::UserNumber user);

/// Whether this person may invite others to the room as it is.
bool may_invite(storage::Transaction& tx, const RoomRules& rules, const Actor& actor);

}  // namespace chat
