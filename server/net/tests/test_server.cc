#include "test_server.h"

#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include <boost/asio/post.hpp>

namespace net::test {

std::string Answer::field(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
        auto line = take_until(rest, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && equal_without_case(line.substr(0, colon), name)) {
            return std::string(trim(line.substr(colon + 1)));
        }
    }
    return {};
}

Client::Client(std::uint16_t port, const char* from)
    : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from, &address.sin_addr);
    if (bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        throw std::runtime_error("cannot bind");
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        throw std::runtime_error("cannot connect");
    }
}

Client::~Client() {
    close();
}

void Client::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Client::half_close() {
    shutdown(descriptor_, SHUT_WR);
}

void Client::reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close();
}

void Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return;  // the server has closed: what it said shows in the answer
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool Client::more() {
    std::array<char, 65536> buffer{};
    const auto count = recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    in_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

std::string Client::read_until(std::string_view text) {
    for (;;) {
        if (const auto at = in_.find(text); at != std::string::npos) {
            auto got = in_.substr(0, at + text.size());
            in_.erase(0, got.size());
            return got;
        }
        if (!more()) return std::exchange(in_, {});
    }
}

std::string Client::read_to_end() {
    while (more()) {
    }
    return std::exchange(in_, {});
}

bool Client::wait_for_close() {
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto count = recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (count == 0) return true;
        if (count < 0) return errno == ECONNRESET;
    }
}

Answer Client::read_answer(bool to_head) {
    Answer answer;
    answer.head = read_until("\r\n\r\n");
    if (!answer.head.starts_with("HTTP/1.1 ") || answer.head.size() < 12) return answer;
    std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
    if (to_head || answer.status == 304 || answer.status == 204 || answer.status == 100) return answer;
    if (answer.field("Transfer-Encoding") == "chunked") {
        for (;;) {
            const auto line = read_until("\r\n");
            std::size_t size = 0;
            if (std::from_chars(line.data(), line.data() + line.size(), size, 16).ec != std::errc{})
                return answer;
            while (in_.size() < size + 2 && more()) {
            }
            answer.body += in_.substr(0, size);
            in_.erase(0, size + 2);
            if (size == 0) return answer;
        }
    }
    const auto length_text = answer.field("Content-Length");
    if (length_text.empty()) {
        answer.body = read_to_end();
        return answer;
    }
    const auto length = std::stoull(length_text);
    while (in_.size() < length && more()) {
    }
    answer.body = in_.substr(0, length);
    in_.erase(0, length);
    return answer;
}

TestServer::TestServer(std::vector<Route> routes, ServerOptions options,
                       std::function<void(Server&)> configure)
    : server_(std::make_unique<Server>(runtime_, clock_, std::move(options))), tasks_(runtime_, "test") {
    server_->add_surface(Surface{"/api/", test_dialect, true});
    server_->add_routes(std::move(routes));
    if (configure) configure(*server_);
    auto listener = bind_listener("127.0.0.1:0");
    if (!listener) throw std::runtime_error(listener.error().message);
    port_ = static_cast<std::uint16_t>(std::stoi(listener->address.substr(listener->address.rfind(':') + 1)));
    const auto started = server_->start(*listener);
    if (!started) throw std::runtime_error(started.error().message);
    thread_ = std::thread([this] { runtime_.run(); });
}

TestServer::~TestServer() {
    stop(std::chrono::milliseconds(0));
    on_io([this] { server_.reset(); });
    runtime_.stop();
    thread_.join();
}

void TestServer::on_io(std::function<void()> work) {
    std::promise<void> done;
    boost::asio::post(runtime_.executor(), [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

namespace {
runtime::Task<void> stop_and_tell(Server& server, std::chrono::milliseconds grace,
                                  std::shared_ptr<std::promise<void>> done) {
    co_await server.stop(grace);
    done->set_value();
}
}  // namespace

std::future<void> TestServer::begin_stop(std::chrono::milliseconds grace) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    on_io([&] { tasks_.spawn(stop_and_tell(*server_, grace, done)); });
    return future;
}

void TestServer::stop(std::chrono::milliseconds grace) {
    begin_stop(grace).wait();
}

bool TestServer::wait_until_empty() {
    return eventually([&] {
        std::size_t count = 0;
        on_io([&] { count = server_->connections(); });
        return count == 0;
    });
}

Answer request(std::uint16_t port, std::string_view method, std::string_view path, std::string_view body,
               std::string_view more_headers) {
    Client client(port);
    std::string text(method);
    text += " ";
    text += path;
    text += " HTTP/1.1\r\nHost: test\r\n";
    text += more_headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    client.send(text);
    return client.read_answer(method == "HEAD");
}

Answer get(std::uint16_t port, std::string_view path, std::string_view more_headers) {
    return request(port, "GET", path, {}, more_headers);
}

namespace {
runtime::Task<Response> answer_with(std::shared_ptr<std::string> body) {
    co_return json(200, *body);
}
}  // namespace

Route fixed_route(std::string_view path, std::string body, RateClass rate) {
    auto kept = std::make_shared<std::string>(std::move(body));
    return Route{Method::get, path, "fixed", Auth::none,
                 rate,        0,    false,   [kept](Request) { return answer_with(kept); },
                 "Answers"};
}

namespace {
runtime::Task<Response> park(std::shared_ptr<Parking> parking) {
    struct Leaving {
        Parking& parking;
        ~Leaving() { ++parking.left; }
    } leaving{*parking};
    ++parking->entered;
    while (!parking->released) co_await runtime::sleep_for(std::chrono::milliseconds(2));
    co_return json(200, R"({"parked":true})");
}
}  // namespace

Route parking_route(Method method, std::string_view path, std::shared_ptr<Parking> parking, RateClass rate) {
    return Route{method, path, "park", Auth::none,
                 rate,   1024, false,  [parking](Request) { return park(parking); },
                 "Waits"};
}

bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 5000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
}

base::json::object body_of(const Answer& answer) {
    boost::system::error_code error;
    auto value = base::json::parse(answer.body, error);
    return value.is_object() ? value.as_object() : base::json::object{};
}

std::string code_of(const Answer& answer) {
    const auto body = body_of(answer);
    return std::string(base::get_string(body, "code").value_or("(no code)"));
}

Response test_dialect(const base::Error& error) {
    static constexpr std::array kStatuses{400, 401, 403, 404, 409, 413, 403, 429, 503, 504, 503, 500};
    auto response = json(kStatuses[static_cast<std::size_t>(error.kind)],
                         base::json::value{{"code", error.code}, {"error", error.message}});
    if (error.retry_after) {
        response.headers.set("Retry-After", std::to_string((error.retry_after->count() + 999) / 1000));
    }
    return response;
}

}  // namespace net::test
