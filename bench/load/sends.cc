// Sends: in a closed loop of so many connections, or at a rate whatever the server does.

#include "commands.h"
#include "connection.h"
#include "latencies.h"
#include "people.h"

#include <unistd.h>

#include <random>

#include <boost/asio/steady_timer.hpp>

namespace bench {
namespace {

using std::chrono::milliseconds;

std::string run_name() {
    return std::to_string(::getpid()) + "." +
           std::to_string(std::chrono::system_clock::now().time_since_epoch().count() / 1000);
}

struct Load {
    explicit Load(const Options& options)
        : people(read_people(options.text("people"))),
          endpoint(loopback_endpoint(options.text("url"))),
          one_room(options.number("one-room", 0) != 0),
          begin(Clock::now() + milliseconds(options.number("warm-ms", 300))),
          end(begin + milliseconds(options.number("ms", 3000))) {}

    std::vector<Person> people;
    Endpoint endpoint;
    bool one_room;
    Clock::time_point begin, end;
    asio::io_context io{1};
    std::string name = run_name();
    std::uint64_t number = 0;
    std::uint64_t failed = 0;
    std::uint64_t acknowledged = 0;  // warm-up too
    Latencies latencies;
    std::mt19937_64 random{7};

    std::string next_request(const Person& person) {
        const auto& room = person.rooms[one_room ? 0 : random() % person.rooms.size()];
        const auto txn = name + "." + std::to_string(++number);
        return request_text("PUT", send_target(room, txn), person.token, message_body(number));
    }
    void count(const Answer& answer, Clock::time_point began) {
        const auto now = Clock::now();
        if (answer.status != 200) {
            ++failed;
            return;
        }
        ++acknowledged;
        if (began >= begin && now <= end) latencies.add(now - began);
    }
};

struct Writer : std::enable_shared_from_this<Writer> {
    Writer(Load& load_in, const Person& person_in)
        : load(load_in),
          person(person_in),
          connection(std::make_shared<Connection>(load.io, load.endpoint)) {}
    Load& load;
    const Person& person;
    std::shared_ptr<Connection> connection;

    void loop() {
        const auto began = Clock::now();
        if (began >= load.end) {
            connection->close();
            return;
        }
        if (!connection->is_open() && !connection->open()) {
            ++load.failed;
            return;
        }
        connection->ask(load.next_request(person), [self = shared_from_this(), began](const Answer& answer) {
            self->load.count(answer, began);
            self->loop();
        });
    }
};

/// Sends what is due, each on a connection that is free; what finds none free waits its turn, and its latency
/// counts from when it was due.
class Pacer : public std::enable_shared_from_this<Pacer> {
  public:
    Pacer(Load& load, double rate, std::size_t connections) : load_(load), rate_(rate), timer_(load.io) {
        for (std::size_t i = 0; i < connections; ++i) {
            auto connection = std::make_shared<Connection>(load.io, load.endpoint);
            if (connection->open()) free_.push_back({connection, &load.people[i % load.people.size()]});
        }
        start_ = Clock::now();
    }
    void tick() {
        const auto now = Clock::now();
        pump(now);
        if (now >= load_.end) {
            is_over_ = true;
            if (under_way_ == 0) close();
            return;
        }
        timer_.expires_after(std::chrono::microseconds(500));
        timer_.async_wait([self = shared_from_this()](boost::system::error_code) { self->tick(); });
    }

  private:
    struct Place {
        std::shared_ptr<Connection> connection;
        const Person* person;
    };
    void pump(Clock::time_point now) {
        while (!free_.empty() && !is_over_) {
            const auto due = start_ + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(static_cast<double>(sent_) / rate_));
            if (due > now) return;
            ++sent_;
            auto place = free_.front();
            free_.erase(free_.begin());
            ++under_way_;
            place.connection->ask(load_.next_request(*place.person),
                                  [self = shared_from_this(), place, due](const Answer& answer) {
                                      self->load_.count(answer, due);
                                      --self->under_way_;
                                      if (place.connection->is_open() || place.connection->open())
                                          self->free_.push_back(place);
                                      self->pump(Clock::now());
                                      if (self->is_over_ && self->under_way_ == 0) self->close();
                                  });
        }
    }
    void close() {
        for (auto& place : free_) place.connection->close();
    }

    Load& load_;
    double rate_;
    asio::steady_timer timer_;
    std::vector<Place> free_;
    Clock::time_point start_;
    std::uint64_t sent_ = 0;
    std::size_t under_way_ = 0;
    bool is_over_ = false;
};

}  // namespace

int send_load(const Options& options) {
    Load load(options);
    const auto connections = static_cast<std::size_t>(options.number("connections", 64));
    std::vector<std::shared_ptr<Writer>> writers;
    if (const double rate = options.real("rate", 0); rate > 0) {
        auto pacer = std::make_shared<Pacer>(load, rate, connections);
        pacer->tick();
        load.io.run();
    } else {
        for (std::size_t i = 0; i < connections; ++i) {
            writers.push_back(std::make_shared<Writer>(load, load.people[i % load.people.size()]));
            writers.back()->loop();
        }
        load.io.run();
    }
    const double took = seconds_between(load.begin, load.end);
    std::printf(R"({"rate":%.1f,"acknowledged":%llu,"failed":%llu,%s})"
                "\n",
                static_cast<double>(load.latencies.count()) / took,
                static_cast<unsigned long long>(load.acknowledged),
                static_cast<unsigned long long>(load.failed), load.latencies.json().c_str());
    return 0;
}

int send_pairs(const Options& options) {
    const auto people = read_people(options.text("people"));
    const auto endpoint = loopback_endpoint(options.text("url"));
    const auto pairs = static_cast<std::size_t>(options.number("count", 1000));
    const bool with_sync = options.number("sync", 1) != 0;
    asio::io_context io{1};
    Latencies latencies;
    std::uint64_t failed = 0;
    // One person on one connection after another, so that each sync has just one event to bring.
    const auto& person = people.front();
    auto connection = std::make_shared<Connection>(io, endpoint);
    if (!connection->open()) return 1;
    const auto name = run_name();
    std::string since;
    std::size_t done = 0;
    std::function<void()> send;
    const std::string filter =
        "&filter=%7B%22room%22:%7B%22state%22:%7B%22lazy_load_members%22:true%7D%7D%7D";
    const auto sync = [&](std::function<void()> then) {
        const auto target = "/_matrix/client/v3/sync?timeout=0&set_presence=offline" + filter +
                            (since.empty() ? "" : "&since=" + since);
        connection->ask(request_text("GET", target, person.token, ""), [&, then](const Answer& answer) {
            if (answer.status != 200) ++failed;
            since = json_text(answer.body, "next_batch");
            then();
        });
    };
    send = [&] {
        if (done++ >= pairs) {
            connection->close();
            return;
        }
        const auto began = Clock::now();
        const auto& room = person.rooms.front();
        connection->ask(request_text("PUT", send_target(room, name + "." + std::to_string(done)),
                                     person.token, message_body(done)),
                        [&, began](const Answer& answer) {
                            if (answer.status != 200) ++failed;
                            if (!with_sync) {
                                latencies.add(Clock::now() - began);
                                send();
                                return;
                            }
                            sync([&, began] {
                                latencies.add(Clock::now() - began);
                                send();
                            });
                        });
    };
    // What is before the first pair is not counted: the caller takes the server's CPU time when this is said.
    sync([&] {
        std::puts("ready");
        std::fflush(stdout);
        (void)std::getchar();
        send();
    });
    io.run();
    std::printf(R"({"failed":%llu,%s})"
                "\n",
                static_cast<unsigned long long>(failed), latencies.json().c_str());
    return 0;
}

}  // namespace bench
