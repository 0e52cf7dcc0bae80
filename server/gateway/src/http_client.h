#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <base/result.h>
#include <runtime/runtime.h>
#include <runtime/task.h>

namespace gateway {

struct HttpRequest {
    std::string url;
    std::string method = "POST";  ///< "GET" or "POST"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::steady_clock::time_point deadline;
    bool use_proxy = true;  ///< false for this machine's own servers
};

/// One transfer. Destroying it ends it.
class HttpTransfer {
  public:
    virtual ~HttpTransfer() = default;
    /// Sends the request. Once.
    virtual void begin() = 0;
    /// Waits for the status line and headers. Errors: http.connect (unavailable: nothing was sent), http.tls,
    /// http.io (unavailable), http.timeout (something was sent).
    virtual runtime::Task<base::Result<int>> status(std::chrono::steady_clock::time_point deadline) = 0;
    /// The next bytes of the body; empty at its end. Errors as above, and http.too_large (unavailable).
    virtual runtime::Task<base::Result<std::string>> read(std::chrono::steady_clock::time_point deadline) = 0;
    /// Ends it: who waits gets http.aborted (cancelled) at once.
    virtual void abort() = 0;
    /// Whether a byte of the request has been handed to a connection; stays true.
    virtual bool anything_sent() const = 0;
    /// A response header (lower-case name), once the status is there.
    virtual std::optional<std::string> header(std::string_view name) const = 0;
};

/// The process's way out: libcurl's multi interface on the I/O thread, connections kept and reused. Redirects
/// are not followed (a model server that redirects could send a prompt elsewhere), only http and https are
/// spoken, and certificates are verified.
class HttpClient {
  public:
    explicit HttpClient(runtime::Runtime& runtime);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Makes a transfer ready: nothing leaves before begin().
    std::shared_ptr<HttpTransfer> prepare(HttpRequest request);
    std::shared_ptr<HttpTransfer> start(HttpRequest request);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace gateway
