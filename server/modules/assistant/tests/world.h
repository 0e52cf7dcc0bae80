#pragma once

#include "fake_gateway.h"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <assistant/assistant.h>
#include <base/json.h>
#include <chat/chat.h>
#include <chat/sync.h>
#include <identity/ids.h>
#include <net/message.h>

namespace assistant::test {

struct Person {
    identity::UserNumber user;
    std::string user_id;
    bool is_admin = false;
};

struct Event {
    std::string name;
    base::json::object data;
};

struct Answer {
    int status = 0;
    base::json::object body;
    std::vector<Event> events;  ///< of a stream that was read to its end
    std::string written;        ///< of a body that was written piece by piece
    net::Headers headers;

    std::string errcode() const { return text("errcode"); }
    std::string text(std::string_view key) const {
        const auto* value = body.if_contains(key);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
    }
    const base::json::object* event(std::string_view name) const {
        for (const auto& event : events) {
            if (event.name == name) return &event.data;
        }
        return nullptr;
    }
    std::vector<base::json::object> all(std::string_view name) const {
        std::vector<base::json::object> found;
        for (const auto& event : events) {
            if (event.name == name) found.push_back(event.data);
        }
        return found;
    }
};

/// Stands still, and may be watched: `read` is called whenever somebody looks at it. I/O thread only.
class WatchedClock final : public base::Clock {
  public:
    std::int64_t now_ms() const override {
        if (read) read();
        return clock_.now_ms();
    }
    std::chrono::steady_clock::time_point steady_now() const override { return clock_.steady_now(); }
    void advance(std::chrono::milliseconds by) { clock_.advance(by); }

    std::function<void()> read;

  private:
    base::ManualClock clock_;
};

/// The assistant over a real database and a real chat; only the gateway, which is another process, is played.
class World {
  public:
    World();
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Person person(std::string_view localpart, std::string_view display_name, bool is_admin = false);
    /// A room of these people; the first made it.
    std::string room(const std::vector<Person>& people);
    std::string say(const Person& person, const std::string& room_id, std::string_view body);
    std::string send(const Person& person, const std::string& room_id, base::json::object content,
                     std::string_view type = "m.room.message");
    Answer try_send(const Person& person, const std::string& room_id, base::json::object content);
    std::string set_state(const Person& person, const std::string& room_id, std::string_view type,
                          std::string_view state_key, base::json::object content);
    void set_account_data(const Person& person, std::string_view type, base::json::object content);
    void redact(const Person& person, const std::string& room_id, const std::string& event_id);
    void invite(const Person& inviter, const std::string& room_id, const std::string& user_id);
    void join(const Person& person, const std::string& room_id);
    void leave(const Person& person, const std::string& room_id);
    /// The person changes what they said.
    void edit(const Person& person, const std::string& room_id, const std::string& event_id,
              std::string_view body);
    /// The person agrees, in this room, to both purposes and this destination.
    void consent(const Person& person, const std::string& room_id, bool agreed = true,
                 std::string_view provider = "Provider cloud");
    /// The room's messages as this person reads them, oldest first.
    std::vector<base::json::object> messages(const Person& person, const std::string& room_id);

    /// Sends a request through the routes of chat and assistant; a stream is read to its end.
    Answer call(const Person& person, net::Method method, const std::string& target,
                base::json::object body = {});
    Answer get(const Person& person, const std::string& target) {
        return call(person, net::Method::get, target);
    }
    Answer post(const Person& person, const std::string& target, base::json::object body) {
        return call(person, net::Method::post, target, std::move(body));
    }
    Answer put(const Person& person, const std::string& target, base::json::object body) {
        return call(person, net::Method::put, target, std::move(body));
    }
    /// The response itself, with its stream unread.
    net::Response raw(const Person& person, net::Method method, const std::string& target,
                      base::json::object body) {
        return await(handler(person, method, target, std::move(body)));
    }
    /// The same, not begun yet.
    runtime::Task<net::Response> handler(const Person& person, net::Method method, const std::string& target,
                                         base::json::object body);

    /// Of a stream, to its end.
    std::vector<Event> read_events(net::Response response);

    /// Once, when the next call has come to the gateway and `may_be` holds, before it is prepared.
    void while_it_is_prepared(std::function<void()> what, std::function<bool()> may_be = [] { return true; });

    /// Stops the assistant as a crash would not, and starts a new one over the same database.
    void restart();

    /// Turns the I/O loop until `condition` holds (at most some seconds of real time: a test that passes
    /// waits for nothing else).
    bool until(const std::function<bool()>& condition);

    template <class T>
    T await(runtime::Task<T> task) {
        std::optional<T> result;
        bool done = false;
        std::exception_ptr fault;
        boost::asio::co_spawn(runtime.io(), std::move(task), [&](std::exception_ptr error, T value) {
            fault = error;
            if (!error) result.emplace(std::move(value));
            done = true;
        });
        while (!done) runtime.io().run_one();
        if (fault) std::rethrow_exception(fault);
        return *std::move(result);
    }
    void await(runtime::Task<void> task);
    template <class F>
    auto read(F job) {
        return await(database->read(std::move(job)));
    }
    template <class F>
    auto write(F job) {
        return await(database->write({"test"}, std::move(job)));
    }

    void execute(const std::string& sql);
    /// Every such change ("BEFORE UPDATE ON model_call WHEN …") fails in its job, until take_again().
    void refuse(const std::string& change) {
        execute("CREATE TRIGGER refuse " + change + " BEGIN SELECT abs(-9223372036854775807 - 1); END");
    }
    void take_again() { execute("DROP TRIGGER refuse"); }
    std::uint64_t failed_jobs() const { return database->statistics().failed_jobs; }

    std::string directory;
    runtime::Runtime runtime;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
    WatchedClock clock;
    base::SystemRandom random;
    std::unique_ptr<storage::Database> database;
    wire::Peer peer;
    egress::Gateway gateway;
    std::unique_ptr<FakeGateway> fake;
    std::unique_ptr<chat::Chat> chat;
    std::unique_ptr<chat::Sync> sync;
    std::unique_ptr<Assistant> assistant;
    std::string assistant_id = "@assistant:here.example";

  private:
    void start();
    void stop();

    std::vector<net::Route> routes_;
    int transactions_ = 0;
};

}  // namespace assistant::test
