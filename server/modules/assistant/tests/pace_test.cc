#include "pace.h"

#include "backoff.h"

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

TEST(Backoff, doubles_its_pauses_to_a_minute_and_gives_up_after_half_an_hour) {
    Backoff backoff;
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) EXPECT_EQ(backoff.next(), pause);
    int more = 0;
    while (backoff.next()) ++more;
    EXPECT_GE(backoff.waited(), 30min);
    EXPECT_LT(more, 30);
}

TEST(Backoff, is_for_what_no_rule_was_against) {
    EXPECT_TRUE(may_pass({base::ErrorKind::unavailable, "storage.busy", "", {}}));
    EXPECT_TRUE(may_pass({base::ErrorKind::internal, "storage.internal", "", {}}));
    EXPECT_FALSE(may_pass({base::ErrorKind::forbidden, "M_FORBIDDEN", "", {}}));
    EXPECT_FALSE(may_pass({base::ErrorKind::invalid, "M_BAD_JSON", "", {}}));
}

}  // namespace
}  // namespace assistant
