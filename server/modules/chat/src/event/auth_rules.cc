#include "event/auth_rules.h"

#include <algorithm>

#include <identity/ids.h>

namespace chat {
namespace {

base::Result<void> refuse(std::string message) {
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", std::move(message));
}

bool is_in_room(Membership membership) {
    return membership == Membership::join || membership == Membership::invite;
}

std::string_view authoriser_of(const base::json::object& content) {
    return base::get_string(content, "join_authorised_via_users_server").value_or(std::string_view{});
}

base::Result<void> authorise_join(const AuthFacts& facts, const Candidate& event) {
    const auto target = *event.state_key;
    if (facts.only_create_before && target == facts.levels.creators.sender) return {};
    if (event.sender != target) return refuse("Nobody can be made to join a room.");
    if (facts.sender_membership == Membership::ban) return refuse("You are banned from this room.");
    if (facts.join_rule == "invite" || facts.join_rule == "knock") {
        if (is_in_room(facts.sender_membership)) return {};
        return refuse("You are not invited to this room.");
    }
    if (facts.join_rule == "restricted" || facts.join_rule == "knock_restricted") {
        if (is_in_room(facts.sender_membership)) return {};
        const auto authoriser = authoriser_of(event.content);
        if (authoriser.empty() || facts.authoriser_membership != Membership::join ||
            facts.levels.of_user(authoriser) < facts.levels.invite) {
            return refuse("You fulfil none of the conditions for joining this room.");
        }
        return {};
    }
    if (facts.join_rule == "public") return {};
    return refuse("This room cannot be joined.");
}

base::Result<void> authorise_invite(const AuthFacts& facts, const Candidate& event) {
    // Invitations by third-party identifier need an identity server to sign them: this server has none.
    if (event.content.contains("third_party_invite"))
        return refuse("Third-party invitations are not served.");
    if (facts.sender_membership != Membership::join) return refuse("You are not in this room.");
    if (facts.target_membership == Membership::join) return refuse("This person is in the room already.");
    if (facts.target_membership == Membership::ban) return refuse("This person is banned from the room.");
    if (facts.levels.of_user(event.sender) < facts.levels.invite)
        return refuse("Inviting needs a higher power level.");
    return {};
}

base::Result<void> authorise_leave(const AuthFacts& facts, const Candidate& event) {
    const auto target = *event.state_key;
    if (event.sender == target) {
        if (is_in_room(facts.sender_membership) || facts.sender_membership == Membership::knock) return {};
        return refuse("You are not in this room.");
    }
    if (facts.sender_membership != Membership::join) return refuse("You are not in this room.");
    const auto own = facts.levels.of_user(event.sender);
    if (facts.target_membership == Membership::ban && own < facts.levels.ban) {
        return refuse("Lifting a ban needs a higher power level.");
    }
    if (own < facts.levels.kick || facts.levels.of_user(target) >= own) {
        return refuse("Removing this person needs a higher power level.");
    }
    return {};
}

base::Result<void> authorise_ban(const AuthFacts& facts, const Candidate& event) {
    if (facts.sender_membership != Membership::join) return refuse("You are not in this room.");
    const auto own = facts.levels.of_user(event.sender);
    if (own < facts.levels.ban || facts.levels.of_user(*event.state_key) >= own) {
        return refuse("Banning this person needs a higher power level.");
    }
    return {};
}

base::Result<void> authorise_knock(const AuthFacts& facts, const Candidate& event) {
    if (facts.join_rule != "knock" && facts.join_rule != "knock_restricted") {
        return refuse("This room cannot be knocked at.");
    }
    if (event.sender != *event.state_key) return refuse("Nobody can knock for somebody else.");
    if (facts.sender_membership == Membership::ban) return refuse("You are banned from this room.");
    if (is_in_room(facts.sender_membership)) return refuse("You are in this room or invited already.");
    return {};
}

base::Result<void> authorise_member(const AuthFacts& facts, const Candidate& event) {
    if (!event.state_key) return refuse("A member event needs a state key.");
    const auto membership = parse_membership(base::get_string(event.content, "membership").value_or("?"));
    if (!membership) return refuse("The membership is not one that there is.");
    // We sign for our own users alone; there is no other server to have signed for one of its.
    const auto authoriser = authoriser_of(event.content);
    if (!authoriser.empty() && identity::server_of(authoriser) != identity::server_of(event.sender)) {
        return refuse("The join is authorised by a user of another server.");
    }
    switch (*membership) {
        case Membership::join:
            return authorise_join(facts, event);
        case Membership::invite:
            return authorise_invite(facts, event);
        case Membership::leave:
            return authorise_leave(facts, event);
        case Membership::ban:
            return authorise_ban(facts, event);
        case Membership::knock:
            return authorise_knock(facts, event);
        case Membership::none:
            break;
    }
    return refuse("The membership is not one that there is.");
}

}  // namespace

base::Result<void> authorise_create(RoomVersion version, const base::json::object& content) {
    if (const auto* named = content.if_contains("room_version")) {
        if (!named->is_string() || !parse_room_version(named->get_string())) {
            return refuse("The room version is not one that there is.");
        }
    }
    if (!creators_rule(version)) return {};
    const auto* more = content.if_contains("additional_creators");
    if (more == nullptr) return {};
    const auto is_user = [](const base::json::value& value) {
        return value.is_string() && identity::is_user_id(value.get_string());
    };
    if (!more->is_array() || !std::ranges::all_of(more->get_array(), is_user)) {
        return refuse("additional_creators must be an array of user ids.");
    }
    return {};
}

base::Result<void> authorise_sending(const AuthFacts& facts, const Candidate& event) {
    if (facts.sender_membership != Membership::join) return refuse("You are not in this room.");
    const auto own = facts.levels.of_user(event.sender);
    if (event.type == "m.room.third_party_invite") {
        if (own < facts.levels.invite) return refuse("Inviting needs a higher power level.");
        return {};
    }
    if (own < facts.levels.of_event(event.type, event.state_key.has_value())) {
        return refuse("Sending this needs a higher power level.");
    }
    if (event.state_key && event.state_key->starts_with('@') && *event.state_key != event.sender) {
        return refuse("State under a person's id is that person's to write.");
    }
    return {};
}

base::Result<void> authorise(const AuthFacts& facts, const Candidate& event) {
    const auto& creators = facts.levels.creators;
    if (event.type == "m.room.create") return refuse("A room is created once.");
    if (!facts.federates && identity::server_of(event.sender) != identity::server_of(creators.sender)) {
        return refuse("This room is not open to other servers.");
    }
    if (event.type == "m.room.member") return authorise_member(facts, event);
    if (auto allowed = authorise_sending(facts, event); !allowed) return allowed;
    if (event.type == "m.room.power_levels") {
        if (auto valid = validate_power_levels(facts.levels.version, creators, event.content); !valid)
            return valid;
        const auto after = read_power_levels(facts.levels.version, creators, &event.content);
        return authorise_power_level_change(facts.levels, after, event.sender);
    }
    return {};
}

std::vector<StateKey> auth_events_selection(RoomVersion version, const Candidate& event) {
    std::vector<StateKey> keys;
    const auto add = [&](StateKey key) {
        if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
    };
    if (event.type == "m.room.create") return keys;
    if (!creators_rule(version)) add({"m.room.create", ""});
    add({"m.room.power_levels", ""});
    add({"m.room.member", std::string(event.sender)});
    if (event.type != "m.room.member" || !event.state_key) return keys;
    add({"m.room.member", std::string(*event.state_key)});
    const auto membership = base::get_string(event.content, "membership").value_or(std::string_view{});
    if (membership == "join" || membership == "invite" || membership == "knock")
        add({"m.room.join_rules", ""});
    if (membership == "join") {
        if (const auto authoriser = authoriser_of(event.content); !authoriser.empty()) {
            add({"m.room.member", std::string(authoriser)});
        }
    }
    return keys;
}

}  // namespace chat
