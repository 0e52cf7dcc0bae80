#include "server_core.h"

#include "connection.h"

#include <algorithm>

#include <base/http_date.h>

namespace net {
namespace {

/// Fine enough for the smallest timeout to be kept within a quarter, and coarse enough to cost nothing.
std::chrono::milliseconds tick_for(const ServerOptions& options) {
    const auto smallest =
        std::min({options.header_timeout, options.body_timeout, options.body_idle_timeout,
                  options.keep_alive_timeout, options.write_timeout, options.event_heartbeat});
    return std::clamp(smallest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(250));
}

}  // namespace

ServerCore::ServerCore(runtime::Runtime& r, const base::Clock& c, ServerOptions o)
    : runtime(r),
      clock(c),
      options(std::move(o)),
      limiter(c),
      wheel(tick_for(options), c.steady_now()),
      emptied(r),
      tasks(r, "net"),
      scratch(std::size_t{64} * 1024),
      connection_count_(r.metrics().gauge("http_connections", "Client connections that are open")) {}

const Surface* ServerCore::surface_of(std::string_view path) const {
    const Surface* best = nullptr;
    for (const auto& surface : surfaces) {
        if (path.starts_with(surface.path_prefix) &&
            (!best || surface.path_prefix.size() > best->path_prefix.size())) {
            best = &surface;
        }
    }
    return best;
}

std::string_view ServerCore::date() {
    const auto second = clock.now_ms() / 1000;
    if (second != date_second_ || date_.empty()) {
        date_second_ = second;
        date_ = base::format_http_date(second);
    }
    return date_;
}

void ServerCore::observe(RateClass rate, int status, std::chrono::steady_clock::duration took) {
    const auto row = static_cast<std::size_t>(rate);
    const auto column = std::min<std::size_t>(static_cast<std::size_t>(status) / 100, kStatusClasses - 1);
    auto& histogram = seconds_[row][column];
    if (!histogram) {
        histogram = &runtime.metrics().histogram(
            "http_request_seconds", "From a request's head to its answer's head, by operation class",
            {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
            {{"class", std::string(to_string(rate))}, {"status", std::to_string(column) + "xx"}});
    }
    histogram->observe(std::chrono::duration<double>(took).count());
}

bool ServerCore::is_crowded(const IpAddress& peer) const {
    const auto limit = options.connections_per_address_limit;
    if (limit == 0 || !options.rate_limits || trusted_proxies.contains(peer)) return false;
    const auto place = connections_of_.find(subscriber_of(peer));
    return place != connections_of_.end() && place->second >= limit;
}

bool ServerCore::hold(std::int64_t user, std::size_t bytes) {
    if (user == 0) return true;
    const auto [place, is_first] = unsent_of_.try_emplace(user, 0);
    if (!is_first && options.rate_limits && place->second + bytes > options.unsent_limit_bytes) return false;
    place->second += bytes;
    return true;
}

void ServerCore::let_go(std::int64_t user, std::size_t bytes) {
    const auto place = unsent_of_.find(user);
    if (place == unsent_of_.end()) return;
    place->second -= bytes;
    if (place->second == 0) unsent_of_.erase(place);
}

void ServerCore::enter(Connection& connection) {
    ++connections_of_[subscriber_of(connection.peer())];
    connection.place = connections.insert(connections.end(), &connection);
    connection_count_.add(1);
}

void ServerCore::leave(Connection& connection) {
    connections.erase(connection.place);
    const auto place = connections_of_.find(subscriber_of(connection.peer()));
    if (--place->second == 0) connections_of_.erase(place);
    if (is_abandoned) return;
    connection_count_.add(-1);
    if (connections.empty()) emptied.notify();
}

}  // namespace net
