#include "account_store.h"
#include "endpoints.h"
#include "network_store.h"
#include "secret_store.h"

#include <base/encoding.h>
#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::int64_t kLoginTokenTtlMs = std::int64_t{2} * 60 * 1000;
constexpr std::size_t kSecretCharacters = 32;
/// Programs log in and never out: what one job removes, lists or tells of stays bounded.
constexpr std::int64_t kDevicesLimit = 500;

base::Error wrong_credentials() {
    return {ErrorKind::forbidden, "M_FORBIDDEN", "The user name or the password is wrong."};
}

/// The localpart that a login names; nothing for another server's people and other kinds of identifier.
/// Errors: M_UNKNOWN (invalid).
base::Result<std::optional<std::string>> named_localpart(const Core& core, Body& body) {
    std::optional<std::string> user = body.optional_string("user");
    if (const auto* identifier = body.optional_object("identifier")) {
        const auto type = base::get_string(*identifier, "type");
        if (type == "m.id.thirdparty" || type == "m.id.phone") return std::optional<std::string>{};
        if (type != "m.id.user") {
            return base::fail(ErrorKind::invalid, "M_UNKNOWN",
                              "Log in by user name: this identifier is not known.");
        }
        const auto name = base::get_string(*identifier, "user");
        if (!name) return base::fail(ErrorKind::invalid, "M_MISSING_PARAM", "'identifier.user' is missing.");
        user = std::string(*name);
    }
    if (!user) return base::fail(ErrorKind::invalid, "M_MISSING_PARAM", "'identifier' is missing.");
    if (!user->starts_with('@')) return user;
    if (server_of(*user) != core.name) return std::optional<std::string>{};
    return std::string(localpart_of(*user));
}

base::Result<Session> open_for(Core& core, storage::Transaction& tx, UserNumber user,
                               const SessionSecrets& secrets, const SessionWish& wish, std::int64_t now_ms) {
    if (!is_active(tx, user)) {
        return base::fail(ErrorKind::forbidden, "M_USER_DEACTIVATED", "This account has been deactivated.");
    }
    if (!wish.device_id || !find_device(tx, user, *wish.device_id))
        make_place_for_device(tx, user, kDevicesLimit, core.hooks.device_removed, now_ms);
    auto session = open_session(tx, user, secrets, wish, now_ms);
    tx.after_commit([&core, user] { core.tokens.forget_user(user); });  // earlier tokens of the device ended
    return session;
}

/// Of whom a login by password speaks.
struct Known {
    std::optional<Account> account;
    bool is_stranger = true;  ///< where the login comes from
};

Known find_known(storage::Transaction& tx, const std::string& name, const std::string& address,
                 std::int64_t now_ms) {
    Known known{.account = find_account(tx, name)};
    if (!known.account) known.account = find_account(tx, base::ascii_lower(name));
    if (known.account) known.is_stranger = !is_known_network(tx, known.account->user, address, now_ms);
    return known;
}

runtime::Task<base::Result<Session>> login_by_password(Core& core, std::optional<std::string> localpart,
                                                       std::string password, SessionWish wish) {
    Known known;
    if (localpart) {
        auto found = co_await core.database.read(
            [name = *localpart, address = wish.address,
             now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<Known> {
                return find_known(tx, name, address, now_ms);
            });
        if (!found) co_return base::fail(std::move(found.error()));
        known = std::move(*found);
    }
    const auto& account = known.account;
    // Who is nobody here is counted under the name that was asked for, so that all answers are alike.
    const auto same =
        co_await core.verify(account ? account->localpart : localpart.value_or(""),
                             GuessOrigin::of_address(wish.address, known.is_stranger),
                             account ? account->password_hash : std::nullopt, std::move(password));
    if (!same) co_return base::fail(same.error());
    if (!*same) co_return base::fail(wrong_credentials());
    co_return co_await core.database.write(
        order_of(account->user),
        [&core, user = account->user, hash = account->password_hash,
         secrets = make_session_secrets(core.random), wish = std::move(wish),
         now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<Session> {
            // The password may have been changed while it was being verified.
            const auto current = find_account(tx, user);
            if (!current || current->password_hash != hash) return base::fail(wrong_credentials());
            return open_for(core, tx, user, secrets, wish, now_ms);
        });
}

runtime::Task<base::Result<Session>> login_by_token(Core& core, std::string token, SessionWish wish) {
    co_return co_await core.database.write(
        order_of_accounts(),
        [&core, token = std::move(token), secrets = make_session_secrets(core.random), wish = std::move(wish),
         now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<Session> {
            const auto secret = take_secret(tx, Purpose::login, token, now_ms);
            if (!secret || !secret->user) {
                return base::fail(ErrorKind::forbidden, "M_FORBIDDEN",
                                  "This login token was used or has expired.");
            }
            return open_for(core, tx, *secret->user, secrets, wish, now_ms);
        });
}

}  // namespace

runtime::Task<net::Response> get_login_flows(Core&, net::Request) {
    co_return net::json(
        200, R"({"flows":[{"type":"m.login.password"},{"type":"m.login.token","get_login_token":true}]})");
}

runtime::Task<net::Response> login(Core& core, net::Request request) {
    Body body(request);
    const auto type = body.string("type");
    auto wish = read_session_wish(core, request, body);
    if (body.failed()) co_return matrix_error(body.error());
    if (!wish) co_return matrix_error(wish.error());

    base::Result<Session> session;
    if (type == "m.login.password") {
        auto password = body.string("password");
        auto localpart = named_localpart(core, body);
        if (body.failed()) co_return matrix_error(body.error());
        if (!localpart) co_return matrix_error(localpart.error());
        session =
            co_await login_by_password(core, std::move(*localpart), std::move(password), std::move(*wish));
    } else if (type == "m.login.token") {
        auto token = body.string("token");
        if (body.failed()) co_return matrix_error(body.error());
        session = co_await login_by_token(core, std::move(token), std::move(*wish));
    } else {
        co_return matrix_error({ErrorKind::invalid, "M_UNKNOWN", "This kind of login is not offered."});
    }
    if (!session) co_return matrix_error(session.error());
    co_return net::json(200, session_json(core, *session));
}

runtime::Task<net::Response> generate_login_token(Core& core, net::Request request) {
    Body body(request);
    if (body.failed()) co_return matrix_error(body.error());
    auto confirmed = co_await ask_password(core, *request.principal, "login_token", body.object());
    if (confirmed.refusal) co_return std::move(*confirmed.refusal);
    auto token = core.random.alphanumeric(kSecretCharacters);
    const auto user = user_of(request);
    const auto kept = co_await core.database.write(
        order_of(user),
        [token, user, hash = std::move(confirmed.password_hash),
         now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<void> {
            if (auto holds = check_confirmed(tx, user, hash); !holds) return holds;
            insert_secret(tx, Purpose::login, token, user, now_ms, now_ms + kLoginTokenTtlMs);
            return {};
        });
    if (!kept) co_return matrix_error(kept.error());
    co_return net::json(200, base::json::object{{"login_token", token}, {"expires_in_ms", kLoginTokenTtlMs}});
}

runtime::Task<net::Response> refresh(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("refresh_token");
    if (body.failed()) co_return matrix_error(body.error());
    const auto session = co_await core.database.write(
        order_of_accounts(),
        [token = std::move(token), secrets = make_session_secrets(core.random),
         ttl_ms = core.options.access_token_ttl_ms,
         now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<Session> {
            // What ends here was never used, so that no cache holds it.
            return refresh_session(tx, token, secrets, ttl_ms, now_ms);
        });
    if (!session) co_return matrix_error(session.error());
    co_return net::json(200, base::json::object{{"access_token", session->access_token},
                                                {"refresh_token", *session->refresh_token},
                                                {"expires_in_ms", *session->expires_in_ms}});
}

runtime::Task<net::Response> logout(Core& core, net::Request request) {
    const auto user = user_of(request);
    const auto done = co_await core.database.write(
        order_of(user),
        [&core, user, device = device_of(request), now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<void> {
            remove_device(tx, user, device, removed, now_ms);
            tx.after_commit([&core, user] { core.tokens.forget_user(user); });
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> logout_all(Core& core, net::Request request) {
    const auto user = user_of(request);
    const auto done = co_await core.database.write(
        order_of(user),
        [&core, user, now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<void> {
            remove_devices(tx, user, std::nullopt, removed, now_ms);
            tx.after_commit([&core, user] { core.tokens.forget_user(user); });
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> get_token_owner(Core&, net::Request request) {
    co_return net::json(200, base::json::object{{"user_id", request.principal->user_id},
                                                {"device_id", request.principal->device_id},
                                                {"is_guest", false}});
}

}  // namespace identity
