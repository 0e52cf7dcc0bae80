#include "house.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

/// Alone in its commit: the last page of `event` and of `sent_transaction`, a leaf of each index of `event`,
/// the counter; and now and then a new page with what points at it. One index more would be seen here.
TEST(WriteCost, of_a_message_is_five_pages_and_now_and_then_a_new_one) {
    constexpr int kMessages = 80;
    constexpr double kMostPages = 6;
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    for (int i = 0; i < 20; ++i) house.say(alice, room, "before");
    const auto pages_before = house.database().statistics().wal_pages;
    const auto commits_before = house.database().statistics().commits;
    for (int i = 0; i < kMessages; ++i)
        house.say(alice, room, "a message of an ordinary length, as people write them");
    const auto after = house.database().statistics();
    EXPECT_EQ(after.commits - commits_before, static_cast<std::uint64_t>(kMessages));
    EXPECT_LT(static_cast<double>(after.wal_pages - pages_before) / kMessages, kMostPages);
    EXPECT_GE(after.wal_pages - pages_before, static_cast<std::uint64_t>(kMessages));
}

}  // namespace
}  // namespace chat
