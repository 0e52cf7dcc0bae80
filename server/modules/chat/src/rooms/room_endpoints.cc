#include "endpoints.h"
#include "rooms/room_plan.h"
#include "rooms/room_upgrade.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace chat {

Answer create_room_endpoint(Core& core, net::Request request) {
    if (request.body.empty()) request.body = "{}";
    auto object = co_await read_object(core, std::move(request.body));
    if (!object) co_return identity::matrix_error(object.error());
    identity::Body body(std::move(*object));
    if (body.failed()) co_return identity::matrix_error(body.error());
    auto plan = read_room_plan(body);
    if (!plan) co_return identity::matrix_error(plan.error());
    const auto made = co_await create_room(core, actor_of(request), std::move(*plan));
    if (!made) co_return identity::matrix_error(made.error());
    co_return net::json(200, base::json::value{{"room_id", made->value}});
}

Answer upgrade_room(Core& core, net::Request request) {
    identity::Body body(request);
    UpgradePlan plan{.room_id = request.value("roomId"), .version = {}, .additional_creators = {}};
    const auto version_text = body.string("new_version");
    const auto* creators = body.optional_array("additional_creators");
    if (body.failed()) co_return identity::matrix_error(body.error());
    const auto version = parse_room_version(version_text);
    if (!version) {
        co_return identity::matrix_error({base::ErrorKind::invalid, "M_UNSUPPORTED_ROOM_VERSION",
                                          "This server makes rooms of versions 11 and 12."});
    }
    plan.version = *version;
    // Where the version knows none they are ignored, whatever they are.
    if (creators != nullptr && creators_rule(*version)) {
        for (const auto& entry : *creators) {
            if (!entry.is_string() || !identity::is_user_id(entry.get_string())) {
                co_return identity::matrix_error(
                    {base::ErrorKind::invalid, "M_INVALID_PARAM", "'additional_creators' holds user ids."});
            }
            plan.additional_creators.emplace_back(entry.get_string());
        }
    }
    const auto replacement = co_await upgrade(core, actor_of(request), std::move(plan));
    if (!replacement) co_return identity::matrix_error(replacement.error());
    co_return net::json(200, base::json::value{{"replacement_room", replacement->value}});
}

}  // namespace chat
