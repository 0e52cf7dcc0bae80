#include "timeline/append_event.h"

#include "event/auth_rules.h"
#include "media/media_use.h"
#include "rooms/state_store.h"
#include "stream_store.h"
#include "timeline/event_json.h"
#include "timeline/event_store.h"
#include "timeline/redact_stored.h"
#include "timeline/relations.h"

#include <vector>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";
constexpr std::string_view kPowerLevels = "m.room.power_levels";
constexpr std::string_view kRedaction = "m.room.redaction";

std::unexpected<base::Error> refuse(std::string message) {
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", std::move(message));
}

Membership membership_of(storage::Transaction& tx, RoomNumber room, identity::UserNumber user) {
    const auto found = find_membership(tx, room, user);
    return found ? found->membership : Membership::none;
}

Membership membership_of(storage::Transaction& tx, RoomNumber room, std::string_view user_id) {
    const auto user = identity::find_user(tx, user_id);
    return user ? membership_of(tx, room, *user) : Membership::none;
}

std::string join_rule_of(storage::Transaction& tx, RoomNumber room) {
    const auto event = state_event(tx, room, "m.room.join_rules");
    if (!event) return "invite";
    return std::string(base::get_string(parse_content(*event), "join_rule").value_or("invite"));
}

/// The event before, the sender's place in the room, and the person that a member event is about.
struct Place {
    std::optional<LastEvent> previous;
    std::optional<StoredMembership> sender;
    identity::UserNumber target;
};

base::Result<void> judge(storage::Transaction& tx, const RoomRules& rules, const Draft& draft,
                         const Place& place) {
    const auto room = rules.room.number;
    AuthFacts facts{.levels = rules.levels,
                    .federates = rules.federates,
                    .sender_membership = place.sender ? place.sender->membership : Membership::none};
    const Candidate candidate{draft.type, draft.state_key, draft.sender_id, draft.content.object};
    if (draft.type == kMember) {
        facts.join_rule = join_rule_of(tx, room);
        facts.target_membership =
            place.target == draft.sender ? facts.sender_membership : membership_of(tx, room, place.target);
        facts.only_create_before = place.previous && place.previous->depth == 1;
        if (const auto by = base::get_string(draft.content.object, "join_authorised_via_users_server")) {
            facts.authoriser_membership = membership_of(tx, room, *by);
        }
    }
    return authorise(facts, candidate);
}

std::vector<std::string> auth_event_ids(storage::Transaction& tx, const RoomRules& rules, const Draft& draft,
                                        const Place& place) {
    std::vector<std::string> ids;
    const Candidate candidate{draft.type, draft.state_key, draft.sender_id, draft.content.object};
    for (const auto& key : auth_events_selection(rules.room.version, candidate)) {
        if (key.type == "m.room.create") {
            ids.push_back(rules.create_event_id);
        } else if (key.type == kPowerLevels) {
            if (rules.levels_position) ids.push_back(rules.levels_event_id);
        } else if (key.type == kMember && key.state_key == draft.sender_id) {
            if (place.sender) ids.push_back(event_id_at(tx, rules.room.number, place.sender->position));
        } else if (const auto position = state_position(tx, rules.room.number, key.type, key.state_key)) {
            ids.push_back(event_id_at(tx, rules.room.number, position));
        }
    }
    return ids;
}

/// The state event that says just this already, said by the same person.
std::optional<StoredEvent> same_state(storage::Transaction& tx, RoomNumber room, const Draft& draft) {
    if (!draft.state_key) return std::nullopt;
    auto current = state_event(tx, room, draft.type, *draft.state_key);
    if (!current || current->sender != draft.sender || content_text(*current) != draft.content.canonical) {
        return std::nullopt;
    }
    return current;
}

/// What a redaction is about. Errors: M_INVALID_PARAM, M_NOT_FOUND, M_FORBIDDEN.
base::Result<StoredEvent> find_redacted(storage::Transaction& tx, const RoomRules& rules,
                                        const Draft& draft) {
    const auto id = base::get_string(draft.content.object, "redacts");
    if (!id) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                          "A redaction says in 'redacts' what it redacts.");
    }
    auto event = find_event(tx, *id);
    if (!event || event->room != rules.room.number) {
        return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND",
                          "The event to redact is not in this room.");
    }
    if (event->type == "m.room.create") return refuse("The create event cannot be redacted.");
    if (event->type == "m.room.server_acl") return refuse("Server access lists cannot be redacted.");
    if (event->sender != draft.sender && rules.levels.of_user(draft.sender_id) < rules.levels.redact) {
        return refuse("Redacting what others wrote needs a higher power level.");
    }
    return std::move(*event);
}

/// The row itself, and the state where it is state.
base::Result<Appended> write_event(storage::Transaction& tx, RoomNumber room, const Draft& draft,
                                   const EventParts& parts, const BuiltEvent& built) {
    Appended appended{.room = room, .position = Position{take_position(tx, Stream::events)}, .id = built.id};
    Position replaces;
    if (draft.state_key) replaces = put_state(tx, room, draft.type, *draft.state_key, appended.position);
    insert_event(tx, {.room = room,
                      .position = appended.position,
                      .event_id = built.id.value,
                      .sender = draft.sender,
                      .type = draft.type,
                      .state_key = draft.state_key,
                      .origin_server_ts = draft.now_ms,
                      .depth = parts.depth,
                      .replaces = replaces,
                      .json = built.client_json});
    insert_media_uses(tx, room, appended.position, draft.content.canonical,
                      identity::server_of(draft.sender_id));
    return appended;
}

/// Whom a member event is about. Errors: M_NOT_FOUND, M_INVALID_PARAM.
base::Result<identity::UserNumber> find_target(storage::Transaction& tx, const Draft& draft) {
    if (draft.type != kMember) return identity::UserNumber{};
    if (!draft.state_key || !identity::is_user_id(*draft.state_key)) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "A member event is about a user.");
    }
    if (*draft.state_key == draft.sender_id) return draft.sender;
    const auto user = identity::find_user(tx, *draft.state_key);
    if (!user) return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such user.");
    return *user;
}

}  // namespace

base::Result<Appended> append_event(storage::Transaction& tx, const RoomRules& rules, const Draft& draft) {
    const auto room = rules.room.number;
    const auto target = find_target(tx, draft);
    if (!target) return base::fail(target.error());
    const Place place{last_of_room(tx, room), find_membership(tx, room, draft.sender), *target};
    if (auto allowed = judge(tx, rules, draft, place); !allowed)
        return base::fail(std::move(allowed.error()));
    if (const auto same = same_state(tx, room, draft)) {
        return Appended{
            .room = room, .position = same->position, .id = EventId(same->event_id()), .is_new = false};
    }
    if (auto checked = check_relation(tx, room, draft); !checked)
        return base::fail(std::move(checked.error()));
    std::optional<StoredEvent> redacted;
    if (draft.type == kRedaction) {
        auto found = find_redacted(tx, rules, draft);
        if (!found) return base::fail(std::move(found.error()));
        redacted = std::move(*found);
    }

    const auto auth_events = auth_event_ids(tx, rules, draft, place);
    const EventParts parts{
        .auth_events = auth_events,
        .content = draft.content.canonical,
        .redacted_content = draft.content.redacted,
        .depth = place.previous ? place.previous->depth + 1 : 1,
        .origin_server_ts = draft.now_ms,
        .prev_event = place.previous ? std::string_view(place.previous->event_id) : std::string_view{},
        .room_id = rules.room.id.value,
        .sender = draft.sender_id,
        .state_key = draft.state_key,
        .type = draft.type};
    const auto built = build_event(parts);
    if (!built) return base::fail(built.error());
    auto appended = write_event(tx, room, draft, parts, *built);
    if (!appended) return appended;

    if (draft.type == kMember) {
        appended->member = *target;
        appended->membership =
            parse_membership(base::get_string(draft.content.object, "membership").value_or("")).value();
        appended->membership_before =
            put_membership(tx, room, *target, appended->membership, appended->position, draft.sender);
    }
    record_relation(tx, room, draft, appended->position);
    if (redacted) {
        redact_message(tx, rules.room, *redacted, appended->position);
        appended->redacted = redacted->position;
    }
    appended->keeps_rules =
        !(draft.type == kPowerLevels && draft.state_key) && !(redacted && redacted->type == kPowerLevels);
    return appended;
}

base::Result<Appended> append_create_event(storage::Transaction& tx, RoomVersion version,
                                           const RoomId& room_id, const Draft& draft) {
    if (auto allowed = authorise_create(version, draft.content.object); !allowed) {
        return base::fail(std::move(allowed.error()));
    }
    const EventParts parts{.auth_events = {},
                           .content = draft.content.canonical,
                           .redacted_content = draft.content.redacted,
                           .depth = 1,
                           .origin_server_ts = draft.now_ms,
                           .prev_event = {},
                           .room_id = creators_rule(version) ? std::string_view{} : room_id.value,
                           .sender = draft.sender_id,
                           .state_key = draft.state_key,
                           .type = draft.type};
    const auto built = build_event(parts);
    if (!built) return base::fail(built.error());
    const auto id = creators_rule(version) ? RoomId("!" + built->id.value.substr(1)) : room_id;
    const auto room = insert_room(tx, id, version, draft.sender, draft.now_ms);
    if (!room)
        return base::fail(base::ErrorKind::conflict, "chat.room_exists",
                          "There is a room of this id already.");
    return write_event(tx, *room, draft, parts, *built);
}

}  // namespace chat
