#include <stdexcept>

#include <gtest/gtest.h>

#include <chat/news.h>

namespace chat {
namespace {

TEST(News, a_listener_that_throws_hides_nothing_from_the_others) {
    News news;
    int told = 0;
    int told_of_rest = 0;
    news.subscribe([](const RoomNews&) { throw std::runtime_error("a fault"); });
    news.subscribe([&](const RoomNews&) { ++told; });
    news.subscribe_to_rest([] { throw std::runtime_error("a fault"); });
    news.subscribe_to_rest([&] { ++told_of_rest; });

    EXPECT_NO_THROW(for (int i = 0; i < 2; ++i) news.publish({}));
    EXPECT_NO_THROW(news.publish_rest());

    EXPECT_EQ(told, 2);
    EXPECT_EQ(told_of_rest, 1);
}

}  // namespace
}  // namespace chat
