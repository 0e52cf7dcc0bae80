#include "gate.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace app {
namespace {

/// Health, versions, and what the setup page asks.
constexpr std::array<std::string_view, 6> kAlwaysAnswered{
    "/healthz",
    "/_matrix/client/versions",
    "/_lingxi/client/v1/server",
    "/_lingxi/client/v1/setup",
    "/_lingxi/client/v1/setup/check",
    "/_lingxi/client/v1/localpart",
};

bool is_always_answered(std::string_view path) {
    return std::ranges::find(kAlwaysAnswered, path) != kAlwaysAnswered.end();
}

runtime::Task<net::Response> refuse(net::ErrorDialect dialect) {
    co_return dialect(base::Error{base::ErrorKind::forbidden, "IM.LINGXI.SETUP_NEEDED",
                                  "This server has not been set up yet: open the administrator's link."});
}

runtime::Task<net::Response> redirect_to_setup() {
    net::Response response{.status = 302};
    response.headers.set("Location", "/setup");
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

}  // namespace

std::vector<net::Route> behind_setup(std::vector<net::Route> routes, const std::function<bool()>& is_set_up,
                                     const net::ErrorDialect& dialect) {
    for (net::Route& route : routes) {
        if (is_always_answered(route.path)) continue;
        route.handler = [inner = std::move(route.handler), is_set_up, dialect](net::Request request) {
            return is_set_up() ? inner(std::move(request)) : refuse(dialect);
        };
    }
    return routes;
}

net::Handler pages_behind_setup(net::Handler pages, std::function<bool()> is_set_up) {
    return [pages = std::move(pages), is_set_up = std::move(is_set_up)](net::Request request) {
        const bool of_the_page = request.path == "/setup" || request.path == "/favicon.svg" ||
                                 request.path.starts_with("/assets/");
        const bool shown = is_set_up() || of_the_page;
        return shown ? pages(std::move(request)) : redirect_to_setup();
    };
}

}  // namespace app
