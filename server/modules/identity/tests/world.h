#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <base/json.h>
#include <identity/identity.h>

namespace identity::test {

struct Answer {
    int status = 0;
    base::json::object body;
    net::Headers headers;

    std::string text(std::string_view key) const {
        const auto* value = body.if_contains(key);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
    }
    std::string errcode() const { return text("errcode"); }
};

/// A whole identity over a real database in a directory of its own: requests go through its route table and
/// its authenticator, as net would take them.
class World {
  public:
    explicit World(Options options = default_options());
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Named "here.example", open to all, hashing as cheaply as libsodium allows.
    static Options default_options();

    /// Sends a request; `token` empty: none.
    Answer call(net::Method method, const std::string& target, base::json::object body = {},
                const std::string& token = "");
    Answer call_raw(net::Method method, const std::string& target, std::string body,
                    const std::string& token = "");
    Answer get(const std::string& target, const std::string& token = "") {
        return call_raw(net::Method::get, target, "", token);
    }
    Answer post(const std::string& target, base::json::object body, const std::string& token = "") {
        return call(net::Method::post, target, std::move(body), token);
    }
    Answer put(const std::string& target, base::json::object body, const std::string& token = "") {
        return call(net::Method::put, target, std::move(body), token);
    }

    struct Call {
        net::Method method = net::Method::post;
        std::string target;
        base::json::object body;
        std::string token = "";
    };
    /// Sends all at once; the answers in the same order.
    std::vector<Answer> together(std::vector<Call> calls);

    /// Registers on an open server; returns the access token.
    std::string join(const std::string& localpart, const std::string& password = "correct horse");
    /// Logs in by password.
    Answer log_in(const std::string& user, const std::string& password, base::json::object more = {});

    /// The same database and a new Identity over it, as after a restart. The result of its start.
    base::Result<void> restart(Options options);
    base::Result<void> restart() { return restart(options_); }

    template <class T>
    T await(runtime::Task<T> task) {
        std::optional<T> result;
        bool done = false;
        std::exception_ptr fault;
        boost::asio::co_spawn(runtime_.io(), std::move(task), [&](std::exception_ptr error, T value) {
            fault = error;
            if (!error) result.emplace(std::move(value));
            done = true;
        });
        turn_until(done);
        if (fault) std::rethrow_exception(fault);
        return *std::move(result);
    }
    void await(runtime::Task<void> task);

    template <class F>
    auto read(F job) {
        return await(database_->read(std::move(job)));
    }
    template <class F>
    auto write(F job) {
        return await(database_->write({"test"}, std::move(job)));
    }

    Identity& identity() { return *identity_; }
    storage::Database& database() { return *database_; }
    runtime::Runtime& runtime() { return runtime_; }
    base::ManualClock& clock() { return clock_; }
    /// From where requests come.
    std::string address = "192.0.2.7";
    /// Used by the next restart().
    Hooks hooks;

  private:
    void turn_until(const bool& done);
    runtime::Task<Answer> answer(net::Method method, std::string target, std::string body, std::string token);
    base::Result<void> start(Options options);

    std::string directory_;
    runtime::Runtime runtime_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    base::ManualClock clock_;
    base::SystemRandom random_;
    Options options_;
    std::unique_ptr<storage::Database> database_;
    std::unique_ptr<Identity> identity_;
    std::vector<net::Route> routes_;
};

/// {"type": "m.login.password", …} as `auth`, confirming as `user`.
base::json::object with_password(const std::string& user, const std::string& password,
                                 base::json::object body = {}, const std::string& session = "");

}  // namespace identity::test
