#pragma once

#include <vector>

#include <net/server.h>
#include <runtime/runtime.h>

namespace app {

/// /healthz and the OpenAPI document of what this server serves. `server` outlives its routes.
std::vector<net::Route> operations_routes(const net::Server& server);

/// /metrics, for the listener of its own.
std::vector<net::Route> metrics_routes(runtime::Runtime& runtime);

}  // namespace app
