#include "http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

namespace gateway {
namespace {

using namespace std::chrono_literals;

/// A listener on loopback that takes connections in the kernel and says nothing.
class SilentServer {
  public:
    explicit SilentServer(int backlog) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address_;
        EXPECT_EQ(::bind(listener_, generic(), length), 0);
        EXPECT_EQ(::listen(listener_, backlog), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &length), 0);
    }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    ~SilentServer() {
        for (const int fd : waiting_) ::close(fd);
        ::close(listener_);
    }
    /// Fills the queue of those that nobody accepts: the kernel drops what comes after.
    void fill() {
        for (int i = 0; i < 8; ++i) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            std::ignore = ::connect(fd, generic(), sizeof address_);
            waiting_.push_back(fd);
        }
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + "/v1"; }

  private:
    const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address_); }

    int listener_ = -1;
    sockaddr_in address_{};
    std::vector<int> waiting_;
};

/// Takes one connection after the other, and answers each of its requests in words; keeps what was asked.
class PlainServer {
  public:
    /// A connection is closed after so many answers. Each answer is thought about.
    explicit PlainServer(int answers_a_connection, std::chrono::milliseconds thought = 0ms)
        : answers_a_connection_(answers_a_connection), thought_(thought) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1";
        thread_ = std::jthread([this] { serve(); });
    }
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;
    ~PlainServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    std::string url;
    std::atomic<int> connections{0};
    std::vector<std::string> requests;  ///< whole; to be read once its answer is there

  private:
    void serve() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            ++connections;
            for (int i = 0; i < answers_a_connection_ && answer(fd); ++i) {
            }
            ::close(fd);
        }
    }
    bool answer(int fd) {
        std::string request;
        while (!is_whole(request)) {
            char bytes[4096];
            const auto count = ::recv(fd, bytes, sizeof bytes, 0);
            if (count <= 0) return false;
            request.append(bytes, static_cast<std::size_t>(count));
        }
        requests.push_back(request);
        std::this_thread::sleep_for(thought_);
        constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords";
        return ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0;
    }
    static bool is_whole(const std::string& request) {
        const auto head_end = request.find("\r\n\r\n");
        if (head_end == std::string::npos) return false;
        const auto field = request.find("Content-Length: ");
        const std::size_t length = field < head_end ? std::stoul(request.substr(field + 16)) : 0;
        return request.size() >= head_end + 4 + length;
    }

    int answers_a_connection_;
    std::chrono::milliseconds thought_;
    int listener_ = -1;
    std::jthread thread_;
};

class HttpClientTest : public testing::Test {
  protected:
    /// Runs a coroutine to its end, and what it left to be done afterwards.
    template <class T>
    T run(runtime::Task<T> task) {
        std::optional<T> result;
        boost::asio::co_spawn(runtime_.io(), std::move(task),
                              [&](std::exception_ptr, T value) { result = std::move(value); });
        runtime_.io().restart();
        while (!result && runtime_.io().run_one() > 0) {
        }
        while (runtime_.io().poll() > 0) {
        }
        return std::move(*result);
    }
    /// The answer to one request, or the code of its failure.
    std::string ask(HttpClient& http, HttpRequest request) {
        request.deadline = std::chrono::steady_clock::now() + 1h;
        request.use_proxy = false;
        return run(answer_to(http.start(std::move(request))));
    }
    static runtime::Task<std::string> answer_to(std::shared_ptr<HttpTransfer> transfer) {
        const auto by = std::chrono::steady_clock::now() + 20s;
        const auto status = co_await transfer->status(by);
        if (!status) co_return status.error().code;
        std::string text;
        for (;;) {
            auto piece = co_await transfer->read(by);
            if (!piece) co_return piece.error().code;
            if (piece->empty()) co_return text;
            text += *piece;
        }
    }
    /// The failure of a request, waited for at most `limit`.
    base::Error failure(const std::string& url, std::chrono::milliseconds connect_timeout,
                        std::chrono::milliseconds limit) {
        HttpClient http(runtime_);
        auto transfer = http.start({.url = url,
                                    .body = "{}",
                                    .connect_timeout = connect_timeout,
                                    .deadline = std::chrono::steady_clock::now() + 1h,
                                    .use_proxy = false});
        std::optional<base::Result<int>> result;
        boost::asio::co_spawn(
            runtime_.io(), transfer->status(std::chrono::steady_clock::now() + limit),
            [&](std::exception_ptr, base::Result<int> status) { result = std::move(status); });
        runtime_.io().restart();
        while (!result && runtime_.io().run_one() > 0) {
        }
        transfer.reset();
        return result && !*result ? result->error() : base::Error{};
    }

    runtime::Runtime runtime_;
};

TEST_F(HttpClientTest, a_connection_that_does_not_come_about_is_no_server_that_thinks) {
    SilentServer server(0);
    server.fill();
    const auto by_curl = failure(server.url(), 50ms, 1h);
    EXPECT_EQ(by_curl.code, "http.connect");
    EXPECT_EQ(by_curl.kind, base::ErrorKind::unavailable);
    EXPECT_EQ(failure(server.url(), 1h, 50ms).code, "http.connect") << "given up by the caller, not by curl";
}

TEST_F(HttpClientTest, a_request_that_was_sent_and_not_answered_is_a_timeout) {
    SilentServer server(8);
    const auto error = failure(server.url(), 3s, 200ms);
    EXPECT_EQ(error.code, "http.timeout");
    EXPECT_EQ(error.kind, base::ErrorKind::timeout);
}

TEST_F(HttpClientTest, where_nobody_listens_nobody_is_reached) {
    std::string url;
    {
        const SilentServer gone(8);
        url = gone.url();
    }
    EXPECT_EQ(failure(url, 3s, 1h).code, "http.connect");
}

TEST_F(HttpClientTest, a_connection_is_used_again) {
    PlainServer server(3);
    HttpClient http(runtime_);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(http, {.url = server.url, .body = "{}"}), "words");
    EXPECT_EQ(server.connections, 1);
}

TEST_F(HttpClientTest, a_connection_that_its_server_closed_is_replaced) {
    PlainServer server(2);
    HttpClient http(runtime_);
    for (int i = 0; i < 7; ++i) EXPECT_EQ(ask(http, {.url = server.url, .body = "{}"}), "words");
    EXPECT_EQ(server.connections, 4);
}

TEST_F(HttpClientTest, a_request_carries_nothing_of_the_one_before) {
    PlainServer server(8);
    HttpClient http(runtime_);
    EXPECT_EQ(
        ask(http, {.url = server.url, .headers = {{"Authorization", "Bearer secret"}}, .body = "the words"}),
        "words");
    EXPECT_EQ(ask(http, {.url = server.url + "/models", .method = "GET"}), "words");
    EXPECT_EQ(ask(http, {.url = server.url, .body = "others"}), "words");
    ASSERT_EQ(server.requests.size(), 3U);
    EXPECT_TRUE(server.requests[0].starts_with("POST /v1 "));
    EXPECT_TRUE(server.requests[0].ends_with("the words"));
    EXPECT_TRUE(server.requests[1].starts_with("GET /v1/models "));
    EXPECT_TRUE(server.requests[1].ends_with("\r\n\r\n")) << "no body";
    EXPECT_TRUE(server.requests[2].ends_with("\r\n\r\nothers"));
    for (const int later : {1, 2})
        EXPECT_EQ(server.requests[static_cast<std::size_t>(later)].find("Authorization"), std::string::npos);
}

TEST_F(HttpClientTest, nothing_leaves_before_a_transfer_begins) {
    PlainServer server(1);
    HttpClient http(runtime_);
    const auto transfer = http.prepare({.url = server.url,
                                        .body = "{}",
                                        .deadline = std::chrono::steady_clock::now() + 1h,
                                        .use_proxy = false});
    runtime_.io().restart();
    runtime_.io().run_for(50ms);
    EXPECT_EQ(server.connections, 0);
    transfer->begin();
    EXPECT_EQ(run(answer_to(transfer)), "words");
    EXPECT_EQ(server.connections, 1);
}

/// Longer than curl's own timers would hide that its socket is not heard.
constexpr auto kLongThought = 2500ms;

TEST_F(HttpClientTest, a_connection_that_did_not_come_about_is_not_in_the_way_of_the_next) {
    SilentServer silent(0);
    silent.fill();
    PlainServer server(8, kLongThought);
    HttpClient http(runtime_);
    EXPECT_EQ(ask(http, {.url = silent.url(), .body = "{}", .connect_timeout = 50ms}), "http.connect");
    EXPECT_EQ(ask(http, {.url = server.url, .body = "{}", .connect_timeout = 1s}), "words")
        << "its descriptor has the same number";
}

TEST_F(HttpClientTest, one_that_is_given_up_while_it_connects_is_not_in_the_way_of_the_next) {
    SilentServer silent(0);
    silent.fill();
    PlainServer server(8, kLongThought);
    HttpClient http(runtime_);
    auto connecting = http.start({.url = silent.url(),
                                  .body = "{}",
                                  .deadline = std::chrono::steady_clock::now() + 1h,
                                  .use_proxy = false});
    runtime_.io().restart();
    runtime_.io().run_for(20ms);
    connecting.reset();
    EXPECT_EQ(ask(http, {.url = server.url, .body = "{}", .connect_timeout = 1s}), "words");
}

TEST_F(HttpClientTest, one_that_never_began_or_was_given_up_leaves_the_client_whole) {
    PlainServer server(8);
    HttpClient http(runtime_);
    const HttpRequest request{.url = server.url,
                              .body = "{}",
                              .deadline = std::chrono::steady_clock::now() + 1h,
                              .use_proxy = false};
    http.prepare(request).reset();
    http.start(request).reset();  // under way
    auto aborted = http.start(request);
    aborted->abort();
    EXPECT_EQ(run(answer_to(aborted)), "http.aborted");
    aborted.reset();
    EXPECT_EQ(ask(http, request), "words");
}

}  // namespace
}  // namespace gateway
