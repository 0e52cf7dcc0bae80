// People who ask for translations: the load of the AI gate. What it is answered with is counted, not judged.

#include "commands.h"
#include "connection.h"
#include "latencies.h"
#include "people.h"

#include <boost/asio/steady_timer.hpp>

namespace bench {
namespace {

struct Load {
    std::vector<Person> people;
    Endpoint endpoint;
    Clock::time_point end;
    std::chrono::milliseconds pause;
    std::chrono::milliseconds patience;
    asio::io_context io{1};
    std::uint64_t number = 0;
    std::map<std::string, std::uint64_t> outcomes;
};

struct Asker : std::enable_shared_from_this<Asker> {
    Asker(Load& load_in, const Person& person_in) : load(load_in), person(person_in), timer(load.io) {}
    Load& load;
    const Person& person;
    std::shared_ptr<Connection> connection;
    asio::steady_timer timer;
    std::uint64_t turn = 0;

    void ask() {
        if (Clock::now() >= load.end) return;
        if (!connection || !connection->is_open()) {
            connection = std::make_shared<Connection>(load.io, load.endpoint);
            if (!connection->open()) return again("no_connection");
        }
        const auto this_turn = ++turn;
        connection->ask(
            request_text("POST", "/_lingxi/client/v1/assist/translations", person.token,
                         // No two alike: what has been answered already is no call.
                         R"({"room_id":")" + person.rooms.front() + R"(","text":")" +
                             std::to_string(++load.number) +
                             R"(. 我们周六中午十二点半见，别忘了带上那本书。","target_language":"en"})"),
            [self = shared_from_this(), this_turn](const Answer& answer) {
                if (this_turn != self->turn) return;
                self->timer.cancel();
                if (answer.status == 0) return self->again("broken_off");
                if (answer.status != 200) return self->again(std::to_string(answer.status));
                self->again(answer.body.find("event: done") != std::string_view::npos ? "done"
                                                                                      : "error_event");
            });
        // A person gives up, and asks anew.
        timer.expires_after(load.patience);
        timer.async_wait([self = shared_from_this(), this_turn](boost::system::error_code error) {
            if (error || this_turn != self->turn) return;
            ++self->turn;
            self->connection->close();
            self->connection.reset();
            self->again("given_up");
        });
    }
    void again(const std::string& outcome) {
        ++load.outcomes[outcome];
        timer.expires_after(load.pause);
        timer.async_wait([self = shared_from_this()](boost::system::error_code) {
            if (Clock::now() < self->load.end) {
                self->ask();
            } else if (self->connection) {
                self->connection->close();
            }
        });
    }
};

}  // namespace

int assist_load(const Options& options) {
    Load load{.people = read_people(options.text("people")),
              .endpoint = loopback_endpoint(options.text("url")),
              .end = Clock::now() + std::chrono::milliseconds(options.number("ms", 3000)),
              .pause = std::chrono::milliseconds(options.number("pause-ms", 20)),
              .patience = std::chrono::milliseconds(options.number("patience-ms", 2000))};
    std::vector<std::shared_ptr<Asker>> askers;
    for (std::int64_t i = 0; i < options.number("callers", 8); ++i) {
        askers.push_back(
            std::make_shared<Asker>(load, load.people[static_cast<std::size_t>(i) % load.people.size()]));
        askers.back()->ask();
    }
    asio::steady_timer end(load.io, load.end);
    end.async_wait([&](boost::system::error_code) { load.io.stop(); });
    load.io.run();
    std::string text;
    for (const auto& [outcome, count] : load.outcomes)
        text += (text.empty() ? "" : ",") + ("\"" + outcome + "\":" + std::to_string(count));
    std::printf("{%s}\n", text.c_str());
    return 0;
}

}  // namespace bench
