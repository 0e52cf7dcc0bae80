#include "admin_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <base/json.h>

namespace app {
namespace {

namespace asio = boost::asio;
namespace json = base::json;
using namespace std::chrono_literals;

constexpr std::size_t kRequestLimitBytes = 16 * 1024;
constexpr auto kAnswerLimit = 10s;

std::unexpected<base::Error> socket_failure(std::string_view what) {
    return base::fail(base::ErrorKind::unavailable, "app.admin_socket",
                      std::string(what) + ": " + std::strerror(errno) + ".");
}

/// False where the path does not fit into the kernel's structure (107 bytes).
bool fill_address(sockaddr_un& address, const std::filesystem::path& path) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    return true;
}

runtime::Task<base::Result<void>> answer(AdminSocket::Command command, wire::Message request,
                                         wire::ServedCall& call) {
    auto body = base::parse_json(request.text, kRequestLimitBytes);
    if (!body || !body->is_array()) {
        co_return base::fail(base::ErrorKind::invalid, "app.bad_command", "Expected a list of words.");
    }
    std::vector<std::string> arguments;
    for (const json::value& word : body->get_array()) {
        if (word.is_string()) arguments.emplace_back(word.get_string());
    }
    auto done = co_await command(std::move(arguments));
    if (!done) co_return base::fail(std::move(done.error()));
    co_return co_await call.send(wire::Message{std::move(*done), {}});
}

runtime::Task<void> serve_connection(runtime::Runtime& runtime, int descriptor,
                                     AdminSocket::Command command) {
    wire::Channel channel(runtime, descriptor,
                          [command](std::string, wire::Message request, wire::ServedCall& call) {
                              return answer(command, std::move(request), call);
                          });
    co_await channel.closed();
    co_await channel.stop();
}

}  // namespace

base::Result<AdminSocket> AdminSocket::bind(const std::filesystem::path& path) {
    sockaddr_un address{};
    if (!fill_address(address, path)) {
        return base::fail(
            base::ErrorKind::invalid, "app.admin_socket",
            "The data directory's path is too long for a socket: choose a shorter one with --data.");
    }
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return socket_failure("no socket for administration");
    ::unlink(path.c_str());  // of a server that was killed: a living one has the data directory's lock
    const mode_t before = ::umask(0177);
    const bool bound = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::umask(before);
    if (!bound || ::listen(descriptor, 8) != 0) {
        auto failure = socket_failure("no socket for administration");
        ::close(descriptor);
        return failure;
    }
    return AdminSocket(descriptor);
}

AdminSocket::AdminSocket(AdminSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

AdminSocket::~AdminSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

runtime::Task<void> AdminSocket::serve(runtime::Runtime& runtime, runtime::TaskGroup& group,
                                       Command command) {
    asio::local::stream_protocol::acceptor acceptor(runtime.io(), asio::local::stream_protocol(),
                                                    std::exchange(descriptor_, -1));
    for (;;) {
        boost::system::error_code error;
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted) co_return;
        if (error) {
            co_await runtime::sleep_for(100ms);  // out of descriptors: later there may be some
            continue;
        }
        group.spawn(serve_connection(runtime, socket.release(), command));
    }
}

base::Result<std::string> ask_running_server(const std::filesystem::path& path,
                                             std::vector<std::string> arguments) {
    sockaddr_un address{};
    const auto not_running = [&] {
        return base::fail(base::ErrorKind::unavailable, "app.not_running",
                          "No server that you may ask is running on " +
                              path.parent_path().parent_path().string() +
                              ": start it, or name its directory with --data.");
    };
    if (!fill_address(address, path)) return not_running();
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return socket_failure("no socket");
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(descriptor);
        return not_running();
    }

    runtime::Runtime runtime;
    runtime::TaskGroup group(runtime, "admin");
    base::Result<std::string> result = not_running();
    auto ask = [](runtime::Runtime& r, int fd, std::string request,
                  base::Result<std::string>& out) -> runtime::Task<void> {
        wire::Channel channel(r, fd, nullptr);
        if (auto call = channel.call("command", wire::Message{std::move(request), {}},
                                     std::chrono::steady_clock::now() + kAnswerLimit)) {
            auto message = co_await (*call)->next();
            if (message) {
                out = std::move(message->text);
            } else {
                out = base::fail(std::move(message.error()));
            }
        }
        co_await channel.stop();
        r.stop();
    };
    group.spawn(ask(runtime, descriptor, json::serialize(json::value_from(arguments)), result));
    runtime.run();
    return result;
}

}  // namespace app
