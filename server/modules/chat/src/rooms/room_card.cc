#include "rooms/room_card.h"

#include "rooms/state_store.h"
#include "timeline/event_json.h"

namespace chat {
namespace {

/// One string of one state event; empty where there is none.
std::string text_of(storage::Transaction& tx, RoomNumber room, std::string_view type, std::string_view key) {
    const auto event = state_event(tx, room, type);
    if (!event) return {};
    const auto content = parse_content(*event);
    return std::string(base::get_string(content, key).value_or(std::string_view{}));
}

}  // namespace

RoomCard read_card(storage::Transaction& tx, RoomNumber room) {
    RoomCard card;
    card.name = text_of(tx, room, "m.room.name", "name");
    card.topic = text_of(tx, room, "m.room.topic", "topic");
    card.canonical_alias = text_of(tx, room, "m.room.canonical_alias", "alias");
    card.avatar_url = text_of(tx, room, "m.room.avatar", "url");
    card.room_type = text_of(tx, room, "m.room.create", "type");
    card.encryption = text_of(tx, room, "m.room.encryption", "algorithm");
    card.world_readable =
        text_of(tx, room, "m.room.history_visibility", "history_visibility") == "world_readable";
    card.guest_can_join = text_of(tx, room, "m.room.guest_access", "guest_access") == "can_join";
    if (const auto rules = state_event(tx, room, "m.room.join_rules")) {
        const auto content = parse_content(*rules);
        card.join_rule = base::get_string(content, "join_rule").value_or("invite");
        if (const auto* allow = base::get_array(content, "allow")) {
            for (const auto& condition : *allow) {
                const auto* object = condition.if_object();
                const auto room_id = object == nullptr ? std::nullopt : base::get_string(*object, "room_id");
                if (room_id) card.allowed_room_ids.emplace_back(*room_id);
            }
        }
    }
    return card;
}

bool is_open_to_all(storage::Transaction& tx, RoomNumber room) {
    return text_of(tx, room, "m.room.join_rules", "join_rule") == "public" ||
           text_of(tx, room, "m.room.history_visibility", "history_visibility") == "world_readable";
}

base::json::object card_json(const StoredRoom& room, const RoomCard& card) {
    base::json::object json{{"room_id", room.id.value},
                            {"num_joined_members", room.joined_count},
                            {"world_readable", card.world_readable},
                            {"guest_can_join", card.guest_can_join},
                            {"join_rule", card.join_rule}};
    if (!card.name.empty()) json["name"] = card.name;
    if (!card.topic.empty()) json["topic"] = card.topic;
    if (!card.canonical_alias.empty()) json["canonical_alias"] = card.canonical_alias;
    if (card.avatar_url.starts_with("mxc://")) json["avatar_url"] = card.avatar_url;
    if (!card.room_type.empty()) json["room_type"] = card.room_type;
    return json;
}

}  // namespace chat
