#pragma once

#include <vector>

#include <net/server.h>

namespace app {

class HelperMetrics;

/// /healthz and the OpenAPI document of what this server serves. `server` outlives its routes.
std::vector<net::Route> operations_routes(const net::Server& server);

/// /metrics, for the listener of its own. `all` outlives its routes.
std::vector<net::Route> metrics_routes(HelperMetrics& all);

}  // namespace app
