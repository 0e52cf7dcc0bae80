#include "account_store.h"
#include "endpoints.h"
#include "network_store.h"
#include "rules.h"
#include "secret_store.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::int64_t kResetTtlMs = std::int64_t{24} * 60 * 60 * 1000;
constexpr std::size_t kSecretCharacters = 32;

struct Person {
    UserId user_id;
    MemberProfile profile;
};

base::Error bad_token() {
    return {ErrorKind::forbidden, "IM.LINGXI.BAD_RESET_TOKEN",
            "This link was used or has expired; the administrator can give a new one."};
}

}  // namespace

runtime::Task<net::Response> make_reset_link(Core& core, net::Request request) {
    auto token = core.random.alphanumeric(kSecretCharacters);
    const auto now_ms = core.clock.now_ms();
    const auto made = co_await core.database.write(
        order_of(user_of(request)),
        [token, now_ms, id = request.value("userId")](storage::Transaction& tx) -> base::Result<void> {
            const auto user = find_user(tx, id);
            const auto account = user ? find_account(tx, *user) : std::nullopt;
            if (!account || account->is_system) {
                return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such person.");
            }
            if (account->deactivated) {
                return base::fail(ErrorKind::invalid, "M_USER_DEACTIVATED",
                                  "This account has been deactivated.");
            }
            delete_secrets(tx, Purpose::reset, user);
            insert_secret(tx, Purpose::reset, token, user, now_ms, now_ms + kResetTtlMs);
            return {};
        });
    if (!made) co_return matrix_error(made.error());
    co_return net::json(200, base::json::object{{"url", core.options.public_url + "/reset#" + token},
                                                {"expires_at_ms", now_ms + kResetTtlMs}});
}

runtime::Task<net::Response> check_password_reset(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("token");
    if (body.failed()) co_return matrix_error(body.error());
    const auto person = co_await core.database.read([token = std::move(token), now_ms = core.clock.now_ms()](
                                                        storage::Transaction& tx) -> base::Result<Person> {
        const auto secret = find_secret(tx, Purpose::reset, token, now_ms);
        if (!secret || !secret->user) return base::fail(bad_token());
        return Person{user_id_of(tx, *secret->user), member_profile_of(tx, *secret->user)};
    });
    if (!person) co_return matrix_error(person.error());
    base::json::object answer{{"user_id", person->user_id.value}, {"display_name", nullptr}};
    if (person->profile.display_name) answer["display_name"] = *person->profile.display_name;
    co_return net::json(200, base::json::value(std::move(answer)));
}

runtime::Task<net::Response> reset_password(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("token");
    auto password = body.string("new_password");
    if (body.failed()) co_return matrix_error(body.error());
    if (auto strong = check_password(password); !strong) co_return matrix_error(strong.error());
    // Hashing is dear: only for whoever holds a link.
    const auto known = co_await core.database.read(
        [token, now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<void> {
            if (find_secret(tx, Purpose::reset, token, now_ms)) return {};
            return base::fail(bad_token());
        });
    if (!known) co_return matrix_error(known.error());
    auto hash = co_await core.hash(std::move(password));
    if (!hash) co_return matrix_error(hash.error());
    const auto user_id = co_await core.database.write(
        order_of_accounts(),
        [&core, token = std::move(token), hash = std::move(*hash), now_ms = core.clock.now_ms(),
         address = request.peer_address,
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<UserId> {
            const auto secret = take_secret(tx, Purpose::reset, token, now_ms);
            if (!secret || !secret->user) return base::fail(bad_token());
            const auto user = *secret->user;
            set_password_hash(tx, user, hash);
            delete_secrets(tx, Purpose::login, user);
            remove_devices(tx, user, std::nullopt, removed, now_ms);  // whoever knew the old one is out
            // Nobody who guesses keeps them from their next step, the login.
            note_network(tx, user, address, now_ms);
            tx.after_commit([&core, user] { core.tokens.forget_user(user); });
            return user_id_of(tx, user);
        });
    if (!user_id) co_return matrix_error(user_id.error());
    co_return net::json(200, base::json::object{{"user_id", user_id->value}});
}

}  // namespace identity
