#include "endpoints.h"
#include "event/canonical_json.h"
#include "timeline/timeline.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace chat {
namespace {

net::Response event_id_answer(const base::Result<EventId>& sent) {
    if (!sent) return identity::matrix_error(sent.error());
    return net::json(200, R"({"event_id":")" + sent->value + R"("})");
}

}  // namespace

Answer send_message_endpoint(Core& core, net::Request request) {
    auto content = co_await read_object(core, std::move(request.body));
    if (!content) co_return identity::matrix_error(content.error());
    const auto actor = actor_of(request);
    const auto& type = request.value("eventType");
    if (auto allowed = core.check_content(actor.user, type, *content); !allowed) {
        co_return identity::matrix_error(allowed.error());
    }
    co_return event_id_answer(co_await send_message(core, actor, request.value("roomId"), type,
                                                    std::move(*content),
                                                    Txn{"send", request.value("txnId")}));
}

Answer redact_event(Core& core, net::Request request) {
    identity::Body body(request);
    const auto reason = body.optional_string("reason");
    if (body.failed()) co_return identity::matrix_error(body.error());
    base::json::object content{{"redacts", request.value("eventId")}};
    if (reason) content["reason"] = *reason;
    co_return event_id_answer(co_await send_message(
        core, actor_of(request), request.value("roomId"), "m.room.redaction", std::move(content),
        Txn{"redact/" + request.value("eventId"), request.value("txnId")}));
}

Answer set_room_state_with_key(Core& core, net::Request request) {
    auto content = co_await read_object(core, std::move(request.body));
    if (!content) co_return identity::matrix_error(content.error());
    const auto actor = actor_of(request);
    const auto& type = request.value("eventType");
    if (auto allowed = core.check_content(actor.user, type, *content); !allowed) {
        co_return identity::matrix_error(allowed.error());
    }
    co_return event_id_answer(co_await set_state(core, actor, request.value("roomId"), type,
                                                 request.value("stateKey"), std::move(*content)));
}

}  // namespace chat
