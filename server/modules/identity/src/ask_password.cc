#include "account_store.h"
#include "core.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

const std::vector<std::string>& stages() {
    static const std::vector<std::string> only{"m.login.password"};
    return only;
}

/// Whether `auth` names the account that asks: by id or localpart, in the present or the legacy way, spelt as
/// a login may be.
bool names(Body& auth, const net::Principal& principal) {
    std::optional<std::string> user = auth.optional_string("user");
    if (const auto* identifier = auth.optional_object("identifier")) {
        if (base::get_string(*identifier, "type") != "m.id.user") return false;
        if (const auto name = base::get_string(*identifier, "user")) user = std::string(*name);
    }
    if (!user) return false;
    const auto is_own = [&](std::string_view name) {
        return name == principal.user_id || name == localpart_of(principal.user_id);
    };
    return is_own(*user) || is_own(base::ascii_lower(*user));
}

}  // namespace

base::Result<void> check_confirmed(storage::Transaction& tx, UserNumber user,
                                   std::string_view password_hash) {
    const auto account = find_account(tx, user);
    if (account && !account->deactivated && account->password_hash == password_hash) return {};
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                      "The password was changed meanwhile; please confirm again.");
}

runtime::Task<Confirmation> ask_password(Core& core, net::Principal principal, std::string operation,
                                         base::json::object body) {
    const UiaPurpose purpose{.operation = std::move(operation),
                             .user_number = principal.user_number,
                             .device_number = principal.device_number};
    const auto now_ms = core.clock.now_ms();
    const auto challenge = [&](std::string_view session_id, std::optional<base::Error> error) {
        auto* session = core.uia.find(session_id, purpose, now_ms);
        if (session == nullptr) session = &core.uia.open(core.random, purpose, now_ms);
        return Confirmation{.refusal = uia_challenge(*session, stages(), error)};
    };
    const auto error = [](std::string_view code, std::string message) {
        return base::Error{base::ErrorKind::unauthenticated, std::string(code), std::move(message)};
    };

    Body outer(std::move(body));
    const auto* given = outer.optional_object("auth");
    if (outer.failed()) co_return Confirmation{.refusal = matrix_error(outer.error())};
    if (given == nullptr) co_return challenge("", std::nullopt);

    Body auth(*given);
    const auto session_id = auth.optional_string("session").value_or("");
    const auto type = auth.optional_string("type");
    const auto password = auth.optional_string("password");
    const bool is_own = names(auth, principal);
    if (auth.failed()) co_return Confirmation{.refusal = matrix_error(auth.error())};
    if (!session_id.empty() && core.uia.find(session_id, purpose, now_ms) == nullptr) {
        co_return challenge("", error("M_UNKNOWN", "This confirmation has expired; please confirm again."));
    }
    if (const auto* session = core.uia.find(session_id, purpose, now_ms);
        session != nullptr && !session->completed_stage.empty()) {  // on the stage's own page
        Confirmation confirmation{.password_hash = session->password_hash};
        core.uia.close(session_id);
        co_return confirmation;
    }
    if (!type) co_return challenge(session_id, std::nullopt);
    if (*type != "m.login.password") {
        co_return challenge(session_id, error("M_UNRECOGNIZED", "Only the password can confirm this."));
    }
    if (!password) co_return challenge(session_id, error("M_MISSING_PARAM", "'password' is missing."));
    if (!is_own) co_return challenge(session_id, error("M_FORBIDDEN", "Confirm with your own account."));

    const auto account =
        co_await core.database.read([user = UserNumber{principal.user_number}](
                                        storage::Transaction& tx) -> base::Result<std::optional<Account>> {
            return find_account(tx, user);
        });
    if (!account) co_return Confirmation{.refusal = matrix_error(account.error())};
    const auto same = co_await core.verify(std::string(localpart_of(principal.user_id)),
                                           GuessOrigin::of_session(principal.device_number),
                                           *account ? (*account)->password_hash : std::nullopt, *password);
    if (!same) co_return Confirmation{.refusal = matrix_error(same.error())};
    if (!*same) co_return challenge(session_id, error("M_FORBIDDEN", "The password is wrong."));
    core.uia.close(session_id);  // one confirmation, one deed
    co_return Confirmation{.password_hash = *(*account)->password_hash};
}

}  // namespace identity
