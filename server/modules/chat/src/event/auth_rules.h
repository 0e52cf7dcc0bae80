#pragma once

#include "event/power_levels.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>
#include <chat/membership.h>

namespace chat {

/// The part of a room's state that decides whether an event may be sent; gathered by whoever holds the state.
struct AuthFacts {
    const PowerLevels& levels;
    bool federates = true;                            ///< m.federate of the create event
    std::string join_rule = "invite";                 ///< what holds where there is no m.room.join_rules
    Membership sender_membership = Membership::none;  ///< of the event's sender
    Membership target_membership = Membership::none;  ///< m.room.member: of the person in its state key
    /// m.room.member: of the person in join_authorised_via_users_server.
    Membership authoriser_membership = Membership::none;
    bool only_create_before = false;  ///< the event before is the create event
};

/// An event that asks to be let in.
struct Candidate {
    std::string_view type;
    std::optional<std::string_view> state_key;
    std::string_view sender;
    const base::json::object& content;
};

/// The authorisation rules of room versions 11 and 12, as far as they concern an event that this server makes
/// itself on a line of history (no conflicting states, no rejected parents). Everything but m.room.create.
/// Errors: M_FORBIDDEN (forbidden).
base::Result<void> authorise(const AuthFacts& facts, const Candidate& event);

/// Rule 1: what may stand in the content of m.room.create. Errors: M_FORBIDDEN.
base::Result<void> authorise_create(RoomVersion version, const base::json::object& content);

/// The one rule about messages, which is run for each: joined, and of the level that the type needs.
base::Result<void> authorise_sending(const AuthFacts& facts, const Candidate& event);

/// Which pieces of state an event names as its reasons: (type, state_key) of each, in the order in which they
/// stand.
struct StateKey {
    std::string type;
    std::string state_key;
    bool operator==(const StateKey&) const = default;
};
std::vector<StateKey> auth_events_selection(RoomVersion version, const Candidate& event);

}  // namespace chat
