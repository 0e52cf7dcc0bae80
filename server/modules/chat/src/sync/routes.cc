#include "sync/routes.h"

#include "sync/endpoints.h"

namespace chat {
namespace {

using net::Auth;
using net::Method;
using net::RateClass;


using Endpoint = runtime::Task<net::Response> (*)(SyncCore&, net::Request);

}  // namespace

std::vector<net::Route> sync_routes(SyncCore& core) {
    const auto to = [&core](Endpoint endpoint) -> net::Handler {
        return [&core, endpoint](net::Request request) { return endpoint(core, std::move(request)); };
    };
    std::vector<net::Route> routes;
    routes.push_back({Method::get,
                      "/_matrix/client/v3/sync",
                      "sync",
                      Auth::required,
                      RateClass::sync,
                      0,
                      false,
                      to(sync),
                      "What is new in all of one's rooms, waiting for it where there is nothing.",
                      {"/_matrix/client/r0/sync"}});
    routes.push_back({Method::post,
                      "/_matrix/client/v3/user/{userId}/filter",
                      "defineFilter",
                      Auth::required,
                      RateClass::write,
                      kFilterLimitBytes,
                      false,
                      to(define_filter),
                      "Stores a filter for /sync.",
                      {"/_matrix/client/r0/user/{userId}/filter"}});
    routes.push_back({Method::get,
                      "/_matrix/client/v3/user/{userId}/filter/{filterId}",
                      "getFilter",
                      Auth::required,
                      RateClass::read,
                      0,
                      false,
                      to(get_filter),
                      "A filter that was stored.",
                      {"/_matrix/client/r0/user/{userId}/filter/{filterId}"}});
    return routes;
}

}  // namespace chat
