#include "pace.h"

#include <gtest/gtest.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

TEST(Pace, lets_a_burst_go_at_once_and_spreads_what_follows) {
    Pace pace(100, 3);
    const auto now = Pace::Clock::now();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pace.take(now), 0ms);
    EXPECT_EQ(pace.take(now), 10ms);
    EXPECT_EQ(pace.take(now), 20ms);
    EXPECT_EQ(pace.take(now + 25ms), 5ms) << "places that were taken are kept";
}

TEST(Pace, a_rest_gives_back_one_burst_and_no_more) {
    Pace pace(100, 3);
    const auto now = Pace::Clock::now();
    for (int i = 0; i < 3; ++i) pace.take(now);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pace.take(now + 1h), 0ms);
    EXPECT_EQ(pace.take(now + 1h), 10ms);
}

}  // namespace
}  // namespace assistant
