#include "endpoints.h"

namespace assistant {

identity::UserNumber user_of(const net::Request& request) {
    return identity::UserNumber{request.principal ? request.principal->user_number : 0};
}

Answered<void> check_allowed(storage::Transaction& tx, identity::UserNumber user,
                             const chat::RoomReading* room) {
    if (!budget_settings(tx).ai_enabled || !person_settings(tx, user).ai_enabled) return refuse(ai_off());
    if (room != nullptr && !is_ai_allowed(*room)) return refuse(forbidden_in_room());
    return {};
}

std::function<Answered<void>(storage::Transaction&, const Destination&)> consent_check(
    identity::UserNumber user, std::string room_id, Purpose purpose, std::vector<std::string> user_ids) {
    return [user, room_id = std::move(room_id), purpose, user_ids = std::move(user_ids)](
               storage::Transaction& tx, const Destination& destination) -> Answered<void> {
        if (room_id.empty()) return check_allowed(tx, user, nullptr);
        const auto room = chat::RoomReading::open(tx, room_id, user);
        if (!room) return refuse(no_such_event());
        if (auto allowed = check_allowed(tx, user, &*room); !allowed) return allowed;
        std::vector<std::string> unwilling;
        for (const auto& user_id : user_ids) {
            if (!has_agreed(*room, user_id, purpose, destination)) unwilling.push_back(user_id);
        }
        if (!unwilling.empty()) return refuse(consent_needed(unwilling));
        return {};
    };
}

Answered<chat::RoomReading> open_room(storage::Transaction& tx, std::string_view room_id,
                                      identity::UserNumber user) {
    auto room = chat::RoomReading::open(tx, room_id, user);
    if (!room) {
        return refuse(base::Error{base::ErrorKind::forbidden, "M_FORBIDDEN", "You are not in this room."});
    }
    return std::move(*room);
}

std::optional<Destination> destination_of(const std::optional<egress::Provider>& provider) {
    if (!provider) return std::nullopt;
    return Destination{provider->on_this_machine, provider->name};
}

net::Response refused(Core& core, const Refusal& refusal) {
    core.count_refusal(refusal);
    return answer(refusal);
}

}  // namespace assistant
