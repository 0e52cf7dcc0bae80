#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <net/server.h>
#include <runtime/runtime.h>
#include <runtime/task_group.h>

namespace net::test {

/// What came back over a raw socket, taken apart.
struct Answer {
    int status = 0;
    std::string head;  // lower-case names are not assumed: look by field()
    std::string body;  // chunks put together
    std::string field(std::string_view name) const;
    bool has(std::string_view name) const { return !field(name).empty(); }
};

/// A client that sends exactly the bytes it is told to. Reading fails (with what came) after ten seconds
/// without a byte: a bound for broken tests, never a measure.
class Client {
  public:
    /// `from`: the address of loopback (127.0.0.0/8) that it comes from.
    explicit Client(std::uint16_t port, const char* from = "127.0.0.1");
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes);
    /// Reads one answer. `to_head`: the request was HEAD, so no body follows.
    Answer read_answer(bool to_head = false);
    /// Reads until `text` has come; returns everything up to and with it.
    std::string read_until(std::string_view text);
    /// Reads until the server closes; true when it did.
    bool wait_for_close();
    std::string read_to_end();
    void half_close();
    void reset();
    void close();
    int descriptor() const { return descriptor_; }

  private:
    bool more();
    int descriptor_ = -1;
    std::string in_;
};

/// Runs as time does, and leaps or fails when it is told to. Any thread.
class LeapingClock final : public base::Clock {
  public:
    std::int64_t now_ms() const override { return system_.now_ms() + leapt_ms_; }
    std::chrono::steady_clock::time_point steady_now() const override {
        if (fails_) {
            ++faults_;
            throw std::runtime_error("no time");
        }
        return system_.steady_now() + std::chrono::milliseconds(leapt_ms_);
    }
    void leap(std::chrono::milliseconds by) { leapt_ms_ += by.count(); }
    /// For as long as it is so, asking it is a fault: as nearly anything can be where memory is short.
    void set_fails(bool fails) { fails_ = fails; }
    int faults() const { return faults_; }

  private:
    base::SystemClock system_;
    std::atomic<std::int64_t> leapt_ms_{0};
    std::atomic<bool> fails_{false};
    mutable std::atomic<int> faults_{0};
};

/// A real server on a port of the kernel's choice, its I/O thread beside the test's.
class TestServer {
  public:
    explicit TestServer(std::vector<Route> routes, ServerOptions options = {},
                        std::function<void(Server&)> configure = {});
    ~TestServer();
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    std::uint16_t port() const { return port_; }
    Server& server() { return *server_; }
    runtime::Runtime& runtime() { return runtime_; }
    LeapingClock& clock() { return clock_; }
    /// Runs `work` on the I/O thread and waits for it.
    void on_io(std::function<void()> work);
    /// Stops the server as a shutdown does; waits for the end.
    void stop(std::chrono::milliseconds grace = std::chrono::seconds(5));
    /// The same, without waiting.
    std::future<void> begin_stop(std::chrono::milliseconds grace);
    /// Waits until no connection is left.
    bool wait_until_empty();

  private:
    runtime::Runtime runtime_;
    LeapingClock clock_;
    std::unique_ptr<Server> server_;
    runtime::TaskGroup tasks_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// One GET, one answer, over a connection of its own.
Answer get(std::uint16_t port, std::string_view path, std::string_view more_headers = {});
/// Any request with its body over a connection of its own.
Answer request(std::uint16_t port, std::string_view method, std::string_view path, std::string_view body,
               std::string_view more_headers = {});

/// A route that answers with `body` as JSON.
Route fixed_route(std::string_view path, std::string body, RateClass rate = RateClass::none);
/// A handler that waits until it is released, as a long-poll does.
struct Parking {
    std::atomic<int> entered{0};
    std::atomic<int> left{0};  // by whatever way, cancellation included
    std::atomic<bool> released{false};
};
Route parking_route(Method method, std::string_view path, std::shared_ptr<Parking> parking,
                    RateClass rate = RateClass::none);

/// Whether `condition` comes true within a bound for broken tests.
bool eventually(const std::function<bool()>& condition);

base::json::object body_of(const Answer& answer);
/// The code that test_dialect() put into an error.
std::string code_of(const Answer& answer);

/// "code" as JSON, with the status that its kind has in Matrix.
Response test_dialect(const base::Error& error);

}  // namespace net::test
