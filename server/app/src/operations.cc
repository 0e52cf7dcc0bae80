#include "operations.h"

#include "version.h"

#include <array>

namespace app {
namespace {

using net::Auth;
using net::Method;
using net::RateClass;

constexpr std::array<std::string_view, 4> kDocumented{"/_lingxi/", "/_matrix/", "/.well-known/", "/healthz"};

runtime::Task<net::Response> health(net::Request) {
    co_return net::json(200, R"({"status":"ok"})");
}

runtime::Task<net::Response> openapi(const net::Server* server) {
    // Made anew at each request: the document is small, asked for rarely, and the table is what is true.
    co_return net::json(
        200, base::json::value(net::openapi_document(server->routes(), "Lingxi", kVersion, kDocumented)));
}

runtime::Task<net::Response> metrics(runtime::Runtime* runtime) {
    net::Response response{.status = 200, .body = runtime->metrics().text()};
    response.headers.set("Content-Type", "text/plain; version=0.0.4");
    co_return response;
}

net::Route row(std::string_view path, std::string_view operation_id, net::Handler handler,
               std::string_view summary) {
    return {.method = Method::get,
            .path = path,
            .operation_id = operation_id,
            .auth = Auth::none,
            .rate = RateClass::none,
            .body_limit_bytes = 0,
            .streams_body = false,
            .handler = std::move(handler),
            .summary = summary};
}

}  // namespace

std::vector<net::Route> operations_routes(const net::Server& server) {
    return {row("/healthz", "health", health, "Whether the server answers."),
            row(
                "/_lingxi/openapi.json", "getOpenApi", [&server](net::Request) { return openapi(&server); },
                "This document: every endpoint that the server serves.")};
}

std::vector<net::Route> metrics_routes(runtime::Runtime& runtime) {
    return {row(
        "/metrics", "getMetrics", [&runtime](net::Request) { return metrics(&runtime); },
        "Metrics in Prometheus' text format.")};
}

}  // namespace app
