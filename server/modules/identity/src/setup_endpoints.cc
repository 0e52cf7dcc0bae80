#include "endpoints.h"
#include "rules.h"
#include "secret_store.h"

#include <boost/url/parse.hpp>

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kRoomNameLimitBytes = 256;
constexpr std::size_t kWordLimitBytes = 64;  // a language tag, a time zone's name

base::Error bad_token() {
    return {ErrorKind::forbidden, "IM.LINGXI.BAD_SETUP_TOKEN",
            "This setup link was used or has expired; `lingxi admin setup-link` makes a new one."};
}

base::Error bad_name() {
    return {ErrorKind::invalid, "IM.LINGXI.BAD_SERVER_NAME",
            "A server name is a host name or an address, with a port at most."};
}

/// The host of the public URL: what the page proposes.
std::string proposed_name(const Core& core) {
    if (!core.name.empty()) return core.name;
    const auto url = boost::urls::parse_uri(core.options.public_url);
    if (!url) return {};
    std::string host(url->host());
    return is_server_name(host) ? host : std::string{};
}

runtime::Task<base::Result<void>> check_token(Core& core, std::string token) {
    co_return co_await core.database.read([token = std::move(token), now_ms = core.clock.now_ms()](
                                              storage::Transaction& tx) -> base::Result<void> {
        if (find_secret(tx, Purpose::setup, token, now_ms)) return {};
        return base::fail(bad_token());
    });
}

/// Errors: IM.LINGXI.BAD_SERVER_NAME, M_INVALID_USERNAME, M_WEAK_PASSWORD, M_INVALID_PARAM.
base::Result<void> check_answers(const Joining& joining, std::string_view password) {
    if (!is_server_name(joining.server_name)) return base::fail(bad_name());
    if (auto legal = check_localpart(joining.localpart, joining.server_name); !legal) return legal;
    if (auto strong = check_password(password); !strong) return strong;
    if (auto named = check_display_name(joining.display_name.value_or("")); !named) return named;
    if (joining.first_steps->room_name.size() > kRoomNameLimitBytes ||
        joining.first_steps->language.size() > kWordLimitBytes ||
        joining.first_steps->time_zone.size() > kWordLimitBytes) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "A room's name has at most 256 bytes.");
    }
    return {};
}

}  // namespace

runtime::Task<net::Response> check_setup(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("token");
    if (body.failed()) co_return matrix_error(body.error());
    if (auto good = co_await check_token(core, std::move(token)); !good) co_return matrix_error(good.error());
    co_return net::json(200, base::json::object{{"server_name", proposed_name(core)},
                                                {"server_name_fixed", !core.name.empty()}});
}

runtime::Task<net::Response> set_up(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("token");
    auto password = body.string("password");
    Joining joining{.localpart = body.string("localpart"),
                    .display_name = body.optional_string("display_name"),
                    .is_admin = true,
                    .server_name = body.optional_string("server_name").value_or(core.name),
                    .first_steps = FirstSteps{.room_name = body.optional_string("room_name").value_or(""),
                                              .language = body.optional_string("language").value_or(""),
                                              .time_zone = body.optional_string("time_zone").value_or("")},
                    .secrets = make_session_secrets(core.random)};
    auto wish = read_session_wish(core, request, body);
    if (body.failed()) co_return matrix_error(body.error());
    if (!wish) co_return matrix_error(wish.error());
    if (auto good = co_await check_token(core, token); !good) co_return matrix_error(good.error());
    if (!core.name.empty() && joining.server_name != core.name) co_return matrix_error(bad_name());
    if (auto legal = check_answers(joining, password); !legal) co_return matrix_error(legal.error());
    if (joining.display_name && joining.display_name->empty()) joining.display_name.reset();

    auto hash = co_await core.hash(std::move(password));
    if (!hash) co_return matrix_error(hash.error());
    joining.password_hash = std::move(*hash);
    joining.setup_token = std::move(token);
    joining.session = std::move(*wish);
    const auto joined = co_await join(core, std::move(joining));
    if (!joined) co_return matrix_error(joined.error());
    const auto room = co_await core.tell(joined->news_number);
    auto answer = session_json(core, *joined->session);
    answer["room_id"] = nullptr;
    if (room) answer["room_id"] = *room;
    co_return net::json(200, base::json::value(std::move(answer)));
}

}  // namespace identity
