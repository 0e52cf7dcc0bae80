#include "http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
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

class HttpClientTest : public testing::Test {
  protected:
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

}  // namespace
}  // namespace gateway
