#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <net/server.h>

namespace net {
namespace {

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family() const { return storage.ss_family; }
    sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage); }
};

base::Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto bad = [&] {
        return base::fail(base::ErrorKind::invalid, "net.bad_address",
                          "Not ADDRESS:PORT (an IPv6 address in brackets): " + std::string(text));
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad();
    std::string host(text.substr(0, colon));
    const auto port_text = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (port_text.empty() || error != std::errc{} || end != port_text.data() + port_text.size()) return bad();
    if (host == "localhost") host = "127.0.0.1";

    Endpoint endpoint;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        auto* address = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port);
        endpoint.size = sizeof(*address);
        if (inet_pton(AF_INET6, host.c_str(), &address->sin6_addr) != 1) return bad();
        return endpoint;
    }
    auto* address = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    endpoint.size = sizeof(*address);
    if (inet_pton(AF_INET, host.c_str(), &address->sin_addr) != 1) return bad();
    return endpoint;
}

std::string bound_address(int descriptor) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET6) {
        const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
        inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size());
        return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(address->sin6_port));
    }
    const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(address->sin_port));
}

/// What the person who starts the server can do about it.
std::string_view advice_on(int reason) {
    switch (reason) {
        case EADDRINUSE:
            return ". Another program has that port (`ss -ltnp` shows which): stop it, or choose another "
                   "port.";
        case EACCES:
            return ". Ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one, behind a "
                   "proxy.";
        case EADDRNOTAVAIL:
            return ". This machine has no such address (`ip address` shows those that it has).";
        default:
            return ".";
    }
}

}  // namespace

base::Result<Listener> bind_listener(std::string_view address) {
    auto endpoint = parse_endpoint(address);
    if (!endpoint) return base::fail(std::move(endpoint.error()));
    const int descriptor = socket(endpoint->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const auto cannot = [&] {
        const int reason = errno;
        if (descriptor >= 0) close(descriptor);
        return base::fail(base::ErrorKind::conflict, "net.cannot_bind",
                          "Cannot listen on " + std::string(address) + ": " + std::strerror(reason) +
                              std::string(advice_on(reason)));
    };
    if (descriptor < 0) return cannot();
    // Accepted sockets inherit these: small answers go out at once, and peers that vanished are found out.
    struct Option {
        int level, name, value;
    };
    static constexpr std::array kOptions{
        Option{SOL_SOCKET, SO_REUSEADDR, 1},           Option{IPPROTO_TCP, TCP_NODELAY, 1},
        Option{SOL_SOCKET, SO_KEEPALIVE, 1},           Option{IPPROTO_TCP, TCP_KEEPIDLE, 60},
        Option{IPPROTO_TCP, TCP_KEEPINTVL, 15},        Option{IPPROTO_TCP, TCP_KEEPCNT, 4},
        Option{IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000},
    };
    for (const auto& option : kOptions) {
        if (setsockopt(descriptor, option.level, option.name, &option.value, sizeof(option.value)) != 0)
            return cannot();
    }
    if (endpoint->family() == AF_INET6) {
        const int both = 0;  // [::] answers IPv4 too
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)) != 0) return cannot();
    }
    if (bind(descriptor, endpoint->data(), endpoint->size) != 0) return cannot();
    if (listen(descriptor, SOMAXCONN) != 0) return cannot();
    return Listener{descriptor, bound_address(descriptor)};
}

}  // namespace net
