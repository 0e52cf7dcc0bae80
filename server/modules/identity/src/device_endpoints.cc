#include "endpoints.h"
#include "rules.h"

#include <base/encoding.h>
#include <identity/body.h>
#include <identity/matrix_error.h>
#include <identity/users.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kDeviceNameLimitBytes = 256;
constexpr std::size_t kDevicesAtOnce = 1000;

base::json::object device_json(const Device& device) {
    base::json::object body{{"device_id", device.device_id}};
    if (device.display_name) body["display_name"] = *device.display_name;
    if (device.last_seen_at_ms) body["last_seen_ts"] = *device.last_seen_at_ms;
    if (device.last_seen_address && !device.last_seen_address->empty()) {
        body["last_seen_ip"] = *device.last_seen_address;
    }
    return body;
}

base::Error no_such_device() {
    return {ErrorKind::not_found, "M_NOT_FOUND", "You have no device with this id."};
}

/// Removes those of the named devices that there are.
runtime::Task<base::Result<void>> remove_named(Core& core, UserNumber user, std::string confirmed_hash,
                                               std::vector<std::string> device_ids) {
    co_return co_await core.database.write(
        order_of(user),
        [&core, user, hash = std::move(confirmed_hash), device_ids = std::move(device_ids),
         now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<void> {
            if (auto holds = check_confirmed(tx, user, hash); !holds) return holds;
            for (const auto& id : device_ids) {
                if (const auto device = find_device(tx, user, id))
                    remove_device(tx, user, *device, removed, now_ms);
            }
            tx.after_commit([&core, user] { core.tokens.forget_user(user); });
            return {};
        });
}

}  // namespace

runtime::Task<net::Response> get_devices(Core& core, net::Request request) {
    const auto devices = co_await core.database.read(
        [user = user_of(request)](storage::Transaction& tx) -> base::Result<std::vector<Device>> {
            return list_devices(tx, user);
        });
    if (!devices) co_return matrix_error(devices.error());
    base::json::array rows;
    for (const auto& device : *devices) rows.push_back(device_json(device));
    co_return net::json(200, base::json::object{{"devices", std::move(rows)}});
}

runtime::Task<net::Response> get_device(Core& core, net::Request request) {
    const auto device = co_await core.database.read([user = user_of(request), id = request.value("deviceId")](
                                                        storage::Transaction& tx) -> base::Result<Device> {
        auto found = find_device_row(tx, user, id);
        if (!found) return base::fail(no_such_device());
        return *std::move(found);
    });
    if (!device) co_return matrix_error(device.error());
    co_return net::json(200, device_json(*device));
}

runtime::Task<net::Response> update_device(Core& core, net::Request request) {
    Body body(request);
    auto name = body.optional_string("display_name");
    if (body.failed()) co_return matrix_error(body.error());
    if (name) name = std::string(base::utf8_prefix(*name, kDeviceNameLimitBytes));
    const auto user = user_of(request);
    const auto done = co_await core.database.write(
        order_of(user),
        [user, id = request.value("deviceId"), name](storage::Transaction& tx) -> base::Result<void> {
            const bool known =
                name ? rename_device(tx, user, id, name) : find_device(tx, user, id).has_value();
            if (!known) return base::fail(no_such_device());
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> delete_device(Core& core, net::Request request) {
    Body body(request);
    if (body.failed()) co_return matrix_error(body.error());
    // Kept in memory until it is confirmed.
    if (auto legal = check_device_id(request.value("deviceId")); !legal)
        co_return matrix_error(legal.error());
    // The device is part of what is confirmed: a confirmation for one removes no other.
    auto operation = "delete_device " + request.value("deviceId");
    auto confirmed = co_await ask_password(core, *request.principal, std::move(operation), body.object());
    if (confirmed.refusal) co_return std::move(*confirmed.refusal);
    const auto done = co_await remove_named(core, user_of(request), std::move(confirmed.password_hash),
                                            {request.value("deviceId")});
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> delete_devices(Core& core, net::Request request) {
    Body body(request);
    const auto* named = body.optional_array("devices");
    if (body.failed()) co_return matrix_error(body.error());
    if (named == nullptr) {
        co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'devices' is missing."});
    }
    std::vector<std::string> ids;
    for (const auto& id : *named) {
        if (!id.is_string()) {
            co_return matrix_error({ErrorKind::invalid, "M_BAD_JSON", "'devices' holds device ids."});
        }
        ids.emplace_back(id.get_string());
    }
    if (ids.size() > kDevicesAtOnce) {
        co_return matrix_error({ErrorKind::invalid, "M_INVALID_PARAM", "At most 1000 devices at once."});
    }
    auto confirmed = co_await ask_password(core, *request.principal, "delete_devices", body.object());
    if (confirmed.refusal) co_return std::move(*confirmed.refusal);
    const auto done =
        co_await remove_named(core, user_of(request), std::move(confirmed.password_hash), std::move(ids));
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

}  // namespace identity
