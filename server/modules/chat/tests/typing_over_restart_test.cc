// Typing is kept in memory: what those are told who saw it and come back when that is gone.
#include "sync/typing.h"
#include "test_house.h"

namespace chat {
namespace {

std::vector<RoomNumber> rooms(std::initializer_list<std::int64_t> numbers) {
    std::vector<RoomNumber> made;
    for (const auto number : numbers) made.push_back(RoomNumber{number});
    return made;
}

TEST(Typing, says_where_somebody_is_seen_in_a_number) {
    const base::ManualClock clock;
    Typing typing(clock);
    const auto joined = rooms({1, 3, 5, 7});
    const auto seen = [&] { return Typing::read_shown(typing.shown_to(joined), joined); };
    EXPECT_EQ(typing.shown_to(joined), 0);
    EXPECT_EQ(seen(), rooms({}));
    const auto start = [&](std::int64_t room) {
        typing.start(RoomNumber{room}, identity::UserNumber{1}, "@ann:x", std::chrono::seconds(10));
    };
    start(2);
    EXPECT_EQ(seen(), rooms({}));
    start(3);
    EXPECT_EQ(seen(), rooms({3}));
    start(7);
    EXPECT_EQ(seen(), joined);
    for (std::int64_t room = 10; room < 20; ++room) start(room);
    EXPECT_EQ(seen(), joined);
    typing.stop(RoomNumber{3}, identity::UserNumber{1});
    EXPECT_EQ(seen(), rooms({7}));
    EXPECT_EQ(Typing::read_shown(typing.shown_to(joined), rooms({1, 3})), rooms({})) << "left since";
}

TEST(Typing, knows_that_it_forgot_quiet_rooms) {
    base::ManualClock clock;
    Typing typing(clock);
    const auto begin = typing.last();
    EXPECT_TRUE(typing.covers(begin));
    EXPECT_FALSE(typing.covers(begin - 1));
    for (int room = 1; room <= 10'001; ++room) {
        typing.start(RoomNumber{room}, identity::UserNumber{1}, "@ann:x", std::chrono::seconds(10));
        typing.stop(RoomNumber{room}, identity::UserNumber{1});
    }
    EXPECT_TRUE(typing.covers(begin));
    typing.expire();
    EXPECT_FALSE(typing.covers(typing.last() - 1));
    EXPECT_TRUE(typing.covers(typing.last()));
}

TEST(Typing, that_was_seen_before_a_restart_is_told_to_be_over_once) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann, bob});
        const auto other = co_await h.room({ann, bob});
        std::string quiet;
        (void)co_await h.poll(ann, quiet);
        std::string since = quiet;
        EXPECT_EQ((co_await h.call(bob, "setTyping", {{"roomId", room}, {"userId", bob.user_id}}, {},
                                   R"({"typing":true})"))
                      .status,
                  200);
        const auto typists = [](const base::json::value& answer, const std::string& in) {
            return base::json::serialize(
                answer.at("rooms").at("join").at(in).at("ephemeral").at("events").at(0).at("content"));
        };
        EXPECT_EQ(typists(co_await h.poll(ann, since), room), R"({"user_ids":["@bob:x"]})");
        co_await h.restart();
        const auto answer = co_await h.poll(ann, since, "30000");
        EXPECT_EQ(typists(answer, room), R"({"user_ids":[]})");
        EXPECT_FALSE(answer.at("rooms").at("join").as_object().contains(other));
        EXPECT_TRUE((co_await h.poll(ann, since)).at("rooms").at("join").as_object().empty());
        // Who saw nobody is told nothing.
        EXPECT_TRUE((co_await h.poll(ann, quiet)).at("rooms").at("join").as_object().empty());
    });
}

}  // namespace
}  // namespace chat
