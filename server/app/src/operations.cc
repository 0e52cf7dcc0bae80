#include "operations.h"

#include "helper_metrics.h"
#include "version.h"

#include <array>
#include <memory>
#include <string>

namespace app {
namespace {

using net::Auth;
using net::Method;
using net::RateClass;

constexpr std::array<std::string_view, 4> kDocumented{"/_lingxi/", "/_matrix/", "/.well-known/", "/healthz"};

runtime::Task<net::Response> health(net::Request) {
    co_return net::json(200, R"({"status":"ok"})");
}

/// Made of the table when it is first asked for, and kept: making it takes the I/O thread a millisecond.
class OpenApi {
  public:
    explicit OpenApi(const net::Server& server) : server_(server) {}
    const std::string& text() {
        if (text_.empty()) {
            text_ = base::json::serialize(
                net::openapi_document(server_.routes(), "Lingxi", kVersion, kDocumented));
        }
        return text_;
    }

  private:
    const net::Server& server_;
    std::string text_;
};

runtime::Task<net::Response> openapi(std::shared_ptr<OpenApi> document) {
    co_return net::json(200, document->text());
}

runtime::Task<net::Response> metrics(HelperMetrics* all) {
    net::Response response{.status = 200, .body = co_await all->text()};
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
    auto document = row(
        "/_lingxi/openapi.json", "getOpenApi",
        [kept = std::make_shared<OpenApi>(server)](net::Request) { return openapi(kept); },
        "This document: every endpoint that the server serves.");
    document.rate = RateClass::read;
    return {row("/healthz", "health", health, "Whether the server answers."), std::move(document)};
}

std::vector<net::Route> metrics_routes(HelperMetrics& all) {
    return {row(
        "/metrics", "getMetrics", [&all](net::Request) { return metrics(&all); },
        "Metrics in Prometheus' text format.")};
}

}  // namespace app
