#include "members/members.h"

#include "rooms/state_store.h"
#include "timeline/event_json.h"

#include <algorithm>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";
constexpr std::string_view kAuthorisedBy = "join_authorised_via_users_server";

std::unexpected<base::Error> refuse(std::string message) {
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", std::move(message));
}

/// Absent is as good as empty: a person without a name has no key.
void put_profile(base::json::object& content, const identity::MemberProfile& profile) {
    content.erase("displayname");
    content.erase("avatar_url");
    if (profile.display_name && !profile.display_name->empty())
        content["displayname"] = *profile.display_name;
    if (profile.avatar_url && !profile.avatar_url->empty()) content["avatar_url"] = *profile.avatar_url;
}

/// Whether the person is in one of the rooms that a restricted room's join rules name.
bool is_in_named_room(storage::Transaction& tx, const base::json::object& join_rules,
                      identity::UserNumber user) {
    const auto* conditions = base::get_array(join_rules, "allow");
    if (conditions == nullptr) return false;
    return std::ranges::any_of(*conditions, [&](const base::json::value& condition) {
        const auto* object = condition.if_object();
        if (object == nullptr || base::get_string(*object, "type") != "m.room_membership") return false;
        const auto room_id = base::get_string(*object, "room_id");
        const auto room = room_id ? find_room(tx, *room_id) : std::nullopt;
        const auto membership = room ? find_membership(tx, room->number, user) : std::nullopt;
        return membership && membership->membership == Membership::join;
    });
}

/// Somebody in the room who may invite, to vouch for a restricted join: a creator, somebody with a level of
/// their own, or anybody where everybody may.
std::optional<std::string> find_authoriser(storage::Transaction& tx, const RoomRules& rules) {
    const auto may = [&](const std::string& user_id) {
        const auto user = identity::find_user(tx, user_id);
        return user && may_invite(tx, rules, {*user, user_id, {}, false});
    };
    const auto& creators = rules.levels.creators;
    if (may(creators.sender)) return creators.sender;
    for (const auto& user_id : creators.additional) {
        if (may(user_id)) return user_id;
    }
    for (const auto& [user_id, level] : rules.levels.users) {
        if (level >= rules.levels.invite && may(user_id)) return user_id;
    }
    if (rules.levels.users_default < rules.levels.invite) return std::nullopt;
    for (const auto& member : members_of(tx, rules.room.number, Membership::join, {}, 100)) {
        auto user_id = identity::user_id_of(tx, member.user).value;
        if (rules.levels.of_user(user_id) >= rules.levels.invite) return user_id;
    }
    return std::nullopt;
}

}  // namespace

bool fulfils_conditions(storage::Transaction& tx, RoomNumber room, identity::UserNumber user) {
    const auto rules = state_event(tx, room, "m.room.join_rules");
    if (!rules) return false;
    const auto content = parse_content(*rules);
    const auto rule = base::get_string(content, "join_rule").value_or(std::string_view{});
    return (rule == "restricted" || rule == "knock_restricted") && is_in_named_room(tx, content, user);
}

bool may_invite(storage::Transaction& tx, const RoomRules& rules, const Actor& actor) {
    const auto membership = find_membership(tx, rules.room.number, actor.user);
    return membership && membership->membership == Membership::join &&
           rules.levels.of_user(actor.user_id) >= rules.levels.invite;
}

base::Result<Appended> change_membership(RoomWriter& writer, const MemberChange& change) {
    auto& tx = writer.transaction();
    const auto target = identity::find_user(tx, change.target_id);
    if (!target) return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such user.");
    base::json::object content{{"membership", to_string(change.to)}};
    if (change.to == Membership::join || change.to == Membership::invite || change.to == Membership::knock) {
        if (!identity::is_active(tx, *target)) {
            return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such user.");
        }
        put_profile(content, identity::member_profile_of(tx, *target));
    }
    if (change.reason) content["reason"] = *change.reason;
    if (change.is_direct) content["is_direct"] = true;
    if (change.authorised_by) content[kAuthorisedBy] = *change.authorised_by;
    return writer.append_state(change.actor, kMember, change.target_id, std::move(content));
}

base::Result<base::json::object> checked_member(RoomWriter& writer, const Actor& actor,
                                                std::string_view target_id, base::json::object content) {
    auto& tx = writer.transaction();
    content.erase(kAuthorisedBy);
    const auto to = parse_membership(base::get_string(content, "membership").value_or(std::string_view{}));
    const auto target = identity::find_user(tx, target_id);
    if (!to || !target) return content;  // the rules say what is wrong with it
    const bool brings_in = *to == Membership::join || *to == Membership::invite || *to == Membership::knock;
    if (brings_in && !identity::is_active(tx, *target)) {
        return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such user.");
    }
    if (*to == Membership::join && *target == actor.user) {
        const auto membership = find_membership(tx, writer.room().number, actor.user);
        const auto is = membership ? membership->membership : Membership::none;
        if (is != Membership::join && is != Membership::invite &&
            fulfils_conditions(tx, writer.room().number, actor.user)) {
            if (const auto authoriser = find_authoriser(tx, writer.rules()))
                content[kAuthorisedBy] = *authoriser;
        }
    }
    return content;
}

base::Result<void> join_room(RoomWriter& writer, const Actor& actor,
                             const std::optional<std::string>& reason) {
    auto& tx = writer.transaction();
    const auto room = writer.room().number;
    const auto membership = find_membership(tx, room, actor.user);
    const auto is = membership ? membership->membership : Membership::none;
    if (is == Membership::join) return {};
    MemberChange change{.actor = actor, .target_id = actor.user_id, .to = Membership::join, .reason = reason};
    if (is != Membership::invite && fulfils_conditions(tx, room, actor.user))
        change.authorised_by = find_authoriser(tx, writer.rules());
    const auto joined = change_membership(writer, change);
    if (!joined) return base::fail(joined.error());
    return {};
}

base::Result<void> leave_room(RoomWriter& writer, const Actor& actor,
                              const std::optional<std::string>& reason) {
    const auto membership = find_membership(writer.transaction(), writer.room().number, actor.user);
    if (!membership) return refuse("You are not in this room.");
    if (membership->membership == Membership::leave) return {};
    const auto left = change_membership(
        writer, {.actor = actor, .target_id = actor.user_id, .to = Membership::leave, .reason = reason});
    if (!left) return base::fail(left.error());
    return {};
}

std::optional<base::json::object> refreshed_member(RoomWriter& writer, const Actor& actor) {
    auto& tx = writer.transaction();
    const auto member = state_event(tx, writer.room().number, kMember, actor.user_id);
    if (!member) return std::nullopt;
    const auto before = parse_content(*member);
    auto content = before;
    // What belonged to the act of joining is not said again.
    content.erase("reason");
    content.erase("is_direct");
    content.erase("third_party_invite");
    content.erase(kAuthorisedBy);
    auto compared = content;
    put_profile(content, identity::member_profile_of(tx, actor.user));
    if (content == compared) return std::nullopt;
    return content;
}

}  // namespace chat
