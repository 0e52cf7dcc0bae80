#include "stream_lives.h"

#include "test_house.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <chat/chat.h>
#include <identity/identity.h>
#include <storage/test_database.h>

namespace chat {
namespace {

using runtime::Task;

StreamToken at(std::uint32_t life, std::int64_t events, std::int64_t receipts = 0) {
    StreamToken token;
    token.life = life;
    token[Stream::events] = events;
    token[Stream::receipts] = receipts;
    return token;
}

TEST(StreamLives, know_what_was_given_in_them_and_what_was_not) {
    StreamLives lives;
    lives.begin({{0, {}}, {7, at(0, 100, 5)}, {9, at(0, 150, 6)}});
    const auto now = at(9, 200, 10);
    EXPECT_FALSE(lives.parted_at(at(0, 100, 5), now));  // of a server that did not name lives yet
    EXPECT_FALSE(lives.parted_at(at(7, 150, 6), now));
    EXPECT_FALSE(lives.parted_at(at(9, 200, 10), now));
    EXPECT_EQ(lives.parted_at(at(0, 101), now), Position{100});
    EXPECT_EQ(lives.parted_at(at(7, 180), now), Position{150});
    EXPECT_EQ(lives.parted_at(at(7, 120, 7), now), Position{120});
    EXPECT_EQ(lives.parted_at(at(9, 201), now), Position{200});
    EXPECT_EQ(lives.parted_at(at(8, 1), now), Position{0});
    // Typing and presence are in memory alone, and count by the clock.
    auto token = at(9, 1);
    token[Stream::presence] = 1'000'000;
    EXPECT_FALSE(lives.parted_at(token, now));
}

TEST(StreamLives, are_kept_in_order_and_not_for_ever) {
    storage::TestDatabase database({identity::migrations(), chat::migrations()});
    auto& tx = database.begin();
    ASSERT_EQ(read_lives(tx).size(), 1U);
    EXPECT_EQ(read_lives(tx).front().name, 0U);
    const auto last = static_cast<std::uint32_t>(kMostLives) + 5;
    for (std::uint32_t name = 1; name <= last; ++name) insert_life(tx, {name, at(0, name, 2)});
    const auto lives = read_lives(tx);
    ASSERT_EQ(lives.size(), static_cast<std::size_t>(kMostLives));
    EXPECT_EQ(lives.front().name, 6U);
    EXPECT_EQ(lives.back().name, last);
    EXPECT_EQ(lives.back().began_at, at(0, last, 2));
}

TEST(StreamLives, are_named_by_no_token_until_something_is_told_in_them) {
    StreamLives lives;
    EXPECT_EQ(lives.name_at(at(0, 5)), 0U);
    lives.begin({{0, {}}, {7, at(0, 100, 5)}, {9, at(0, 150, 6)}});
    EXPECT_EQ(lives.name_at(at(0, 150, 6)), 7U);
    EXPECT_EQ(lives.name_at(at(0, 151, 6)), 9U);
    EXPECT_EQ(lives.name_at(at(0, 150, 7)), 9U);
    // Typing and presence are not stored.
    auto token = at(0, 150, 6);
    token[Stream::presence] = 1'000'000;
    EXPECT_EQ(lives.name_at(token), 7U);
}

TEST(StreamLives, in_which_nothing_happened_do_not_push_out_others) {
    storage::TestDatabase database({identity::migrations(), chat::migrations()});
    auto& tx = database.begin();
    const auto names = [&tx] {
        std::vector<std::uint32_t> found;
        for (const auto& life : read_lives(tx)) found.push_back(life.name);
        return found;
    };
    for (const std::uint32_t name : {7U, 8U, 9U}) begin_life(tx, name);
    EXPECT_EQ(names(), (std::vector<std::uint32_t>{0, 9}));
    (void)take_position(tx, Stream::receipts);
    for (const std::uint32_t name : {10U, 11U}) begin_life(tx, name);
    EXPECT_EQ(names(), (std::vector<std::uint32_t>{0, 9, 11}));
    EXPECT_EQ(read_lives(tx).back().began_at, at(0, 0, 1));
}

/// A token that another server gave, which went on from the same data: so many events further on.
std::string of_another_server(const std::string& since, std::int64_t events_ahead, std::uint32_t life) {
    auto token = StreamToken::parse(since).value();
    token[Stream::events] += events_ahead;
    token.life = life;
    return token.text();
}

TEST(StreamLives, a_token_of_what_the_database_does_not_hold_is_answered_in_full) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann, bob});
        const auto left = co_await h.room({ann, bob});
        std::string first;
        co_await h.poll(bob, first);
        const auto life = StreamToken::parse(first).value().life;
        EXPECT_NE(life, 0U);
        // Given in this life, but later than the copy; the server has passed the place meanwhile.
        const auto ahead = of_another_server(first, 3, life);
        Sync second(h.runtime, *h.database, h.clock, h.random, h.news);
        EXPECT_TRUE(co_await second.start());
        h.routes = second.routes();
        for (int i = 0; i < 5; ++i) co_await h.say(room, ann, "after");
        co_await h.set_member(left, bob, bob, "leave");
        for (auto since : {ahead, of_another_server(first, 0, life ^ 1), of_another_server(first, 99, 0)}) {
            const auto answer = co_await h.poll(bob, since);
            const auto* told = joined(answer, room);
            EXPECT_NE(told, nullptr);
            if (told == nullptr) continue;
            // Everything, and not as the rest of another timeline.
            EXPECT_TRUE(told->at("timeline").at("limited").as_bool());
            EXPECT_EQ(told->at("timeline").at("events").as_array().size(), 10U);
            EXPECT_TRUE(answer.at("rooms").at("leave").as_object().contains(left));
            EXPECT_NE(StreamToken::parse(since).value().life, life);
            EXPECT_EQ(joined(co_await h.poll(bob, since), room), nullptr);  // from there on as ever
        }
        // What was really given goes on.
        const auto answer = co_await h.poll(bob, first);
        const auto* told = joined(answer, room);
        EXPECT_NE(told, nullptr);
        if (told != nullptr) EXPECT_TRUE(told->at("state").at("events").as_array().empty());
        co_await second.stop();
    });
}

/// Polls with the token of a life that nobody knows.
Task<base::json::value> poll_as_unknown(TestHouse& house, Actor actor, std::string filter = {}) {
    std::string since;
    co_await house.poll(actor, since);
    since = of_another_server(since, 0, StreamToken::parse(since).value().life ^ 1);
    co_return co_await house.poll(actor, since, "0", std::move(filter));
}

TEST(StreamLives, a_token_of_an_unknown_one_is_told_of_rooms_that_are_over_no_more_than_that) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto joined_room = co_await h.room({ann, bob});
        const auto left = co_await h.room({ann, bob});
        const auto banned = co_await h.room({ann, bob});
        const auto forgotten = co_await h.room({ann, bob});
        for (int i = 0; i < 5; ++i) co_await h.say(left, ann, "long ago");
        for (const auto& room : {left, forgotten}) co_await h.set_member(room, bob, bob, "leave");
        co_await h.set_member(banned, ann, bob, "ban");
        co_await h.forget(forgotten, bob);

        const auto rooms = (co_await poll_as_unknown(h, bob)).at("rooms").as_object();
        EXPECT_TRUE(rooms.at("join").as_object().contains(joined_room));
        const auto& leave = rooms.at("leave").as_object();
        EXPECT_EQ(leave.size(), 2U);
        for (const auto& [room, membership] : {std::pair{left, "leave"}, std::pair{banned, "ban"}}) {
            const auto* told = base::get_object(leave, room);
            EXPECT_NE(told, nullptr);
            if (told == nullptr) continue;
            EXPECT_TRUE(told->at("state").at("events").as_array().empty());
            EXPECT_TRUE(told->at("timeline").at("limited").as_bool());
            const auto& events = told->at("timeline").at("events").as_array();
            EXPECT_EQ(events.size(), 1U);
            EXPECT_EQ(events.at(0).at("content").at("membership").as_string(), membership);
        }
        // Who asks for such rooms is told of them as at the first time.
        const auto asked =
            (co_await poll_as_unknown(h, bob, R"({"room":{"include_leave":true}})")).at("rooms").as_object();
        const auto& whole = asked.at("leave").as_object();
        EXPECT_EQ(whole.size(), 2U);
        EXPECT_EQ(whole.at(left).at("timeline").at("events").as_array().size(), 10U);
    });
}

TEST(StreamLives, a_token_of_an_unknown_one_is_told_of_so_many_rooms_that_are_over) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        std::vector<std::string> rooms;
        const auto made = co_await h.database->write(
            {"test"}, [&rooms, ann, bob](storage::Transaction& tx) -> base::Result<void> {
                for (int i = 0; i < 501; ++i) {
                    auto writer = create_room(tx, RoomVersion::v12, {}, ann,
                                              {{"room_version", "12"}, {"nonce", i}}, 1000);
                    if (!writer) return base::fail(writer.error());
                    rooms.push_back(writer->room().id.value);
                    const auto put = [&](const Actor& member, std::string_view membership) {
                        (void)writer
                            ->append_state(ann, "m.room.member", member.user_id, {{"membership", membership}})
                            .value();
                    };
                    put(ann, "join");
                    put(bob, "invite");
                    put(bob, "leave");
                }
                return {};
            });
        EXPECT_TRUE(made);
        co_await h.restart();  // nobody was told of them
        const auto answer = co_await poll_as_unknown(h, bob);
        const auto& leave = answer.at("rooms").at("leave").as_object();
        EXPECT_EQ(leave.size(), 500U);
        EXPECT_FALSE(leave.contains(rooms.front()));
        EXPECT_TRUE(leave.contains(rooms.back()));
    });
}

Task<void> execute(TestHouse& house, std::string_view sql) {
    const auto done =
        co_await house.database->write({"test"}, [sql](storage::Transaction& tx) -> base::Result<void> {
            tx.prepare(sql).run();
            return {};
        });
    EXPECT_TRUE(done) << done.error().message;
}
Task<std::size_t> count_lives(TestHouse& house) {
    const auto lives = co_await house.database->read(
        [](storage::Transaction& tx) -> base::Result<std::size_t> { return read_lives(tx).size(); });
    co_return lives.value();
}

TEST(StreamLives, of_starts_after_which_nothing_happened_are_one) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        const auto lives = co_await count_lives(h);
        for (int i = 0; i < 3; ++i) {
            co_await h.restart();
            EXPECT_EQ(joined(co_await h.poll(ann, since), room), nullptr);
        }
        EXPECT_EQ(co_await count_lives(h), lives + 1);
    });
}

TEST(StreamLives, begin_where_nothing_can_be_written_and_are_written_later) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        const auto lives = co_await count_lives(h);
        co_await execute(
            h, "CREATE TRIGGER full BEFORE INSERT ON stream_life BEGIN SELECT RAISE(ABORT, ''); END");
        Sync second(h.runtime, *h.database, h.clock, h.random, h.news);
        EXPECT_TRUE(co_await second.start());
        h.routes = second.routes();
        EXPECT_EQ(joined(co_await h.poll(ann, since), room), nullptr);
        EXPECT_EQ(co_await count_lives(h), lives);
        // What is given meanwhile is of a life that the next one knows, even if this one is never written.
        co_await h.say(room, ann, "meanwhile");
        EXPECT_NE(joined(co_await h.poll(ann, since), room), nullptr);
        {
            News quiet;
            Sync next(h.runtime, *h.database, h.clock, h.random, quiet);
            EXPECT_TRUE(co_await next.start());
            h.routes = next.routes();
            EXPECT_EQ(joined(co_await h.poll(ann, since), room), nullptr);
            co_await next.stop();
        }
        h.routes = second.routes();
        co_await execute(h, "DROP TRIGGER full");
        while (co_await count_lives(h) == lives) co_await runtime::sleep_for(std::chrono::milliseconds(10));
        // The next one knows its tokens.
        Sync third(h.runtime, *h.database, h.clock, h.random, h.news);
        EXPECT_TRUE(co_await third.start());
        h.routes = third.routes();
        EXPECT_EQ(joined(co_await h.poll(ann, since), room), nullptr);
        co_await third.stop();
        co_await second.stop();
    });
}

}  // namespace
}  // namespace chat
