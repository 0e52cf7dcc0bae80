#include "rooms/room_upgrade.h"

#include "members/members.h"
#include "rooms/state_store.h"
#include "timeline/event_json.h"

#include <algorithm>
#include <array>

#include <base/encoding.h>

namespace chat {
namespace {

/// What the specification recommends to carry over, before the power levels that may restrict it; and that AI
/// was forbidden, since silence would allow it. Who agreed to a model did so in the old room alone.
constexpr std::array<std::string_view, 9> kCarried{"m.room.server_acl",
                                                   "m.room.encryption",
                                                   "m.room.name",
                                                   "m.room.avatar",
                                                   "m.room.topic",
                                                   "m.room.guest_access",
                                                   "m.room.history_visibility",
                                                   "m.room.join_rules",
                                                   "im.lingxi.ai_policy"};
constexpr std::size_t kAliasLimit = 1000;

base::json::object content_or_empty(storage::Transaction& tx, RoomNumber room, std::string_view type) {
    const auto event = state_event(tx, room, type);
    return event ? parse_content(*event) : base::json::object{};
}

/// Whether the actor may close the room: asked before anything is made.
base::Result<void> may_close(RoomWriter& old, const Actor& actor) {
    const auto membership = find_membership(old.transaction(), old.room().number, actor.user);
    const auto& levels = old.rules().levels;
    if (!membership || membership->membership != Membership::join ||
        levels.of_user(actor.user_id) < levels.of_event("m.room.tombstone", true)) {
        return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                          "Upgrading this room needs a higher power level.");
    }
    return {};
}

base::json::object create_content(RoomWriter& old, const UpgradePlan& plan, const std::string& salt) {
    auto& tx = old.transaction();
    base::json::object content{{"room_version", to_string(plan.version)}};
    const auto before = content_or_empty(tx, old.room().number, "m.room.create");
    for (const auto* key : {"type", "m.federate"}) {
        if (const auto* value = before.if_contains(key)) content[key] = *value;
    }
    content["predecessor"] = {
        {"room_id", old.room().id.value},
        {"event_id", event_id_at(tx, old.room().number, last_event_position(tx, old.room().number))}};
    if (creators_rule(plan.version)) {
        content["im.lingxi.salt"] = salt;
        if (!plan.additional_creators.empty()) {
            base::json::array creators;
            for (const auto& user_id : plan.additional_creators) creators.emplace_back(user_id);
            content["additional_creators"] = std::move(creators);
        }
    }
    return content;
}

/// The old room's levels as the new version allows them: version 12 names no creators, version 11 its one.
base::json::object carried_levels(RoomWriter& old, const UpgradePlan& plan, const Actor& actor) {
    auto levels = content_or_empty(old.transaction(), old.room().number, "m.room.power_levels");
    if (!levels.contains("users") || !levels["users"].is_object()) levels["users"] = base::json::object{};
    auto& users = levels["users"].get_object();
    if (creators_rule(plan.version)) {
        users.erase(actor.user_id);
        for (const auto& user_id : plan.additional_creators) users.erase(user_id);
        raise_tombstone_level(levels);
    } else {
        users[actor.user_id] = std::max<std::int64_t>(100, base::get_int(users, actor.user_id).value_or(0));
    }
    return levels;
}

base::Result<void> carry_state(RoomWriter& old, RoomWriter& made, const Actor& actor,
                               const UpgradePlan& plan) {
    const auto joined =
        change_membership(made, {.actor = actor, .target_id = actor.user_id, .to = Membership::join});
    if (!joined) return base::fail(joined.error());
    for (const auto type : kCarried) {
        const auto event = state_event(old.transaction(), old.room().number, type);
        if (!event) continue;
        const auto carried = made.append_state(actor, type, "", parse_content(*event));
        if (!carried) return base::fail(carried.error());
    }
    for (const auto& entry : current_state_of_type(old.transaction(), old.room().number, "m.space.child")) {
        const auto event = find_event(old.transaction(), old.room().number, entry.position);
        if (!event) continue;
        const auto carried =
            made.append_state(actor, "m.space.child", entry.state_key, parse_content(*event));
        if (!carried) return base::fail(carried.error());
    }
    const auto levels = made.append_state(actor, "m.room.power_levels", "", carried_levels(old, plan, actor));
    if (!levels) return base::fail(levels.error());
    return {};
}

base::Result<void> move_aliases(RoomWriter& old, RoomWriter& made, const Actor& actor) {
    auto& tx = old.transaction();
    for (const auto& alias : aliases_of(tx, old.room().number, kAliasLimit)) {
        const auto found = find_alias(tx, alias);
        delete_alias(tx, alias);
        insert_alias(tx, alias, made.room().number, found ? found->creator : actor.user, old.now_ms());
    }
    if (const auto canonical = state_event(tx, old.room().number, "m.room.canonical_alias")) {
        const auto moved = made.append_state(actor, "m.room.canonical_alias", "", parse_content(*canonical));
        if (!moved) return base::fail(moved.error());
        const auto emptied = old.append_state(actor, "m.room.canonical_alias", "", {});
        if (!emptied && emptied.error().kind != base::ErrorKind::forbidden)
            return base::fail(emptied.error());
    }
    if (const auto room = find_room(tx, old.room().number); room && room->is_listed) {
        set_listed(tx, old.room().number, false);
        set_listed(tx, made.room().number, true);
    }
    return {};
}

/// Nobody below a moderator speaks or invites in the old room from here on, where the actor may say so.
base::Result<void> close_room(RoomWriter& old, const Actor& actor, const std::string& replacement) {
    const auto tombstone =
        old.append_state(actor, "m.room.tombstone", "",
                         {{"body", "This room has been replaced"}, {"replacement_room", replacement}});
    if (!tombstone) return base::fail(tombstone.error());
    auto levels = content_or_empty(old.transaction(), old.room().number, "m.room.power_levels");
    const auto floor = std::max<std::int64_t>(50, base::get_int(levels, "users_default").value_or(0) + 1);
    for (const auto* key : {"events_default", "invite"}) {
        levels[key] = std::max(floor, base::get_int(levels, key).value_or(0));
    }
    const auto closed = old.append_state(actor, "m.room.power_levels", "", std::move(levels));
    if (!closed && closed.error().kind != base::ErrorKind::forbidden) return base::fail(closed.error());
    return {};
}

base::Result<RoomWriter> replace_room(RoomWriter& old, const Actor& actor, const UpgradePlan& plan,
                                      const std::string& salt) {
    if (auto allowed = may_close(old, actor); !allowed) return base::fail(std::move(allowed.error()));
    RoomId id;
    if (!creators_rule(plan.version))
        id = RoomId("!" + salt + ":" + std::string(identity::server_of(actor.user_id)));
    auto made = create_room(old.transaction(), plan.version, id, actor, create_content(old, plan, salt),
                            old.now_ms());
    if (!made) return made;
    if (auto done = carry_state(old, *made, actor, plan); !done) return base::fail(std::move(done.error()));
    if (auto done = move_aliases(old, *made, actor); !done) return base::fail(std::move(done.error()));
    if (auto done = close_room(old, actor, made->room().id.value); !done)
        return base::fail(std::move(done.error()));
    return made;
}

}  // namespace

runtime::Task<base::Result<RoomId>> upgrade(Core& core, Actor actor, UpgradePlan plan) {
    std::array<std::uint8_t, 16> bits{};
    core.random.fill(bits);
    auto room_id = plan.room_id;
    co_return co_await core.write_in_room(
        std::move(room_id),
        [&core, actor = std::move(actor), plan = std::move(plan),
         salt = base::base64url_encode(bits)](RoomWriter& old) -> base::Result<RoomId> {
            auto made = replace_room(old, actor, plan, salt);
            if (!made) return base::fail(std::move(made.error()));
            core.publish_after_commit(*made);
            return made->room().id;
        });
}

}  // namespace chat
