#include "account_store.h"
#include "endpoints.h"

#include <algorithm>
#include <array>

#include <base/encoding.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kNonceCharacters = 24;
constexpr std::string_view kField = "value=";

/// What a stage asks for, on a page of its own: clients that do not know the stage open it in a browser.
struct Stage {
    std::string_view type;
    std::string_view input;  ///< empty: a button is enough
};
constexpr std::array kStages{
    Stage{
        "m.login.registration_token",
        R"(<label>邀请码 · Invitation code<input name="value" required autocomplete="off" autofocus></label>)"},
    Stage{
        "m.login.password",
        R"(<label>密码 · Password<input name="value" type="password" required autocomplete="current-password" autofocus></label>)"},
    Stage{"m.login.dummy", ""},
};

constexpr std::string_view kStyle =
    "body{font:1rem/1.6 system-ui,sans-serif;color-scheme:light dark;max-width:22rem;margin:15vh "
    "auto;padding:0 "
    "1rem}label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}"
    "input,button{padding:.6rem;margin:.5rem 0}";
/// As the specification has it: the client that opened the page hears that the stage is over.
constexpr std::string_view kTellOpener =
    "if(window.onAuthDone){window.onAuthDone()}else if(window.opener&&window.opener.postMessage)"
    "{window.opener.postMessage('authDone','*')}";

net::Response page(Core& core, int status, std::string_view body, std::string_view script = {}) {
    const auto nonce = core.random.alphanumeric(kNonceCharacters);
    net::Response response{.status = status};
    response.headers.set("Content-Type", "text/html; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("Referrer-Policy", "no-referrer");
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce +
                             "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    response.body
        .append(
            "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width\"><title>Lingxi 灵犀</title><style nonce=\"")
        .append(nonce)
        .append("\">")
        .append(kStyle)
        .append("</style><main>")
        .append(body)
        .append("</main>");
    if (!script.empty())
        response.body.append("<script nonce=\"")
            .append(nonce)
            .append("\">")
            .append(script)
            .append("</script>");
    response.body.append("</html>");
    return response;
}

net::Response expired(Core& core) {
    return page(
        core, 400,
        "<p>这一步已过期，请回到应用重新开始。</p><p lang=\"en\">This step has expired: please go back to "
        "your app and start again.</p>");
}

/// The form posts to its own address, so that nothing of the request is written into the page.
net::Response form(Core& core, int status, const Stage& stage, std::string_view note = {}) {
    std::string body(note);
    body.append("<form method=\"post\">")
        .append(stage.input)
        .append("<button>继续 · Continue</button></form>");
    return page(core, status, body);
}

net::Response refused(Core& core, const Stage& stage) {
    return form(
        core, 401, stage,
        "<p role=\"alert\">不对，请再试一次。<br><span lang=\"en\">That is not right: please try again."
        "</span></p>");
}

/// The stage, where it is one of those that its session can be led through.
const Stage* find_stage(const Core& core, std::string_view type, const UiaSession& session) {
    const auto stage = std::ranges::find(kStages, type, &Stage::type);
    if (stage == kStages.end()) return nullptr;
    if (session.purpose.user_number != 0) return type == "m.login.password" ? &*stage : nullptr;
    const auto offered = registration_stages(core.options.registration);
    return std::ranges::find(offered, type) == offered.end() ? nullptr : &*stage;
}

std::string posted_value(std::string_view body) {
    if (!body.starts_with(kField)) return {};
    body.remove_prefix(kField.size());
    return base::percent_decode(body.substr(0, body.find('&')), true).value_or("");
}

struct Passing {
    bool passed = false;
    std::string password_hash = {};  ///< of m.login.password: what passed it
};

/// Whether what was written into the form passes the stage.
runtime::Task<base::Result<Passing>> try_stage(Core& core, std::string type, UiaPurpose purpose,
                                               std::string value) {
    if (type == "m.login.dummy") co_return Passing{.passed = true};
    if (type == "m.login.registration_token") {
        const auto usable = co_await is_usable_invitation(core, std::move(value));
        if (!usable) co_return base::fail(usable.error());
        co_return Passing{.passed = *usable};
    }
    const auto account =
        co_await core.database.read([user = UserNumber{purpose.user_number}](storage::Transaction& tx) {
            return base::Result<std::optional<Account>>(find_account(tx, user));
        });
    if (!account) co_return base::fail(account.error());
    if (!*account) co_return Passing{};
    const auto same =
        co_await core.verify((*account)->localpart, GuessOrigin::of_session(purpose.device_number),
                             (*account)->password_hash, std::move(value));
    if (!same) co_return base::fail(same.error());
    co_return Passing{.passed = *same, .password_hash = (*account)->password_hash.value_or("")};
}

net::Response no_such_stage() {
    return matrix_error({ErrorKind::not_found, "M_UNRECOGNIZED", "There is no page for this stage."});
}

}  // namespace

runtime::Task<net::Response> get_auth_fallback(Core& core, net::Request request) {
    const auto* session =
        core.uia.find(request.query.get("session").value_or(std::string_view{}), core.clock.now_ms());
    if (session == nullptr) co_return expired(core);
    const auto* stage = find_stage(core, request.value("stageType"), *session);
    if (stage == nullptr) co_return no_such_stage();
    co_return form(core, 200, *stage);
}

runtime::Task<net::Response> post_auth_fallback(Core& core, net::Request request) {
    const std::string session_id(request.query.get("session").value_or(std::string_view{}));
    const auto* session = core.uia.find(session_id, core.clock.now_ms());
    if (session == nullptr) co_return expired(core);
    const auto* stage = find_stage(core, request.value("stageType"), *session);
    if (stage == nullptr) co_return no_such_stage();
    auto value = posted_value(request.body);
    auto tried = co_await try_stage(core, std::string(stage->type), session->purpose, value);
    if (!tried) co_return matrix_error(tried.error());
    if (!tried->passed) co_return refused(core, *stage);
    // Others may have come in meanwhile: find the session anew.
    auto* open = core.uia.find(session_id, core.clock.now_ms());
    if (open == nullptr) co_return expired(core);
    open->completed_stage = stage->type;
    open->password_hash = std::move(tried->password_hash);
    if (stage->type == "m.login.registration_token") open->registration_token = std::move(value);
    co_return page(core, 200,
                   "<p>完成了，请回到应用。</p><p lang=\"en\">Done: please go back to your app.</p>",
                   kTellOpener);
}

}  // namespace identity
