#include "connection.h"
#include "server_core.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <base/log.h>
#include <net/server.h>

namespace net {

namespace asio = boost::asio;

struct Server::State : ServerCore {
    State(runtime::Runtime& r, const base::Clock& c, ServerOptions o)
        : ServerCore(r, c, std::move(o)), listener(r.executor()) {}

    asio::posix::stream_descriptor listener;
    bool started = false;
};

namespace {

constexpr int kAcceptsPerTurn = 64;

IpAddress address_of(const sockaddr_storage& storage) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text.data(),
                  text.size());
    } else if (storage.ss_family == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text.data(), text.size());
    }
    return parse_ip(text.data()).value_or(IpAddress{});
}

/// Whether it arrives does not matter: closing says the same.
void turn_away(const ServerCore& core, int descriptor, std::string_view status) {
    if (!core.tls) {
        const std::string answer = "HTTP/1.1 " + std::string(status) +
                                   "\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";
        std::ignore = send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

/// A socket that was accepted, until a connection has taken it over.
struct Accepted {
    explicit Accepted(int d) : descriptor(d) {}
    Accepted(const Accepted&) = delete;
    Accepted& operator=(const Accepted&) = delete;
    ~Accepted() {
        if (descriptor >= 0) close(descriptor);
    }
    int descriptor;
};

void begin_connection(const std::shared_ptr<ServerCore>& core, Accepted& accepted,
                      const sockaddr_storage& storage) {
    const auto peer = address_of(storage);
    if (core->connections.size() >= core->options.connection_limit) {
        return turn_away(*core, accepted.descriptor, "503 Service Unavailable");
    }
    if (core->is_crowded(peer)) return turn_away(*core, accepted.descriptor, "429 Too Many Requests");
    asio::posix::stream_descriptor socket(core->runtime.executor());
    boost::system::error_code error;
    socket.assign(accepted.descriptor, error);
    if (error) {
        base::log_warning("net.cannot_accept", {{"reason", error.message()}});
        return;
    }
    accepted.descriptor = -1;
    auto connection = std::make_shared<Connection>(core, std::move(socket), peer);
    auto* signal = core->tasks.spawn(Connection::run(connection));
    if (!connection->finished) connection->cancel_signal = signal;
}

/// Takes what waits in the listener's queue. False when descriptors have run out.
bool accept_some(const std::shared_ptr<ServerCore>& core, int listener) {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        sockaddr_storage storage{};
        socklen_t size = sizeof(storage);
        Accepted accepted(
            accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (accepted.descriptor < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
            if (errno == EINTR || errno == ECONNABORTED) continue;
            base::log_warning("net.cannot_accept", {{"reason", std::strerror(errno)}});
            return false;
        }
        if (core->tls) core->tls->reload_if_changed(core->clock.steady_now());
        begin_connection(core, accepted, storage);
    }
    return true;
}

/// The same, whatever happens: a fault costs the connection that was being begun, and no later one.
bool accept_some_safely(const std::shared_ptr<ServerCore>& core, int listener) {
    try {
        return accept_some(core, listener);
    } catch (const std::exception& fault) {
        base::log_error("net.accept_fault", {{"what", fault.what()}});
        return false;
    }
}

runtime::Task<void> accept_connections(std::shared_ptr<ServerCore> core,
                                       asio::posix::stream_descriptor& listener) {
    while (!core->stopping) {
        boost::system::error_code error;
        co_await listener.async_wait(asio::posix::descriptor_base::wait_read,
                                     asio::redirect_error(asio::use_awaitable, error));
        if (core->stopping) break;
        if (error || !accept_some_safely(core, listener.native_handle())) {
            co_await runtime::sleep_for(std::chrono::milliseconds(100));
        }
    }
}

/// Turns the wheel of deadlines, and measures by how much its own turn comes late: that is what every request
/// waits.
runtime::Task<void> turn_wheel(std::shared_ptr<ServerCore> core) {
    auto& lag_seconds =
        core->runtime.metrics().histogram("io_lag_seconds", "How late the I/O thread runs a timer",
                                          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1});
    asio::steady_timer timer(core->runtime.executor());
    while (!core->stopping || !core->connections.empty()) {
        const auto due = std::chrono::steady_clock::now() + core->wheel.tick();
        timer.expires_at(due);
        boost::system::error_code error;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        lag_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - due).count());
        try {
            core->wheel.advance(core->clock.steady_now());
        } catch (const std::exception& fault) {
            // What was due is due at the next tick still.
            base::log_error("net.wheel_fault", {{"what", fault.what()}});
        }
    }
}

void abort_all(const ServerCore& core) {
    // Aborting ends nothing at once: the list stays as it is in this turn.
    for (Connection* connection : core.connections) connection->abort();
}

}  // namespace

Server::Server(runtime::Runtime& runtime, const base::Clock& clock, ServerOptions options)
    : state_(std::make_shared<State>(runtime, clock, std::move(options))) {}

Server::~Server() {
    state_->stopping = true;
    state_->is_abandoned = true;
    boost::system::error_code ignored;  // may be closed already
    state_->listener.close(ignored);
    abort_all(*state_);
    state_->tasks.cancel();
}

void Server::add_surface(Surface surface) {
    state_->surfaces.push_back(std::move(surface));
}

void Server::add_routes(std::vector<Route> routes) {
    for (auto& route : routes) {
        state_->router.add(route);
        state_->routes.push_back(std::move(route));
    }
}

void Server::set_authenticator(Authenticator authenticator) {
    state_->authenticator = std::move(authenticator);
}
void Server::set_fallback(Handler handler) {
    state_->fallback = std::move(handler);
}
const std::vector<Route>& Server::routes() const {
    return state_->routes;
}
std::size_t Server::connections() const {
    return state_->connections.size();
}
void Server::on_stopping(std::function<void()> callback) {
    state_->stopping_callbacks.push_back(std::move(callback));
}

base::Result<void> Server::start(Listener listener) {
    const auto& options = state_->options;
    auto proxies = TrustedProxies::parse(options.trusted_proxies);
    if (!proxies) return base::fail(std::move(proxies.error()));
    state_->trusted_proxies = std::move(*proxies);
    if (!options.tls_certificate_path.empty() || !options.tls_key_path.empty()) {
        auto tls = TlsContext::load(options.tls_certificate_path, options.tls_key_path);
        if (!tls) return base::fail(std::move(tls.error()));
        state_->tls = std::move(*tls);
    }
    boost::system::error_code error;
    state_->listener.assign(listener.descriptor, error);
    if (error) return base::fail(base::ErrorKind::internal, "net.cannot_listen", error.message());
    state_->started = true;
    state_->tasks.spawn(accept_connections(state_, state_->listener));
    state_->tasks.spawn(turn_wheel(state_));
    return {};
}

runtime::Task<void> Server::stop(std::chrono::milliseconds grace) {
    auto state = state_;
    if (state->stopping) co_return;
    state->stopping = true;
    boost::system::error_code ignored;  // closing cannot fail in a way that matters
    state->listener.close(ignored);
    for (auto& callback : state->stopping_callbacks) callback();
    for (Connection* connection : state->connections) connection->close_if_idle();
    const auto end = std::chrono::steady_clock::now() + grace;
    while (!state->connections.empty()) {
        const auto left = end - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration::zero()) break;
        co_await state->emptied.wait(left);
    }
    abort_all(*state);
    co_await state->tasks.stop();
}

}  // namespace net
