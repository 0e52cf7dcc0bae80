#include "endpoints.h"

namespace assistant {

namespace json = base::json;

Task<net::Response> get_assist_status(Core& core, net::Request request) {
    core.warm_chips();  // a client of ours has come, and opens a chat next
    const auto provider = co_await core.preferred();
    const auto user = user_of(request);
    const std::string room_id(request.query.get("room_id").value_or(""));
    auto status = co_await read_answered<json::object>(
        core,
        [user, room_id, now_ms = core.clock.now_ms()](storage::Transaction& tx) -> Answered<json::object> {
            const auto spending = spending_today(tx, user, now_ms);
            const bool enabled = budget_settings(tx).ai_enabled && person_settings(tx, user).ai_enabled;
            json::object object{{"ai_enabled", enabled},
                                {"budget",
                                 {{"used_tokens", spending.used_tokens},
                                  {"cap_tokens", spending.cap_tokens},
                                  {"resets_at_ms", spending.resets_at_ms}}},
                                {"policy", "allowed"},
                                {"consents", json::array()}};
            if (room_id.empty()) return object;
            const auto room = open_room(tx, room_id, user);
            if (!room) return refuse(room.error());
            if (!is_ai_allowed(*room)) object["policy"] = "forbidden";
            object["consents"] = consents_of(tx, *room);
            return object;
        });
    if (!status) co_return refused(core, status.error());
    (*status)["model"] = nullptr;
    if (provider) {
        (*status)["model"] = json::object{{"available", true},
                                          {"provider", provider->name},
                                          {"model", provider->model},
                                          {"on_this_machine", provider->on_this_machine}};
    }
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
