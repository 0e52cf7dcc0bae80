#pragma once

#include "await.h"
#include "core.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include <base/clock.h>
#include <base/json.h>
#include <base/random.h>
#include <chat/chat.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <storage/database.h>

namespace chat {

struct Reply {
    int status = 0;
    base::json::value body;

    const base::json::object& object() const { return body.as_object(); }
    std::string text(std::string_view key) const;
    std::string errcode() const { return text("errcode"); }
};

/// The whole of chat over a real database in a directory of its own, on a server named "x" that has accounts:
/// requests go through the route table, as net would take them.
class House {
  public:
    House();
    ~House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    /// An account with one device.
    Actor person(const std::string& localpart);
    /// The same account on another device.
    Actor other_device(Actor actor) const;

    Reply call(net::Method method, const std::string& target, const Actor& actor, std::string body = {});
    Reply get(const std::string& target, const Actor& actor) { return call(net::Method::get, target, actor); }
    Reply post(const std::string& target, const Actor& actor, const base::json::object& body = {}) {
        return call(net::Method::post, target, actor, base::json::serialize(body));
    }
    Reply put(const std::string& target, const Actor& actor, const base::json::object& body = {}) {
        return call(net::Method::put, target, actor, base::json::serialize(body));
    }
    Reply del(const std::string& target, const Actor& actor) { return call(net::Method::del, target, actor); }

    /// Makes a room and returns its id.
    std::string room(const Actor& creator, const base::json::object& body = {});
    /// One that members of another may join.
    std::string restricted_room(const Actor& creator, const std::string& for_members_of);
    void join(const Actor& actor, const std::string& room_id);
    /// Says something and returns the event's id.
    std::string say(const Actor& actor, const std::string& room_id, std::string_view body);
    base::json::value state(const Actor& actor, const std::string& room_id, const std::string& type,
                            const std::string& state_key = {});

    /// The same database and a new Chat over it, as after a restart.
    void restart();

    /// Runs the task to its end, and everything else meanwhile.
    template <class T>
    T await(runtime::Task<T> task) {
        return chat::await(runtime_, std::move(task));
    }
    template <class F>
    auto read(F job) {
        return await(database_->read(std::move(job)));
    }
    template <class F>
    auto write(F job) {
        return await(database_->write({"test"}, std::move(job)));
    }

    Chat& chat() { return *chat_; }
    runtime::Runtime& runtime() { return runtime_; }
    storage::Database& database() { return *database_; }
    base::ManualClock& clock() { return clock_; }
    std::vector<RoomNews> news;  ///< all that was told

  private:
    void start();

    std::string directory_;
    runtime::Runtime runtime_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    base::ManualClock clock_;
    base::SystemRandom random_;
    std::unique_ptr<storage::Database> database_;
    std::unique_ptr<Chat> chat_;
    std::vector<net::Route> routes_;
    int transactions_ = 0;
};

/// An id as a path segment.
std::string in_path(std::string_view id);

}  // namespace chat
