// What an answer looks like: compression, HEAD, conditions, ranges, CORS, faults, metrics.
#include "test_server.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <gtest/gtest.h>

namespace net::test {
namespace {

std::string gunzip(std::string_view packed) {
    std::string out(4'000'000, '\0');
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    return out;
}

std::string long_json(std::size_t size) {
    std::string text = "[0";
    while (text.size() < size) text += "," + std::to_string(text.size());
    return text + "]";
}

TEST(Compression, is_for_json_over_the_threshold_where_it_is_accepted) {
    const auto small = long_json(500);
    const auto medium = long_json(5'000);
    const auto large = long_json(500'000);  // compressed on the pool
    TestServer server({fixed_route("/api/small", small), fixed_route("/api/medium", medium),
                       fixed_route("/api/large", large)});
    const auto port = server.port();
    EXPECT_EQ(get(port, "/api/small", "Accept-Encoding: gzip\r\n").body, small);
    for (const auto& [path, text] : {std::pair("/api/medium", medium), std::pair("/api/large", large)}) {
        const auto packed = get(port, path, "Accept-Encoding: br, gzip\r\n");
        EXPECT_EQ(packed.field("Content-Encoding"), "gzip");
        EXPECT_EQ(packed.field("Vary"), "Accept-Encoding");
        EXPECT_LT(packed.body.size(), text.size());
        EXPECT_EQ(gunzip(packed.body), text);
        const auto plain = get(port, path);
        EXPECT_EQ(plain.body, text);
        EXPECT_EQ(plain.field("Vary"), "Accept-Encoding");
        EXPECT_EQ(get(port, path, "Accept-Encoding: gzip;q=0\r\n").body, text);
    }
}

TEST(Head, is_answered_like_get_without_the_body) {
    TestServer server({fixed_route("/api/hello", "{\"a\":1}")});
    Client client(server.port());
    client.send("HEAD /api/hello HTTP/1.1\r\nHost: t\r\n\r\nGET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto head = client.read_answer(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), "7");
    EXPECT_EQ(client.read_answer().body, "{\"a\":1}");
}

constexpr std::size_t kFileBytes = 1'000'000;
std::string file_text() {
    std::string text;
    while (text.size() < kFileBytes) text += std::to_string(text.size()) + ",";
    text.resize(kFileBytes);
    return text;
}

runtime::Task<Response> file_handler(Request) {
    const int descriptor = memfd_create("net-test", MFD_CLOEXEC);
    const auto text = file_text();
    std::ignore = write(descriptor, text.data(), text.size());
    Response response;
    response.headers.add("Content-Type", "text/plain");
    response.headers.add("ETag", "\"v1\"");
    response.headers.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    response.file = FileBody{descriptor, text.size()};
    co_return response;
}

class File : public testing::Test {
  protected:
    TestServer server{
        {Route{Method::get, "/api/file", "file", Auth::none, RateClass::none, 0, false, file_handler, ""}}};
    std::string text = file_text();
    Answer fetch(std::string_view headers = {}) { return get(server.port(), "/api/file", headers); }
};

TEST_F(File, is_sent_whole) {
    const auto answer = fetch();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Accept-Ranges"), "bytes");
    EXPECT_EQ(answer.body, text);
    const auto head = request(server.port(), "HEAD", "/api/file", "");
    EXPECT_EQ(head.field("Content-Length"), std::to_string(kFileBytes));
}

TEST_F(File, is_sent_in_part) {
    const auto part = fetch("Range: bytes=10-300009\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.field("Content-Range"), "bytes 10-300009/1000000");
    EXPECT_EQ(part.body, text.substr(10, 300'000));
    EXPECT_EQ(fetch("Range: bytes=-5\r\n").body, text.substr(kFileBytes - 5));
    const auto beyond = fetch("Range: bytes=1000000-\r\n");
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.field("Content-Range"), "bytes */1000000");
    EXPECT_EQ(beyond.body, "");
    EXPECT_EQ(fetch("Range: bytes=0-1,5-6\r\n").status, 200);
    EXPECT_EQ(fetch("Range: bytes=0-1\r\nIf-Range: \"v1\"\r\n").status, 206);
    EXPECT_EQ(fetch("Range: bytes=0-1\r\nIf-Range: \"v0\"\r\n").status, 200);
    EXPECT_EQ(fetch("Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 206);
}

TEST_F(File, is_not_sent_again_to_whom_has_it) {
    const auto same = fetch("If-None-Match: \"v0\", W/\"v1\"\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.field("ETag"), "\"v1\"");
    EXPECT_FALSE(same.has("Content-Length"));
    EXPECT_EQ(fetch("If-None-Match: \"v2\"\r\n").status, 200);
    EXPECT_EQ(fetch("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 304);
    EXPECT_EQ(fetch("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n").status, 200);
    EXPECT_EQ(fetch("If-Modified-Since: nonsense\r\n").status, 200);
    // The entity tag decides where both are given.
    EXPECT_EQ(fetch("If-None-Match: \"v2\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status,
              200);
    // A condition goes before a range.
    EXPECT_EQ(fetch("If-None-Match: \"v1\"\r\nRange: bytes=0-1\r\n").status, 304);
}

TEST_F(File, has_ranges_for_get_alone) {
    const auto head = request(server.port(), "HEAD", "/api/file", "", "Range: bytes=0-1\r\n");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), std::to_string(kFileBytes));
}

int count_descriptors() {
    int open = 0;
    for (int fd = 0; fd < 1024; ++fd) open += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
}

TEST(CancelledFile, gives_its_descriptor_back) {
    // The client goes away after the handler's last wait: the answer is whole, and is never sent.
    std::atomic<int> entered = 0;
    const auto answer_when_cancelled = [&](Request) -> runtime::Task<Response> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        auto response = co_await file_handler(Request{});
        ++entered;
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        while (state.cancelled() == boost::asio::cancellation_type::none)
            co_await runtime::sleep_for(std::chrono::milliseconds(1));
        co_await boost::asio::this_coro::throw_if_cancelled(true);
        co_return response;
    };
    TestServer server({Route{Method::get, "/api/file", "file", Auth::none, RateClass::none, 0, false,
                             answer_when_cancelled, ""}});
    const int before = count_descriptors();
    for (int i = 1; i <= 3; ++i) {
        Client client(server.port());
        client.send("GET /api/file HTTP/1.1\r\nHost: t\r\n\r\n");
        ASSERT_TRUE(eventually([&] { return entered == i; }));
        client.close();
        ASSERT_TRUE(server.wait_until_empty());
    }
    EXPECT_EQ(count_descriptors(), before);
}

TEST_F(File, descriptors_are_given_back) {
    ASSERT_TRUE(server.wait_until_empty());
    const int before = count_descriptors();
    for (int i = 0; i < 5; ++i) {
        fetch();
        fetch("If-None-Match: \"v1\"\r\n");
        fetch("Range: bytes=1000000-\r\n");
        Client client(server.port());
        client.send("GET /api/file HTTP/1.1\r\nHost: t\r\n\r\n");
        client.read_until("\r\n\r\n");
        client.reset();
    }
    ASSERT_TRUE(server.wait_until_empty());
    EXPECT_EQ(count_descriptors(), before);
}

TEST(Cors, is_on_every_answer_of_its_surface_and_preflights_ask_nobody) {
    const auto refuse = [](std::string) -> runtime::Task<base::Result<Principal>> {
        co_return base::fail(base::ErrorKind::unauthenticated, "x.y", "");
    };
    auto locked = fixed_route("/api/locked", "{}");
    locked.auth = Auth::required;
    TestServer server({locked, fixed_route("/other/hello", "{}")}, {},
                      [&](Server& made) { made.set_authenticator(refuse); });
    const auto port = server.port();
    const auto expect_cors = [](const Answer& answer) {
        EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(answer.field("Access-Control-Allow-Methods"), "GET, POST, PUT, DELETE, OPTIONS");
        EXPECT_EQ(answer.field("Access-Control-Allow-Headers"),
                  "X-Requested-With, Content-Type, Authorization");
    };
    const auto preflight =
        request(port, "OPTIONS", "/api/locked", "", "Access-Control-Request-Method: GET\r\n");
    EXPECT_EQ(preflight.status, 200);
    EXPECT_EQ(preflight.field("Access-Control-Max-Age"), "86400");
    expect_cors(preflight);
    const auto refused = get(port, "/api/locked");
    EXPECT_EQ(refused.status, 401);
    expect_cors(refused);
    expect_cors(get(port, "/api/nothing"));
    EXPECT_EQ(request(port, "OPTIONS", "/api/nothing", "").status, 200);
    EXPECT_FALSE(get(port, "/other/hello").has("Access-Control-Allow-Origin"));
    EXPECT_EQ(request(port, "OPTIONS", "/other/hello", "").status, 405);
}

runtime::Task<Response> faulty(Request) {
    throw std::runtime_error("UNIQUE constraint failed: secrets.token");
    co_return Response{};
}

TEST(Faults, of_a_handler_are_500_without_a_word_of_what_happened) {
    TestServer server(
        {Route{Method::get, "/api/fault", "fault", Auth::none, RateClass::none, 0, false, faulty, ""},
         fixed_route("/api/hello", "{}")});
    Client client(server.port());
    client.send("GET /api/fault HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(code_of(answer), "net.fault");
    EXPECT_EQ(answer.body.find("secrets"), std::string::npos);
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Faults, of_a_dialect_are_500_too) {
    TestServer server({}, {}, [](Server& made) {
        made.add_surface(Surface{
            "/broken/", [](const base::Error&) -> Response { throw std::runtime_error("x"); }, false});
    });
    EXPECT_EQ(get(server.port(), "/broken/a").status, 404);
}

TEST(Metrics, count_by_class_and_status_never_by_path) {
    TestServer server({fixed_route("/api/hello", "{}", RateClass::read)});
    get(server.port(), "/api/hello");
    get(server.port(), "/api/nothing");
    ASSERT_TRUE(server.wait_until_empty());
    const auto text = server.runtime().metrics().text();
    EXPECT_NE(text.find("http_request_seconds_count{class=\"read\",status=\"2xx\"} 1"), std::string::npos)
        << text;
    EXPECT_NE(text.find("http_request_seconds_count{class=\"none\",status=\"4xx\"} 1"), std::string::npos);
    EXPECT_NE(text.find("http_connections 0"), std::string::npos);
    EXPECT_NE(text.find("io_lag_seconds"), std::string::npos);
    EXPECT_EQ(text.find("/api"), std::string::npos);
}

runtime::Task<Response> tell_peer(Request request) {
    co_return json(200, base::json::value{{"peer", request.peer_address}});
}

TEST(PeerAddress, comes_from_a_trusted_proxy_alone) {
    const Route route{Method::get, "/api/peer", "peer", Auth::none, RateClass::none, 0, false, tell_peer, ""};
    const auto peer = [](TestServer& server) {
        return std::string(body_of(get(server.port(), "/api/peer",
                                       "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\n"))
                               .at("peer")
                               .as_string());
    };
    TestServer direct({route});
    EXPECT_EQ(peer(direct), "127.0.0.1");
    TestServer behind({route}, ServerOptions{.trusted_proxies = {"127.0.0.0/8"}});
    EXPECT_EQ(peer(behind), "1.2.3.4");
}

}  // namespace
}  // namespace net::test
