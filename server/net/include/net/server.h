#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/clock.h>
#include <base/result.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <runtime/task.h>

namespace net {

/// The session stands, only this token of it is too old.
inline constexpr std::string_view kTokenExpired = "net.token_expired";

/// Resolves a bearer token. Errors go through the surface's dialect as they are; the code kTokenExpired
/// (unauthenticated) alone has a meaning here.
using Authenticator = std::function<runtime::Task<base::Result<Principal>>(std::string token)>;

struct ServerOptions {
    std::size_t header_limit_bytes = 16 * 1024;
    std::size_t connection_limit = 20'000;
    /// Of one address (of IPv6: one /64), trusted proxies excepted; 0: no limit. Not in force without
    /// rate_limits.
    std::size_t connections_per_address_limit = 2'000;
    std::chrono::milliseconds header_timeout{15'000};     ///< from the first byte to the end of the header
    std::chrono::milliseconds body_timeout{60'000};       ///< for a body that is read whole
    std::chrono::milliseconds body_idle_timeout{30'000};  ///< between two pieces of a streamed body
    std::chrono::milliseconds keep_alive_timeout{75'000};
    std::chrono::milliseconds write_timeout{30'000};  ///< for an answer; longer for a long one (16 KiB/s)
    std::chrono::milliseconds event_heartbeat{
        15'000};  ///< a comment in an idle event stream, so that proxies keep it
    std::size_t event_buffer_limit_bytes =
        256 * 1024;  ///< unsent events of one reader; over it, the reader is cut
    /// Of one person's answers that wait to be read, over all connections; a further one over it is cut. Not
    /// in force without rate_limits.
    std::size_t unsent_limit_bytes = std::size_t{64} * 1024 * 1024;
    std::size_t gzip_threshold_bytes = 1400;  ///< JSON bodies over it are compressed where the client accepts
    bool rate_limits = true;
    std::vector<std::string> trusted_proxies;  ///< addresses or CIDR blocks whose X-Forwarded-For is believed
    std::string tls_certificate_path;          ///< PEM; empty: plain HTTP. Reloaded when the file changes
    std::string tls_key_path;
};

/// A bound listener, made before the process locks itself.
struct Listener {
    int descriptor = -1;
    std::string address;  ///< as bound: "127.0.0.1:8008"; the port that the kernel chose for :0
};
/// Binds "ADDRESS:PORT" ("[::1]:8008" for IPv6). Errors: net.bad_address (invalid), net.cannot_bind
/// (conflict).
base::Result<Listener> bind_listener(std::string_view address);

/// HTTP/1.1: keep-alive, pipelining in order, limits on header, body, time and connections.
class Server {
  public:
    Server(runtime::Runtime& runtime, const base::Clock& clock, ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void add_surface(Surface surface);
    void add_routes(std::vector<Route> routes);
    void set_authenticator(Authenticator authenticator);
    /// Answers what no route matches (the static web client); method GET or HEAD only.
    void set_fallback(Handler handler);
    const std::vector<Route>& routes() const;

    /// Starts to accept. Reads the certificate where TLS is set. Errors: net.bad_certificate (invalid).
    base::Result<void> start(Listener listener);
    /// Stops accepting, lets requests under way finish for `grace`, then closes what is left. Parked
    /// long-polls are told through on_stopping() first.
    runtime::Task<void> stop(std::chrono::milliseconds grace);
    /// Called once when stop() begins: whoever parks requests answers them now.
    void on_stopping(std::function<void()> callback);

    std::size_t connections() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace net
