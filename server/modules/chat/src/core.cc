#include "core.h"

#include <identity/users.h>

namespace chat {

base::Error Core::not_in_room() {
    return {base::ErrorKind::forbidden, "M_FORBIDDEN", "You are not in this room."};
}

base::Error Core::no_such_room() {
    return {base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such room."};
}

base::Result<void> Core::check_content(identity::UserNumber sender, std::string_view type,
                                       const base::json::object& content) const {
    for (const auto& check : content_checks) {
        if (auto allowed = check(sender, type, content); !allowed) return allowed;
    }
    return {};
}

void Core::publish_after_commit(RoomWriter& writer) {
    if (writer.news().empty()) return;
    writer.transaction().after_commit(
        [this, rules = writer.shared_rules(), committed = std::move(writer.news())]() mutable {
            rooms.put(std::move(rules));
            for (const auto& event : committed) news.publish(event);
        });
}

std::shared_ptr<const RoomRules> find_rules(storage::Transaction& tx, const std::string& room_id,
                                            std::shared_ptr<const RoomRules> known) {
    if (known) return rules_in_force(tx, std::move(known));
    const auto room = find_room(tx, room_id);
    return room ? load_rules(tx, *room) : nullptr;
}

Actor actor_of(const net::Request& request) {
    const auto& principal = request.principal.value();
    return {.user = identity::UserNumber{principal.user_number},
            .user_id = principal.user_id,
            .device = identity::DeviceNumber{principal.device_number},
            .is_admin = principal.is_admin};
}

Actor actor_of(storage::Transaction& tx, identity::UserNumber user) {
    return {.user = user, .user_id = identity::user_id_of(tx, user).value, .device = {}, .is_admin = false};
}

}  // namespace chat
