#include "account_store.h"
#include "closing.h"
#include "endpoints.h"
#include "network_store.h"
#include "rules.h"
#include "secret_store.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::int64_t kOpenIdTtlMs = std::int64_t{60} * 60 * 1000;
constexpr std::size_t kSecretCharacters = 32;

}  // namespace

std::int64_t close_account(storage::Transaction& tx, Core& core, const DeviceRemoved& removed,
                           UserNumber user, bool erase, std::int64_t now_ms) {
    remove_devices(tx, user, std::nullopt, removed, now_ms);
    forget_networks(tx, user);
    for (const auto purpose : {Purpose::reset, Purpose::login, Purpose::openid})
        delete_secrets(tx, purpose, user);
    mark_deactivated(tx, user, now_ms, erase);
    const bool has_admin = count_admins(tx) > 0;
    tx.after_commit([&core, user, has_admin] {
        core.tokens.forget_user(user);
        core.has_admin = has_admin;
    });
    return insert_news(tx, NewsKind::account_deactivated, user, {{"erase", erase}}, now_ms);
}

runtime::Task<net::Response> change_password(Core& core, net::Request request) {
    Body body(request);
    auto password = body.optional_string("new_password");
    const bool logout_devices = body.boolean("logout_devices", true);
    if (body.failed()) co_return matrix_error(body.error());
    if (password) {
        if (auto strong = check_password(*password); !strong) co_return matrix_error(strong.error());
    }
    // Clients ask without one what they have to confirm by; the confirmation itself is not used up for
    // nothing.
    if (!password && body.has("auth")) {
        co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'new_password' is missing."});
    }
    auto confirmed = co_await ask_password(core, *request.principal, "change_password", body.object());
    if (confirmed.refusal) co_return std::move(*confirmed.refusal);
    auto hash = co_await core.hash(std::move(*password));
    if (!hash) co_return matrix_error(hash.error());
    const auto user = user_of(request);
    const auto done = co_await core.database.write(
        order_of(user),
        [&core, user, hash = std::move(*hash), old_hash = std::move(confirmed.password_hash), logout_devices,
         device = device_of(request), now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<void> {
            if (auto holds = check_confirmed(tx, user, old_hash); !holds) return holds;
            set_password_hash(tx, user, hash);
            for (const auto purpose : {Purpose::reset, Purpose::login}) delete_secrets(tx, purpose, user);
            if (logout_devices) remove_devices(tx, user, device, removed, now_ms);
            tx.after_commit([&core, user] { core.tokens.forget_user(user); });
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> deactivate_account(Core& core, net::Request request) {
    Body body(request);
    const bool erase = body.boolean("erase", false);
    if (body.failed()) co_return matrix_error(body.error());
    auto confirmed = co_await ask_password(core, *request.principal, "deactivate", body.object());
    if (confirmed.refusal) co_return std::move(*confirmed.refusal);
    const auto user = user_of(request);
    const auto news = co_await core.database.write(
        order_of(user),
        [&core, user, erase, hash = std::move(confirmed.password_hash), now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<std::int64_t> {
            if (auto holds = check_confirmed(tx, user, hash); !holds) return base::fail(holds.error());
            return close_account(tx, core, removed, user, erase, now_ms);
        });
    if (!news) co_return matrix_error(news.error());
    co_await core.tell(*news);
    // No account has identifiers of other kinds here: there is nothing to unbind.
    co_return net::json(200, R"({"id_server_unbind_result":"success"})");
}

runtime::Task<net::Response> get_account_3pids(Core&, net::Request) {
    co_return net::json(200, R"({"threepids":[]})");
}

runtime::Task<net::Response> refuse_3pid(Core&, net::Request) {
    co_return matrix_error({ErrorKind::forbidden, "M_THREEPID_DENIED",
                            "This server keeps no e-mail addresses or telephone numbers."});
}

runtime::Task<net::Response> refuse_3pid_medium(Core&, net::Request) {
    co_return matrix_error({ErrorKind::invalid, "M_THREEPID_MEDIUM_NOT_SUPPORTED",
                            "This server keeps no e-mail addresses or telephone numbers."});
}

runtime::Task<net::Response> no_3pid_password_reset(Core&, net::Request) {
    co_return matrix_error({ErrorKind::invalid, "M_THREEPID_NOT_FOUND",
                            "Passwords are reset by a link that the administrator gives."});
}

runtime::Task<net::Response> forget_3pid(Core&, net::Request request) {
    Body body(request);
    body.string("medium");
    body.string("address");
    if (body.failed()) co_return matrix_error(body.error());
    co_return net::json(200, R"({"id_server_unbind_result":"no-support"})");
}

runtime::Task<net::Response> request_open_id_token(Core& core, net::Request request) {
    if (const Body body(request); body.failed()) co_return matrix_error(body.error());
    if (request.value("userId") != request.principal->user_id) {
        co_return matrix_error({ErrorKind::forbidden, "M_FORBIDDEN", "This is not your account."});
    }
    auto token = core.random.alphanumeric(kSecretCharacters);
    const auto user = user_of(request);
    const auto kept = co_await core.database.write(
        order_of(user),
        [token, user, now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<void> {
            insert_secret(tx, Purpose::openid, token, user, now_ms, now_ms + kOpenIdTtlMs);
            return {};
        });
    if (!kept) co_return matrix_error(kept.error());
    co_return net::json(200, base::json::object{{"access_token", token},
                                                {"token_type", "Bearer"},
                                                {"matrix_server_name", core.name},
                                                {"expires_in", kOpenIdTtlMs / 1000}});
}

runtime::Task<net::Response> exchange_open_id_token(Core& core, net::Request request) {
    const auto token = request.query.get("access_token");
    if (!token) {
        co_return matrix_error({ErrorKind::unauthenticated, "M_MISSING_TOKEN", "'access_token' is missing."});
    }
    const auto user_id =
        co_await core.database.read([token = std::string(*token), now_ms = core.clock.now_ms()](
                                        storage::Transaction& tx) -> base::Result<UserId> {
            const auto secret = find_secret(tx, Purpose::openid, token, now_ms);
            if (!secret || !secret->user) {
                return base::fail(ErrorKind::unauthenticated, "M_UNKNOWN_TOKEN",
                                  "The token is unknown or expired.");
            }
            return user_id_of(tx, *secret->user);
        });
    if (!user_id) co_return matrix_error(user_id.error());
    co_return net::json(200, base::json::object{{"sub", user_id->value}});
}

}  // namespace identity
