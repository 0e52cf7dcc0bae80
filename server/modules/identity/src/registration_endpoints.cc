#include "account_store.h"
#include "directory_key.h"
#include "endpoints.h"
#include "invitation_store.h"
#include "rules.h"

#include <algorithm>

#include <base/encoding.h>
#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::string_view kTokenStage = "m.login.registration_token";
constexpr std::string_view kDummyStage = "m.login.dummy";
constexpr std::size_t kGeneratedCharacters = 8;

base::Error refused(std::string_view code, std::string message) {
    return {ErrorKind::unauthenticated, std::string(code), std::move(message)};
}

struct Admission {
    std::optional<net::Response> refusal;
    std::string session_id;
    std::optional<std::string> invitation;
};

/// Leads a registration through one of its stages.
runtime::Task<Admission> admit(Core& core, base::json::object body) {
    const UiaPurpose purpose{.operation = "register"};
    const auto stages = registration_stages(core.options.registration);
    const auto now_ms = core.clock.now_ms();
    const auto challenge = [&](std::string_view session_id, std::optional<base::Error> error) {
        auto* session = core.uia.find(session_id, purpose, now_ms);
        if (session == nullptr) session = &core.uia.open(core.random, purpose, now_ms);
        return Admission{.refusal = uia_challenge(*session, stages, error)};
    };

    Body outer(std::move(body));
    const auto* given = outer.optional_object("auth");
    if (outer.failed()) co_return Admission{.refusal = matrix_error(outer.error())};
    if (given == nullptr) co_return challenge("", std::nullopt);
    Body auth(*given);
    const auto type = auth.optional_string("type");
    auto session_id = auth.optional_string("session").value_or("");
    auto token = auth.optional_string("token");
    if (auth.failed()) co_return Admission{.refusal = matrix_error(auth.error())};

    const auto* session = core.uia.find(session_id, purpose, now_ms);
    if (session == nullptr && !session_id.empty()) {
        co_return challenge("", refused("M_UNKNOWN", "This registration has expired; please start again."));
    }
    if (session != nullptr && !session->completed_stage.empty()) {
        Admission admission{.session_id = session_id};
        if (!session->registration_token.empty()) admission.invitation = session->registration_token;
        co_return admission;
    }
    if (!type) co_return challenge(session_id, std::nullopt);
    if (std::ranges::find(stages, *type) == stages.end()) {
        co_return challenge(session_id, refused("M_UNRECOGNIZED", "This stage is in none of the flows."));
    }
    if (*type == kTokenStage) {
        if (!token) co_return challenge(session_id, refused("M_MISSING_PARAM", "'token' is missing."));
        const auto usable = co_await is_usable_invitation(core, *token);
        if (!usable) co_return Admission{.refusal = matrix_error(usable.error())};
        if (!*usable)
            co_return challenge(session_id, refused("M_UNAUTHORIZED", "This invitation is not valid."));
    } else {
        token.reset();
    }
    // Others may have come in while the invitation was looked up: find the session anew.
    if (auto* open = core.uia.find(session_id, purpose, now_ms)) {
        open->completed_stage = *type;
        open->registration_token = token.value_or("");
    }
    co_return Admission{.session_id = std::move(session_id), .invitation = std::move(token)};
}

/// What `username` says: a localpart, or the whole id.
base::Result<std::string> wanted_localpart(const Core& core, std::string username) {
    if (username.starts_with('@')) {
        if (server_of(username) != core.name) {
            return base::fail(ErrorKind::invalid, "M_INVALID_USERNAME", "This id is not of this server.");
        }
        username = localpart_of(username);
    }
    username = base::ascii_lower(username);
    if (auto legal = check_localpart(username, core.name); !legal) return base::fail(legal.error());
    return username;
}

runtime::Task<base::Result<void>> check_free(Core& core, std::string localpart) {
    co_return co_await core.database.read(
        [localpart = std::move(localpart)](storage::Transaction& tx) -> base::Result<void> {
            if (!is_localpart_taken(tx, localpart)) return {};
            return base::fail(ErrorKind::conflict, "M_USER_IN_USE", "This user name is taken.");
        });
}

base::Error closed() {
    return {ErrorKind::forbidden, "M_FORBIDDEN", "This server does not take registrations."};
}

}  // namespace

std::vector<std::string> registration_stages(Registration registration) {
    if (registration == Registration::open) return {std::string(kDummyStage), std::string(kTokenStage)};
    return {std::string(kTokenStage)};
}

runtime::Task<base::Result<bool>> is_usable_invitation(Core& core, std::string token) {
    co_return co_await core.database.read([token = std::move(token), now_ms = core.clock.now_ms()](
                                              storage::Transaction& tx) -> base::Result<bool> {
        return find_invitation(tx, token, now_ms).has_value();
    });
}

runtime::Task<net::Response> register_account(Core& core, net::Request request) {
    const auto kind = request.query.get("kind").value_or("user");
    if (kind == "guest") {
        co_return matrix_error({ErrorKind::forbidden, "M_FORBIDDEN", "This server has no guests."});
    }
    if (kind != "user")
        co_return matrix_error({ErrorKind::invalid, "M_INVALID_PARAM", "'kind' is guest or user."});
    if (core.options.registration == Registration::closed || !core.is_set_up())
        co_return matrix_error(closed());

    Body body(request);
    auto username = body.optional_string("username");
    auto password = body.optional_string("password");
    const bool inhibit_login = body.boolean("inhibit_login", false);
    auto wish = read_session_wish(core, request, body);
    if (body.failed()) co_return matrix_error(body.error());
    if (!wish) co_return matrix_error(wish.error());

    // Before the stages, so that a person learns of a taken name first.
    std::string localpart;
    if (username && !username->empty()) {
        auto wanted = wanted_localpart(core, std::move(*username));
        if (!wanted) co_return matrix_error(wanted.error());
        localpart = std::move(*wanted);
        if (auto free = co_await check_free(core, localpart); !free) co_return matrix_error(free.error());
    }
    if (password) {
        if (auto strong = check_password(*password); !strong) co_return matrix_error(strong.error());
    }
    auto admission = co_await admit(core, body.object());
    if (admission.refusal) co_return std::move(*admission.refusal);
    if (!password) co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'password' is missing."});
    if (localpart.empty())
        localpart = "u" + base::ascii_lower(core.random.alphanumeric(kGeneratedCharacters));

    auto hash = co_await core.hash(std::move(*password));
    if (!hash) co_return matrix_error(hash.error());
    Joining joining{.localpart = std::move(localpart),
                    .password_hash = std::move(*hash),
                    .invitation = std::move(admission.invitation),
                    .server_name = core.name,
                    .secrets = make_session_secrets(core.random)};
    if (!inhibit_login) joining.session = std::move(*wish);
    const auto joined = co_await join(core, std::move(joining));
    if (!joined) co_return matrix_error(joined.error());
    core.uia.close(admission.session_id);
    co_await core.tell(joined->news_number);
    if (joined->session) co_return net::json(200, session_json(core, *joined->session));
    co_return net::json(200,
                        base::json::object{{"user_id", joined->user_id.value}, {"home_server", core.name}});
}

runtime::Task<net::Response> check_username_availability(Core& core, net::Request request) {
    const auto username = request.query.get("username");
    if (!username) co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'username' is missing."});
    const auto wanted = wanted_localpart(core, std::string(*username));
    if (!wanted) co_return matrix_error(wanted.error());
    if (auto free = co_await check_free(core, *wanted); !free) co_return matrix_error(free.error());
    co_return net::json(200, R"({"available":true})");
}

runtime::Task<net::Response> registration_token_validity(Core& core, net::Request request) {
    if (core.options.registration == Registration::closed) co_return matrix_error(closed());
    const auto token = request.query.get("token");
    if (!token) co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'token' is missing."});
    const auto usable = co_await is_usable_invitation(core, std::string(*token));
    if (!usable) co_return matrix_error(usable.error());
    co_return net::json(200, base::json::object{{"valid", *usable}});
}

runtime::Task<net::Response> offer_localpart(Core& core, net::Request request) {
    const auto name = request.query.get("name");
    if (!name) co_return matrix_error({ErrorKind::invalid, "M_MISSING_PARAM", "'name' is missing."});
    if (name->size() > 256 || !base::is_utf8(*name)) {
        co_return matrix_error({ErrorKind::invalid, "M_INVALID_PARAM", "This is no name."});
    }
    // ICU's rules are slow to make and not for the I/O thread: the reader's thread has them.
    const auto offered =
        co_await core.database.read([name = std::string(*name), server = core.name](
                                        storage::Transaction& tx) -> base::Result<std::string> {
            auto wanted = localpart_from_name(name);
            if (wanted.empty()) wanted = "user";
            auto candidate = wanted;
            for (int number = 2; number < 10'000; ++number) {
                if (check_localpart(candidate, server) && !is_localpart_taken(tx, candidate))
                    return candidate;
                candidate = wanted + std::to_string(number);
            }
            return base::fail(ErrorKind::conflict, "M_USER_IN_USE", "Every user name like this is taken.");
        });
    if (!offered) co_return matrix_error(offered.error());
    co_return net::json(200, base::json::object{{"localpart", *offered}});
}

}  // namespace identity
