#include "shared_work.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

struct SharedWorkTest : testing::Test {
    runtime::Runtime runtime;
    SharedWork work{runtime};
    runtime::TaskGroup tasks{runtime, "test"};

    static runtime::Task<void> fail(int& times) {
        ++times;
        co_await runtime::sleep_for(1ms);
        throw std::runtime_error("a fault");
    }
    runtime::Task<void> wait(int& woken) {
        if (co_await work.wait(1h)) ++woken;
    }
    void turn_until_idle() {
        runtime.io().restart();
        runtime.io().run();
    }
};

TEST_F(SharedWorkTest, is_done_once_for_all_who_ask_and_by_a_fault_ends_for_all_and_can_be_begun_anew) {
    int times = 0;
    int woken = 0;
    for (int ask = 0; ask < 3; ++ask) {
        ASSERT_TRUE(work.begin(tasks, [&] { return fail(times); }));
        tasks.spawn(wait(woken));
    }
    EXPECT_TRUE(work.is_under_way());
    turn_until_idle();
    EXPECT_EQ(times, 1);
    EXPECT_EQ(woken, 3);
    EXPECT_FALSE(work.is_under_way());
    ASSERT_TRUE(work.begin(tasks, [&] { return fail(times); }));
    turn_until_idle();
    EXPECT_EQ(times, 2);
}

}  // namespace
}  // namespace assistant
