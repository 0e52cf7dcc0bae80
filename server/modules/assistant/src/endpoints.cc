#include "endpoints.h"

#include <algorithm>

#include <identity/users.h>

namespace assistant {

identity::UserNumber user_of(const net::Request& request) {
    return identity::UserNumber{request.principal ? request.principal->user_number : 0};
}

Answered<void> check_allowed(storage::Transaction& tx, identity::UserNumber user,
                             const chat::RoomReading& room) {
    if (!budget_settings(tx).ai_enabled || !person_settings(tx, user).ai_enabled) return refuse(ai_off());
    if (!is_ai_allowed(room)) return refuse(forbidden_in_room());
    return {};
}

std::function<Answered<void>(storage::Transaction&, const Destination&)> consent_check(HandOver hand_over) {
    return [hand_over = std::move(hand_over)](storage::Transaction& tx,
                                              const Destination& destination) -> Answered<void> {
        const auto room = open_room(tx, hand_over.room_id, hand_over.user);
        if (!room) return refuse(room.error());
        if (auto allowed = check_allowed(tx, hand_over.user, *room); !allowed) return allowed;
        std::vector<std::string> unwilling;
        for (const auto person : hand_over.consenting) {
            if (!has_agreed(tx, *room, person, hand_over.purpose, destination))
                unwilling.push_back(identity::user_id_of(tx, person).value);
        }
        if (!unwilling.empty()) return refuse(consent_needed(unwilling, destination));
        const auto read = open_room(tx, hand_over.room_id, hand_over.reader);
        if (!read) return refuse(read.error());
        const bool stands = std::ranges::all_of(hand_over.versions,
                                                [&](const auto& version) { return read->stands(version); });
        if (!stands) return refuse(words_changed());
        return {};
    };
}

Answered<chat::RoomReading> open_room(storage::Transaction& tx, std::string_view room_id,
                                      identity::UserNumber user) {
    auto room = chat::RoomReading::open(tx, room_id, user);
    if (!room || room->membership() != chat::Membership::join) {
        return refuse(base::Error{base::ErrorKind::forbidden, "M_FORBIDDEN", "You are not in this room."});
    }
    return std::move(*room);
}

std::vector<Candidate> candidates_of(const std::vector<egress::Provider>& servers) {
    std::vector<Candidate> candidates;
    candidates.reserve(servers.size());
    for (const auto& server : servers)
        candidates.push_back({{server.on_this_machine, server.name, server.model}, server.circuit_open});
    return candidates;
}

net::Response refused(Core& core, const Refusal& refusal) {
    core.count_refusal(refusal);
    return answer(refusal);
}

}  // namespace assistant
