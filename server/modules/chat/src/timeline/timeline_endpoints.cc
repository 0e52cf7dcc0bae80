#include "endpoints.h"
#include "event/canonical_json.h"
#include "timeline/timeline.h"

#include <base/json.h>
#include <identity/body.h>
#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::size_t kBodyLimitBytes = 512 * 1024;  // the route's limit is what holds

base::Result<base::json::object> read_content(const net::Request& request) {
    auto body = base::parse_json(request.body, kBodyLimitBytes);
    if (!body) return base::fail(std::move(body.error()));
    if (!body->is_object()) {
        return base::fail(base::ErrorKind::invalid, "M_BAD_JSON", "An event's content is a JSON object.");
    }
    return std::move(body->get_object());
}

net::Response event_id_answer(const base::Result<EventId>& sent) {
    if (!sent) return identity::matrix_error(sent.error());
    return net::json(200, R"({"event_id":")" + sent->value + R"("})");
}

}  // namespace

Answer send_message_endpoint(Core& core, net::Request request) {
    auto content = read_content(request);
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
    auto content = read_content(request);
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
