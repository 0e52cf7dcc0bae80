#include "stream_lives.h"

#include <gtest/gtest.h>

#include <chat/chat.h>
#include <identity/identity.h>
#include <storage/test_database.h>

namespace chat {
namespace {

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
    for (std::uint32_t name = 1; name <= 1005; ++name) insert_life(tx, {name, at(0, name, 2)});
    const auto lives = read_lives(tx);
    ASSERT_EQ(lives.size(), 1000U);
    EXPECT_EQ(lives.front().name, 6U);
    EXPECT_EQ(lives.back().name, 1005U);
    EXPECT_EQ(lives.back().began_at, at(0, 1005, 2));
}

}  // namespace
}  // namespace chat
