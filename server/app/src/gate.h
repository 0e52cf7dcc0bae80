#pragma once

#include <functional>
#include <vector>

#include <net/route.h>

namespace app {

/// Until the server has its name and first account, only what sets it up is answered: the setup page,
/// versions and health. Wraps the handlers of all other routes; `is_set_up` is asked at each request.
std::vector<net::Route> behind_setup(std::vector<net::Route> routes, const std::function<bool()>& is_set_up,
                                     const net::ErrorDialect& dialect);

/// The static web client, of which only the setup page is shown until then.
net::Handler pages_behind_setup(net::Handler pages, std::function<bool()> is_set_up);

}  // namespace app
