// lingxi-bench-model: a model server that costs nothing, so that what stands before it can be measured.
// Speaks the streamed chat endpoint; POST /mode/MODE changes how it answers: ok, hang, 503.

#include "../load/options.h"

#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace bench {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr std::size_t kRequestLimitBytes = 4 * 1024 * 1024;
constexpr int kPieces = 8;

enum class Mode { ok, hang, unavailable };

void append_chunk(std::string& out, const std::string& data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    out.append(size).append(data).append("\r\n");
}

std::string streamed_answer() {
    std::string out =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto chunk = [&](const std::string& choices, const std::string& more) {
        append_chunk(out, R"(data: {"id":"c1","object":"chat.completion.chunk","model":"bench","choices":[)" +
                              choices + "]" + more + "}\n\n");
    };
    for (int i = 0; i < kPieces; ++i)
        chunk(R"({"index":0,"delta":{"content":"on Saturday "},"finish_reason":null})", "");
    chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})", "");
    chunk("", R"(,"usage":{"prompt_tokens":40,"completion_tokens":16})");
    append_chunk(out, "data: [DONE]\n\n");
    out.append("0\r\n\r\n");
    return out;
}

struct Server {
    asio::io_context io{1};
    Mode mode = Mode::ok;
    std::string answer = streamed_answer();
    std::string refusal =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    std::string done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
};

class Client : public std::enable_shared_from_this<Client> {
  public:
    Client(Server& server, Tcp::socket socket) : server_(server), socket_(std::move(socket)) {}

    void wait() {
        socket_.async_wait(Tcp::socket::wait_read,
                           [self = shared_from_this()](boost::system::error_code error) {
                               if (!error) self->on_readable();
                           });
    }

  private:
    void on_readable() {
        char bytes[65536];
        const auto got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) || in_.size() > kRequestLimitBytes)
            return;
        if (got > 0) in_.append(bytes, static_cast<std::size_t>(got));
        while (take_request()) {
        }
        wait();
    }
    bool take_request() {
        const auto head_end = in_.find("\r\n\r\n");
        if (head_end == std::string::npos) return false;
        std::size_t length = 0;
        const auto field = in_.find("Content-Length: ");
        if (field < head_end) std::from_chars(in_.data() + field + 16, in_.data() + head_end, length);
        if (in_.size() < head_end + 4 + length) return false;
        respond(in_.substr(0, in_.find("\r\n")));
        in_.erase(0, head_end + 4 + length);
        return !in_.empty();
    }
    void respond(const std::string& line) {
        if (const auto at = line.find("/mode/"); at != std::string::npos) {
            const auto name = line.substr(at + 6, line.find(' ', at) - at - 6);
            server_.mode = name == "hang" ? Mode::hang : name == "503" ? Mode::unavailable : Mode::ok;
            return send(server_.done);
        }
        if (server_.mode == Mode::ok) send(server_.answer);
        if (server_.mode == Mode::unavailable) send(server_.refusal);
    }
    void send(std::string_view text) {
        while (!text.empty()) {
            const auto sent = ::send(socket_.native_handle(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    Server& server_;
    Tcp::socket socket_;
    std::string in_;
};

void accept(Server& server, Tcp::acceptor& acceptor) {
    acceptor.async_accept([&](boost::system::error_code error, Tcp::socket socket) {
        if (!error) {
            boost::system::error_code ignored;  // slower, if anything
            socket.set_option(Tcp::no_delay(true), ignored);
            std::make_shared<Client>(server, std::move(socket))->wait();
        }
        accept(server, acceptor);
    });
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const bench::Options options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    bench::Server server;
    bench::Tcp::acceptor acceptor(server.io, {bench::asio::ip::address_v4::loopback(),
                                              static_cast<std::uint16_t>(options.number("port", 0))});
    std::printf("http://127.0.0.1:%d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    bench::accept(server, acceptor);
    server.io.run();
    return 0;
}
