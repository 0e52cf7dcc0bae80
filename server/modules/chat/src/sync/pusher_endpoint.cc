#include "sync/endpoints.h"
#include "sync/pusher_store.h"

#include <array>

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;

constexpr std::size_t kAppIdLimitBytes = 64;
constexpr std::size_t kPushkeyLimitBytes = 512;
constexpr std::size_t kPusherLimit = 100;
constexpr std::array<std::string_view, 3> kTexts = {"app_display_name", "device_display_name", "lang"};

std::unexpected<base::Error> invalid(std::string_view code, std::string message) {
    return base::fail(ErrorKind::invalid, code, std::move(message));
}

/// What is asked of a pusher: none where it is to be deleted.
struct PusherWish {
    std::string app_id;
    std::string pushkey;
    std::optional<std::string> json;
    bool append = false;
};

base::Result<void> check_data(const base::json::object& body) {
    const auto* data = base::get_object(body, "data");
    if (data == nullptr) return invalid("M_MISSING_PARAM", "Missing parameters: data");
    if (data->contains("format") && base::get_string(*data, "format") != "event_id_only")
        return invalid("M_INVALID_PARAM", "'format' is 'event_id_only', or absent.");
    const auto url = base::get_string(*data, "url");
    if (!url) return invalid("M_MISSING_PARAM", "Missing parameters: data.url");
    if (!url->starts_with("https://") || !url->ends_with("/_matrix/push/v1/notify"))
        return invalid("M_INVALID_PARAM", "'url' has to be https and end in /_matrix/push/v1/notify.");
    return {};
}

base::Result<PusherWish> read_pusher(const base::json::object& body) {
    const auto app_id = base::get_string(body, "app_id");
    const auto pushkey = base::get_string(body, "pushkey");
    const auto* kind = body.if_contains("kind");
    if (!app_id || !pushkey || kind == nullptr)
        return invalid("M_MISSING_PARAM", "Missing parameters: app_id, pushkey or kind");
    if (app_id->size() > kAppIdLimitBytes || pushkey->size() > kPushkeyLimitBytes)
        return invalid("M_INVALID_PARAM", "'app_id' has at most 64 bytes, 'pushkey' 512.");
    if (base::has_wrong_type(body, "append", base::json::kind::bool_))
        return invalid("M_BAD_JSON", "'append' is true or false.");
    if (base::has_wrong_type(body, "profile_tag", base::json::kind::string))
        return invalid("M_BAD_JSON", "'profile_tag' is a string.");
    PusherWish wish{std::string(*app_id), std::string(*pushkey), std::nullopt,
                    base::get_bool(body, "append").value_or(false)};
    if (kind->is_null()) return wish;
    if (!kind->is_string() || kind->get_string() != "http")
        return invalid("M_INVALID_PARAM", "Pushers are of kind 'http'.");
    base::json::object shown;
    for (const auto name : kTexts) {
        const auto text = base::get_string(body, name);
        if (!text) return invalid("M_MISSING_PARAM", "Missing parameters: " + std::string(name));
        shown[name] = *text;
    }
    if (auto checked = check_data(body); !checked) return base::fail(checked.error());
    for (const std::string_view name : {"app_id", "pushkey", "kind", "profile_tag", "data"}) {
        if (const auto* value = body.if_contains(name)) shown[name] = *value;
    }
    wish.json = base::json::serialize(shown);
    return wish;
}

}  // namespace

runtime::Task<net::Response> get_pushers(SyncCore& core, net::Request request) {
    auto pushers = co_await core.database.read(
        [user = caller_of(request).user](storage::Transaction& tx) -> base::Result<std::string> {
            std::string out(R"({"pushers":[)");
            for (const auto& pusher : pushers_of(tx, user)) {
                if (out.back() != '[') out.push_back(',');
                out.append(pusher.json);
            }
            return out.append("]}");
        });
    if (!pushers) co_return matrix_error(pushers.error());
    co_return net::json(200, std::move(*pushers));
}

runtime::Task<net::Response> post_pusher(SyncCore& core, net::Request request) {
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    auto wish = read_pusher(*body);
    if (!wish) co_return matrix_error(wish.error());
    const auto caller = caller_of(request);
    auto done = co_await core.database.write(
        {"user:" + std::to_string(caller.user.value)},
        [caller, wish = std::move(*wish)](storage::Transaction& tx) -> base::Result<void> {
            if (!wish.json) {
                delete_pusher(tx, caller.user, wish.app_id, wish.pushkey);
                return {};
            }
            if (!wish.append) delete_other_pushers(tx, caller.user, wish.app_id, wish.pushkey);
            if (pushers_of(tx, caller.user).size() >= kPusherLimit)
                return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                                  "There are too many pushers.");
            put_pusher(tx, {caller.user, wish.app_id, wish.pushkey, caller.device, *wish.json});
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> get_turn_server(SyncCore&, net::Request) {
    // No relay: clients then try to reach each other directly.
    co_return net::json(200, R"({"username":"","password":"","uris":[],"ttl":86400})");
}

}  // namespace chat
