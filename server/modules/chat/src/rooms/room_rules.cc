#include "rooms/room_rules.h"

#include "rooms/state_store.h"
#include "timeline/event_json.h"

namespace chat {

std::shared_ptr<const RoomRules> load_rules(storage::Transaction& tx, const StoredRoom& room) {
    auto rules = std::make_shared<RoomRules>();
    rules->room = room;
    RoomCreators creators;
    if (const auto create = state_event(tx, room.number, "m.room.create")) {
        const auto event = parse_stored(create->json);
        const auto& content = content_of(event);
        rules->create_event_id = create->event_id();
        rules->federates = base::get_bool(content, "m.federate").value_or(true);
        creators = read_creators(room.version, base::get_string(event, "sender").value_or(std::string_view{}),
                                 content);
    }
    if (const auto levels = state_event(tx, room.number, "m.room.power_levels")) {
        const auto event = parse_stored(levels->json);
        rules->levels_position = levels->position;
        rules->levels_event_id = levels->event_id();
        rules->levels = read_power_levels(room.version, std::move(creators), &content_of(event));
    } else {
        rules->levels = read_power_levels(room.version, std::move(creators), nullptr);
    }
    return rules;
}

std::shared_ptr<const RoomRules> rules_in_force(storage::Transaction& tx,
                                                std::shared_ptr<const RoomRules> known) {
    if (state_position(tx, known->room.number, "m.room.power_levels", "") == known->levels_position)
        return known;
    return load_rules(tx, known->room);
}

}  // namespace chat
