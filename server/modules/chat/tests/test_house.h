#pragma once

#include "members/membership_store.h"
#include "rooms/room_writer.h"
#include "stream_store.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <base/crypto.h>
#include <chat/chat.h>
#include <chat/sync.h>
#include <identity/identity.h>
#include <identity/users.h>
#include <runtime/task_group.h>

namespace chat {

/// The whole of this half on a real database with its threads; requests go to the routes' handlers.
struct TestHouse {
    TestHouse() {
        base::initialise_crypto();
        std::string name = (std::filesystem::temp_directory_path() / "lingxi-sync-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        directory = name;
        auto opened = storage::Database::open(runtime, {.path = directory / "test.db"},
                                              {identity::migrations(), chat::migrations()});
        if (!opened) throw std::runtime_error(opened.error().message);
        database = std::move(*opened);
        sync = std::make_unique<Sync>(runtime, *database, clock, random, news);
        routes = sync->routes();
    }
    ~TestHouse() {
        sync.reset();
        database->close();
        database.reset();
        std::error_code ignored;  // a directory that stays behind harms no test
        std::filesystem::remove_all(directory, ignored);
    }

    /// Runs `body(TestHouse&) -> Task<void>` to its end.
    template <class F>
    void run(F body) {
        runtime::TaskGroup group(runtime, "test");
        group.spawn(run_body(*this, body));
        runtime.run();
    }
    template <class F>
    static runtime::Task<void> run_body(TestHouse& house, F& body) {
        try {
            const auto started = co_await house.sync->start();
            EXPECT_TRUE(started);
            co_await body(house);
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
        co_await house.sync->stop();
        house.runtime.stop();
    }

    /// The same database and a new Sync over it, as after a restart.
    runtime::Task<void> restart() {
        co_await sync->stop();
        routes.clear();
        sync.reset();
        news = News{};
        sync = std::make_unique<Sync>(runtime, *database, clock, random, news);
        routes = sync->routes();
        const auto started = co_await sync->start();
        EXPECT_TRUE(started);
    }

    runtime::Task<Actor> person(std::string localpart) {
        auto made =
            co_await database->write({"test"}, [localpart](storage::Transaction& tx) -> base::Result<Actor> {
                if (auto named = identity::name_server(tx, "x"); !named) return base::fail(named.error());
                const auto user = identity::create_account(tx, {.localpart = localpart});
                if (!user) return base::fail(user.error());
                return Actor{*user, "@" + localpart + ":x", identity::DeviceNumber{user->value * 10}, false};
            });
        co_return made.value();
    }

    /// A public room with these people in it; the first has made it.
    runtime::Task<std::string> room(std::vector<Actor> people) {
        auto made = co_await write([people,
                                    number = ++rooms](storage::Transaction& tx) -> base::Result<RoomWriter> {
            auto writer = create_room(tx, RoomVersion::v12, {}, people.front(),
                                      {{"room_version", "12"}, {"nonce", number}}, 1000);
            if (!writer) return writer;
            const auto& creator = people.front();
            (void)writer->append_state(creator, "m.room.member", creator.user_id, {{"membership", "join"}})
                .value();
            (void)writer->append_state(creator, "m.room.power_levels", "", base::json::object{}).value();
            (void)writer->append_state(creator, "m.room.join_rules", "", {{"join_rule", "public"}}).value();
            for (const auto& member : people) {
                if (member.user != creator.user)
                    (void)writer
                        ->append_state(member, "m.room.member", member.user_id, {{"membership", "join"}})
                        .value();
            }
            return writer;
        });
        co_return made.value();
    }

    runtime::Task<void> say(std::string room_id, Actor actor, std::string body) {
        co_await in_room(std::move(room_id), [actor, body](RoomWriter& writer) {
            const auto content =
                prepare_content("m.room.message", {{"msgtype", "m.text"}, {"body", body}}).value();
            (void)writer
                .append({.type = "m.room.message",
                         .state_key = {},
                         .sender = actor.user,
                         .sender_id = actor.user_id,
                         .content = content,
                         .now_ms = writer.now_ms()})
                .value();
        });
    }
    runtime::Task<void> set_member(std::string room_id, Actor actor, Actor target, std::string membership) {
        co_await in_room(std::move(room_id), [actor, target, membership](RoomWriter& writer) {
            (void)writer.append_state(actor, "m.room.member", target.user_id, {{"membership", membership}})
                .value();
        });
    }
    runtime::Task<void> forget(std::string room_id, Actor actor) {
        auto done = co_await database->write(
            {"test"}, [room_id, actor](storage::Transaction& tx) -> base::Result<void> {
                set_forgotten(tx, find_room(tx, room_id).value().number, actor.user);
                return {};
            });
        EXPECT_TRUE(done);
    }
    /// What will be told of the next event of a room.
    runtime::Task<RoomNews> next_event(std::string room_id) {
        auto news_of = co_await database->read([room_id](storage::Transaction& tx) -> base::Result<RoomNews> {
            RoomNews next;
            next.room = find_room(tx, room_id).value().number;
            next.position = Position{last_position(tx, Stream::events) + 1};
            next.type = "m.room.message";
            return next;
        });
        co_return news_of.value();
    }
    runtime::Task<void> in_room(std::string room_id, std::function<void(RoomWriter&)> act) {
        auto done = co_await write(
            [room_id, act, now_ms = clock.now_ms()](storage::Transaction& tx) -> base::Result<RoomWriter> {
                RoomWriter writer(tx, load_rules(tx, find_room(tx, room_id).value()), now_ms);
                act(writer);
                return writer;
            });
        EXPECT_FALSE(done.value().empty());
    }
    /// Runs a job that gives the writer of its events, whose news are told as the timeline does it.
    runtime::Task<base::Result<std::string>> write(
        std::function<base::Result<RoomWriter>(storage::Transaction&)> job) {
        co_return co_await database->write(
            {"test"}, [this, job](storage::Transaction& tx) -> base::Result<std::string> {
                auto writer = job(tx);
                if (!writer) return base::fail(writer.error());
                tx.after_commit([this, told = std::move(writer->news())] {
                    for (const auto& item : told) news.publish(item);
                });
                return writer->room().id.value;
            });
    }

    struct Answer {
        int status = 0;
        base::json::value body;
        std::string errcode() const {
            return std::string(base::get_string(body.as_object(), "errcode").value_or(std::string_view{}));
        }
    };
    using Values = std::vector<std::pair<std::string, std::string>>;
    runtime::Task<Answer> call(Actor actor, std::string operation, Values path = {}, Values query = {},
                               std::string body = {}) {
        net::Request request;
        request.path_values = std::move(path);
        for (auto& [name, value] : query) request.query.add(std::move(name), std::move(value));
        request.body = std::move(body);
        request.principal = net::Principal{.user_id = actor.user_id,
                                           .user_number = actor.user.value,
                                           .device_id = "D",
                                           .device_number = actor.device.value};
        for (const auto& route : routes) {
            if (route.operation_id != operation) continue;
            auto response = co_await route.handler(std::move(request));
            co_return Answer{response.status, base::parse_json(response.body, 50'000'000).value()};
        }
        throw std::runtime_error("no such operation: " + operation);
    }
    /// Syncs and puts the next token into `since`.
    runtime::Task<base::json::value> poll(Actor actor, std::string& since, std::string timeout_ms = "0",
                                          std::string filter = {}, std::string presence = {}) {
        Values query{{"timeout", std::move(timeout_ms)}};
        if (!presence.empty()) query.emplace_back("set_presence", std::move(presence));
        if (!since.empty()) query.emplace_back("since", since);
        if (!filter.empty()) query.emplace_back("filter", std::move(filter));
        auto answer = co_await call(std::move(actor), "sync", {}, std::move(query));
        EXPECT_EQ(answer.status, 200) << base::json::serialize(answer.body);
        since = answer.body.at("next_batch").as_string();
        co_return std::move(answer.body);
    }

    std::filesystem::path directory;
    runtime::Runtime runtime;
    base::SystemClock clock;
    base::SeededRandom random{1};
    std::unique_ptr<storage::Database> database;
    News news;
    std::unique_ptr<Sync> sync;
    std::vector<net::Route> routes;
    int rooms = 0;
};

/// A joined room in an answer of /sync; null where it is not there.
inline const base::json::object* joined(const base::json::value& answer, const std::string& room_id) {
    return base::get_object(answer.at("rooms").at("join").as_object(), room_id);
}
/// The types of these events, each with a space after it.
inline std::string types(const base::json::value& events) {
    std::string out;
    for (const auto& event : events.as_array()) out.append(event.at("type").as_string()).push_back(' ');
    return out;
}

}  // namespace chat
