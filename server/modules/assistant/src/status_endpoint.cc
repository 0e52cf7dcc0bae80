#include "endpoints.h"

#include <algorithm>

#include <identity/users.h>

namespace assistant {

namespace json = base::json;

namespace {

/// Where what others say in the room would go if it were handed over now: a card that this person writes asks
/// for that, as the call after it will.
const Candidate* choose_for(const json::array& consents, std::string_view reader_id,
                            const std::vector<Candidate>& candidates) {
    std::vector<const json::object*> others;
    for (const auto& consent : consents) {
        const auto& entry = consent.as_object();
        if (base::get_string(entry, "user_id") != reader_id) others.push_back(&entry);
    }
    return choose_server(candidates, others.size(), [&](const Destination& destination) {
        return static_cast<std::size_t>(std::ranges::count_if(others, [&](const json::object* consent) {
            const auto* agreed = base::get_object(*consent, "destination");
            return agreed != nullptr && reaches(*agreed, destination);
        }));
    });
}

/// A server that rests is named all the same: it is set up, and nobody need be asked about another.
json::value shown(const Candidate* server, const std::vector<Candidate>& candidates) {
    if (server == nullptr && !candidates.empty()) server = &candidates.front();
    if (server == nullptr) return nullptr;
    return json::object{{"available", !server->is_resting},
                        {"provider", server->destination.provider_name},
                        {"model", server->destination.model},
                        {"on_this_machine", server->destination.on_this_machine}};
}

}  // namespace

Task<net::Response> get_assist_status(Core& core, net::Request request) {
    core.warm_chips();  // a client of ours has come, and opens a chat next
    auto candidates = candidates_of(co_await core.model_servers());
    const auto user = user_of(request);
    const std::string room_id(request.query.get("room_id").value_or(""));
    auto status = co_await read_answered<json::object>(
        core,
        [user, room_id, candidates = std::move(candidates),
         now_ms = core.clock.now_ms()](storage::Transaction& tx) -> Answered<json::object> {
            const auto spending = spending_today(tx, user, now_ms);
            const bool enabled = budget_settings(tx).ai_enabled && person_settings(tx, user).ai_enabled;
            json::object object{{"ai_enabled", enabled},
                                {"budget",
                                 {{"used_tokens", spending.used_tokens},
                                  {"cap_tokens", spending.cap_tokens},
                                  {"resets_at_ms", spending.resets_at_ms}}},
                                {"policy", "allowed"},
                                {"model", shown(choose_for({}, "", candidates), candidates)},
                                {"consents", json::array()}};
            if (room_id.empty()) return object;
            const auto room = open_room(tx, room_id, user);
            if (!room) return refuse(room.error());
            if (!is_ai_allowed(*room)) object["policy"] = "forbidden";
            auto consents = consents_of(tx, *room, user);
            object["model"] =
                shown(choose_for(consents, identity::user_id_of(tx, user).value, candidates), candidates);
            object["consents"] = std::move(consents);
            return object;
        });
    if (!status) co_return refused(core, status.error());
    (*status)["assistant_user_id"] =
        core.assistant_user_id.empty() ? json::value(nullptr) : json::value(core.assistant_user_id);
    co_return net::json(200, json::value(std::move(*status)));
}

Task<net::Response> get_label_key(Core& core, net::Request /*request*/) {
    if (!core.labels) co_return refused(core, model_unavailable("The assistant is still starting."));
    co_return net::json(
        200, json::value(json::object{{"algorithm", "ed25519"}, {"public_key", core.labels->public_key()}}));
}

}  // namespace assistant
