#pragma once

#include "deadline_wheel.h"
#include "forwarded.h"
#include "router.h"
#include "tls.h"

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <base/metrics.h>
#include <net/rate_limit.h>
#include <net/server.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace net {

class Connection;

/// What all connections of a server share. I/O thread only.
struct ServerCore {
    ServerCore(runtime::Runtime& runtime, const base::Clock& clock, ServerOptions options);

    /// The surface whose prefix of `path` is the longest; null outside all.
    const Surface* surface_of(std::string_view path) const;
    /// The value of a Date header, made once a second.
    std::string_view date();
    /// Counts a request that was answered. `status` decides the label "2xx" to "5xx".
    void observe(RateClass rate, int status, std::chrono::steady_clock::duration took);
    /// Whether as many connections as one address may have come from `peer` already.
    bool is_crowded(const IpAddress& peer) const;
    /// Notes that an answer of so many bytes waits for `user` (0: nobody in particular, who is not counted)
    /// to read it. False where others of theirs do already, and this one would be too much.
    bool hold(std::int64_t user, std::size_t bytes);
    void let_go(std::int64_t user, std::size_t bytes);
    void enter(Connection& connection);
    void leave(Connection& connection);

    runtime::Runtime& runtime;
    const base::Clock& clock;
    const ServerOptions options;
    std::vector<Route> routes;
    Router router;
    std::vector<Surface> surfaces;
    Authenticator authenticator;
    Handler fallback;
    TrustedProxies trusted_proxies;
    std::unique_ptr<TlsContext> tls;
    RateLimiter limiter;

    DeadlineWheel wheel;
    std::list<Connection*> connections;
    bool stopping = false;
    bool is_abandoned =
        false;  // the server is gone; what is left of its connections touches nothing of the runtime
    std::vector<std::function<void()>> stopping_callbacks;
    runtime::Notifier emptied;  // the last connection has gone
    runtime::TaskGroup tasks;
    /// Where bytes land first; what is kept is copied out before the turn of the I/O thread ends.
    std::vector<char> scratch;

  private:
    static constexpr std::size_t kRateClasses = 9;
    static constexpr std::size_t kStatusClasses = 6;
    std::array<std::array<base::Histogram*, kStatusClasses>, kRateClasses> seconds_{};
    std::map<IpAddress, std::size_t> connections_of_;          // by subscriber
    std::unordered_map<std::int64_t, std::size_t> unsent_of_;  // bytes, by user
    base::Gauge& connection_count_;                            // of all servers of the process
    std::string date_;
    std::int64_t date_second_ = 0;
};

}  // namespace net
