// Sends through any number of deaths of the server: each is repeated, with its transaction id, until it is
// acknowledged; what was acknowledged is written down.

#include "commands.h"
#include "connection.h"
#include "people.h"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bench {
namespace {

struct Storm {
    explicit Storm(const Options& options)
        : people(read_people(options.text("people"))),
          endpoint(loopback_endpoint(options.text("url"))),
          log(options.text("log")) {}
    std::vector<Person> people;
    Endpoint endpoint;
    std::ofstream log;  // "txn event_id" a line
    asio::io_context io{1};
    bool is_ending = false;
    std::uint64_t acknowledged = 0;
    std::uint64_t repeated = 0;
    std::uint64_t refused = 0;  // answers other than 200: there should be none
    std::size_t writers = 0;
};

struct Writer : std::enable_shared_from_this<Writer> {
    Writer(Storm& storm_in, std::size_t number_in)
        : storm(storm_in),
          person(storm.people[number_in % storm.people.size()]),
          number(number_in),
          connection(std::make_shared<Connection>(storm.io, storm.endpoint)),
          timer(storm.io) {}
    Storm& storm;
    const Person& person;
    std::size_t number;
    std::uint64_t turn = 0;
    std::shared_ptr<Connection> connection;
    asio::steady_timer timer;

    void next() {
        if (storm.is_ending) {
            connection->close();
            if (--storm.writers == 0) storm.io.stop();
            return;
        }
        ++turn;
        send();
    }
    void send() {
        if (!connection->is_open()) {
            connection = std::make_shared<Connection>(storm.io, storm.endpoint);
            if (!connection->open()) return later();
        }
        const auto txn = "storm-" + std::to_string(number) + "-" + std::to_string(turn);
        connection->ask(request_text("PUT", send_target(person.rooms.front(), txn), person.token,
                                     R"({"msgtype":"m.text","body":")" + txn + "\"}"),
                        [self = shared_from_this(), txn](const Answer& answer) {
                            if (answer.status == 200) {
                                self->storm.log << txn << ' ' << json_text(answer.body, "event_id") << '\n';
                                ++self->storm.acknowledged;
                                return self->next();
                            }
                            if (answer.status != 0) ++self->storm.refused;
                            ++self->storm.repeated;
                            self->later();
                        });
    }
    void later() {
        timer.expires_after(std::chrono::milliseconds(5));
        timer.async_wait([self = shared_from_this()](boost::system::error_code) { self->send(); });
    }
};

}  // namespace

int storm(const Options& options) {
    Storm storm(options);
    std::vector<std::shared_ptr<Writer>> writers;
    storm.writers = static_cast<std::size_t>(options.number("connections", 8));
    for (std::size_t i = 0; i < storm.writers; ++i) {
        writers.push_back(std::make_shared<Writer>(storm, i));
        writers.back()->next();
    }
    // A byte on standard input asks how many were acknowledged; its end asks to finish.
    asio::posix::stream_descriptor input(storm.io, ::dup(STDIN_FILENO));
    std::function<void()> listen = [&] {
        input.async_wait(asio::posix::descriptor_base::wait_read, [&](boost::system::error_code error) {
            char byte = 0;
            if (error || ::read(input.native_handle(), &byte, 1) != 1) {
                storm.is_ending = true;
                return;
            }
            std::printf("%llu\n", static_cast<unsigned long long>(storm.acknowledged));
            std::fflush(stdout);
            listen();
        });
    };
    listen();
    asio::steady_timer limit(storm.io, std::chrono::seconds(options.number("limit-s", 3600)));
    limit.async_wait([&](boost::system::error_code) { storm.io.stop(); });
    storm.io.run();
    storm.log.flush();
    std::printf(R"({"acknowledged":%llu,"repeated":%llu,"refused":%llu,"unfinished":%zu})"
                "\n",
                static_cast<unsigned long long>(storm.acknowledged),
                static_cast<unsigned long long>(storm.repeated),
                static_cast<unsigned long long>(storm.refused), storm.writers);
    return storm.log.good() ? 0 : 1;
}

}  // namespace bench
