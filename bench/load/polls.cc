// Long-polls: how fast they wake, what they weigh, and an initial sync.

#include "commands.h"
#include "connection.h"
#include "latencies.h"
#include "people.h"

#include <poll.h>
#include <unistd.h>

#include <functional>
#include <numeric>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bench {
namespace {

/// {"room":{"timeline":{"limit":N},"state":{"lazy_load_members":true}}}
std::string filter_of(std::int64_t limit) {
    return "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22limit%22:" + std::to_string(limit) +
           "%7D,%22state%22:%7B%22lazy_load_members%22:true%7D%7D%7D";
}

std::string sync_target(std::int64_t limit, std::string_view since, std::int64_t timeout_ms) {
    std::string target = "/_matrix/client/v3/sync?set_presence=offline" + filter_of(limit);
    target += "&timeout=" + std::to_string(timeout_ms);
    if (!since.empty()) target.append("&since=").append(since);
    return target;
}

/// One device that has everything and waits for news.
struct Waiter {
    const Person* person = nullptr;
    std::shared_ptr<Connection> connection;
    std::string since;
    Clock::time_point answered_at;
    bool is_parked = false;
};

class Waiters {
  public:
    Waiters(asio::io_context& io, const std::vector<Person>& people, const Endpoint& endpoint,
            std::size_t count)
        : io_(io), waiters_(count) {
        for (std::size_t i = 0; i < count; ++i) {
            waiters_[i].person = &people[i % people.size()];
            waiters_[i].connection = std::make_shared<Connection>(io, endpoint);
        }
    }

    /// The first sync of each, so many at a time.
    bool fetch_first() {
        for (std::size_t i = 0; i < std::min<std::size_t>(16, waiters_.size()); ++i) fetch_next();
        io_.restart();
        if (fetched_ < waiters_.size()) io_.run();
        return failed_ == 0;
    }

    /// Those that are not parked: who had more unread than its first sync counted is told the whole first.
    void park_all(std::int64_t timeout_ms) {
        for (auto& waiter : waiters_) {
            if (!waiter.is_parked) park(waiter, timeout_ms);
        }
    }

    std::vector<Waiter>& all() { return waiters_; }
    std::size_t parked() const { return parked_; }
    std::uint64_t failed() const { return failed_; }
    std::function<void()> on_answer = [] {};

  private:
    void fetch_next() {
        if (next_ >= waiters_.size()) return;
        auto& waiter = waiters_[next_++];
        if (!waiter.connection->open()) {
            ++failed_;
            io_.stop();
            return;
        }
        waiter.connection->ask(request_text("GET", sync_target(1, "", 0), waiter.person->token, ""),
                               [this, &waiter](const Answer& answer) {
                                   if (answer.status != 200) ++failed_;
                                   waiter.since = json_text(answer.body, "next_batch");
                                   fetch_next();
                                   if (++fetched_ == waiters_.size()) io_.stop();
                               });
    }
    void park(Waiter& waiter, std::int64_t timeout_ms) {
        waiter.is_parked = true;
        ++parked_;
        waiter.connection->ask(
            request_text("GET", sync_target(10, waiter.since, timeout_ms), waiter.person->token, ""),
            [this, &waiter](const Answer& answer) {
                waiter.answered_at = Clock::now();
                waiter.is_parked = false;
                --parked_;
                if (answer.status != 200) {
                    ++failed_;
                } else {
                    waiter.since = json_text(answer.body, "next_batch");
                    bytes += answer.body.size();
                }
                on_answer();
            });
    }

    asio::io_context& io_;
    std::vector<Waiter> waiters_;
    std::size_t next_ = 0;
    std::size_t fetched_ = 0;
    std::size_t parked_ = 0;
    std::uint64_t failed_ = 0;

  public:
    std::uint64_t bytes = 0;
};

void run_for(asio::io_context& io, std::chrono::milliseconds time) {
    asio::steady_timer timer(io, time);
    timer.async_wait([&](boost::system::error_code error) {
        if (!error) io.stop();  // else it ended earlier, and this is of the run before
    });
    io.restart();
    io.run();
}

int fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    return 1;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace

int wake(const Options& options) {
    const auto people = read_people(options.text("people"));
    const auto senders = read_people(options.text("sender"));
    const auto endpoint = loopback_endpoint(options.text("url"));
    const auto count = static_cast<std::size_t>(options.number("waiters", 1));
    const auto rounds = options.number("rounds", 5);
    asio::io_context io{1};
    Waiters waiters(io, people, endpoint, count);
    if (!waiters.fetch_first()) return fail("the first syncs failed");
    auto sender = std::make_shared<Connection>(io, endpoint);
    if (!sender->open()) return 1;

    std::vector<double> after_ack, after_request, ack;
    for (std::int64_t round = 0; round < rounds; ++round) {
        waiters.park_all(60'000);
        run_for(io, std::chrono::milliseconds(150 + static_cast<std::int64_t>(count) / 4));
        if (waiters.parked() != count) continue;  // something else woke them
        const auto sent_at = Clock::now();
        auto acknowledged_at = sent_at;
        bool is_acknowledged = false;
        const auto stop_when_done = [&] {
            if (waiters.parked() == 0 && is_acknowledged) io.stop();
        };
        waiters.on_answer = stop_when_done;
        const auto txn =
            std::to_string(::getpid()) + "." + std::to_string(sent_at.time_since_epoch().count());
        sender->ask(request_text("PUT", send_target(senders.front().rooms.front(), txn),
                                 senders.front().token, message_body(static_cast<std::uint64_t>(round))),
                    [&](const Answer& answer) {
                        acknowledged_at = Clock::now();
                        is_acknowledged = answer.status == 200;
                        stop_when_done();
                    });
        run_for(io, std::chrono::seconds(20));
        waiters.on_answer = [] {};
        if (waiters.parked() != 0) return fail("somebody was not woken");
        if (!is_acknowledged) return fail("the message was not acknowledged");
        auto last = sent_at;
        for (const auto& waiter : waiters.all()) last = std::max(last, waiter.answered_at);
        ack.push_back(seconds_between(sent_at, acknowledged_at) * 1000);
        after_request.push_back(seconds_between(sent_at, last) * 1000);
        after_ack.push_back(std::max(0.0, seconds_between(acknowledged_at, last) * 1000));
    }
    if (waiters.failed() > 0) return fail("a long-poll failed");
    if (after_ack.empty()) return fail("the long-polls do not stay parked");
    std::printf(
        R"({"rounds":%zu,"after_ack_ms":%.4f,"after_request_ms":%.4f,"ack_ms":%.4f,"answer_bytes":%llu})"
        "\n",
        after_ack.size(), median(after_ack), median(after_request), median(ack),
        static_cast<unsigned long long>(waiters.bytes / (count * after_ack.size())));
    return 0;
}

int park(const Options& options) {
    const auto people = read_people(options.text("people"));
    const auto endpoint = loopback_endpoint(options.text("url"));
    const auto count = static_cast<std::size_t>(options.number("count", 10'000));
    asio::io_context io{1};
    Waiters waiters(io, people, endpoint, count);
    if (!waiters.fetch_first()) return 1;
    std::puts("fetched");
    std::fflush(stdout);
    (void)std::getchar();
    waiters.park_all(300'000);
    run_for(io, std::chrono::seconds(2));
    std::printf("parked %zu\n", waiters.parked());
    std::fflush(stdout);
    asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
    input.async_wait(asio::posix::descriptor_base::wait_read, [&](boost::system::error_code) { io.stop(); });
    run_for(io, std::chrono::seconds(80));
    return waiters.failed() == 0 ? 0 : 1;
}

int initial_sync(const Options& options) {
    const auto people = read_people(options.text("people"));
    const auto endpoint = loopback_endpoint(options.text("url"));
    const auto rounds = options.number("rounds", 1);
    asio::io_context io{1};
    auto connection = std::make_shared<Connection>(io, endpoint);
    if (!connection->open()) return 1;
    std::vector<double> times;
    std::size_t bytes = 0;
    for (std::int64_t i = 0; i < rounds; ++i) {
        const auto began = Clock::now();
        connection->ask(
            request_text("GET", sync_target(options.number("limit", 10), "", 0), people.front().token, ""),
            [&](const Answer& answer) {
                if (answer.status == 200) {
                    times.push_back(seconds_between(began, Clock::now()) * 1000);
                    bytes = answer.body.size();
                }
                io.stop();
            });
        io.restart();
        io.run();
    }
    if (times.empty()) return 1;
    std::printf(R"({"ms":%.3f,"bytes":%zu,"rounds":%zu})"
                "\n",
                median(times), bytes, times.size());
    return 0;
}

}  // namespace bench
