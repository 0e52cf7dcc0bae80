// What wakes are compared with: a thread that, told once, writes the same answer to N sockets in a bare loop.

#include "commands.h"
#include "connection.h"
#include "latencies.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <boost/asio/steady_timer.hpp>

namespace bench {
namespace {

int listen_on_loopback(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 4096) != 0) std::exit(1);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace

int fan_out(const Options& options) {
    const auto count = static_cast<std::size_t>(options.number("waiters", 1));
    const auto rounds = options.number("rounds", 5);
    const auto bytes = static_cast<std::size_t>(options.number("bytes", 1500));
    std::uint16_t port = 0;
    const int listener = listen_on_loopback(port);
    int trigger[2];
    if (::pipe(trigger) != 0) return 1;

    std::thread server([&] {
        std::vector<int> clients;
        while (clients.size() < count) {
            const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            const int one = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            clients.push_back(fd);
        }
        const std::string body(bytes, 'x');
        const auto answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + body;
        char told = 0;
        char request[4096];
        while (::read(trigger[0], &told, 1) == 1) {
            for (const int fd : clients) {
                if (::recv(fd, request, sizeof request, 0) <= 0) break;
                if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
            }
        }
        for (const int fd : clients) ::close(fd);
    });

    asio::io_context io{1};
    std::vector<std::shared_ptr<Connection>> connections;
    for (std::size_t i = 0; i < count; ++i) {
        connections.push_back(
            std::make_shared<Connection>(io, Endpoint(asio::ip::address_v4::loopback(), port)));
        if (!connections.back()->open()) return 1;
    }
    std::vector<double> times;
    for (std::int64_t round = 0; round < rounds; ++round) {
        std::size_t waiting = count;
        for (const auto& connection : connections) {
            connection->ask(request_text("GET", "/wait", "", ""), [&](const Answer&) {
                if (--waiting == 0) io.stop();
            });
        }
        io.restart();
        io.poll();
        const auto began = Clock::now();
        if (::write(trigger[1], "x", 1) != 1) return 1;
        io.restart();
        io.run();
        times.push_back(seconds_between(began, Clock::now()) * 1000);
    }
    for (const auto& connection : connections) connection->close();
    ::close(trigger[1]);
    server.join();
    std::ranges::sort(times);
    std::printf(R"({"ms":%.4f})"
                "\n",
                times[times.size() / 2]);
    return 0;
}

}  // namespace bench
