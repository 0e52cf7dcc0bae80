#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include <base/log.h>
#include <runtime/log_sink.h>
#include <runtime/runtime.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;

/// Runs one coroutine to its end on a runtime of its own.
template <class F>
void run(F body) {
    Runtime runtime;
    TaskGroup group(runtime, "test");
    auto main = [](Runtime& r, F b) -> Task<void> {
        co_await b(r);
        r.stop();
    };
    group.spawn(main(runtime, std::move(body)));
    runtime.run();
}

TEST(Runtime, work_on_the_pool_resumes_on_the_io_thread_with_its_value) {
    run([](Runtime& runtime) -> Task<void> {
        const auto io_thread = std::this_thread::get_id();
        const auto ran_on = co_await runtime.on_cpu([] { return std::this_thread::get_id(); });
        EXPECT_TRUE(ran_on.has_value());
        EXPECT_NE(*ran_on, io_thread);
        EXPECT_EQ(std::this_thread::get_id(), io_thread);
    });
}

TEST(Runtime, a_fault_on_the_pool_is_thrown_where_it_is_awaited) {
    run([](Runtime& runtime) -> Task<void> {
        bool caught = false;
        try {
            auto ignored = co_await runtime.on_cpu([]() -> int { throw std::runtime_error("fault"); });
            (void)ignored;
        } catch (const std::runtime_error&) {
            caught = true;
        }
        EXPECT_TRUE(caught);
    });
}

TEST(Runtime, a_full_pool_refuses_instead_of_piling_up) {
    std::atomic<bool> release{false};
    std::atomic<bool> started{false};
    WorkerPool pool("small", 1, 1);
    ASSERT_TRUE(pool.post([&] {
        started = true;
        while (!release) std::this_thread::yield();
    }));
    while (!started) std::this_thread::yield();
    EXPECT_TRUE(pool.post([] {}));
    EXPECT_FALSE(pool.post([] {}));
    release = true;
}

TEST(Notifier, wakes_all_current_waiters_and_forgets_them) {
    run([](Runtime& runtime) -> Task<void> {
        Notifier notifier(runtime);
        TaskGroup group(runtime, "waiters");
        int woken = 0;
        auto waiter = [](Notifier& n, int& count) -> Task<void> {
            if (co_await n.wait(10s)) ++count;
        };
        for (int i = 0; i < 100; ++i) group.spawn(waiter(notifier, woken));
        while (notifier.waiters() < 100) co_await sleep_for(1ms);
        notifier.notify();
        EXPECT_EQ(notifier.waiters(), 0U);
        EXPECT_TRUE(co_await group.wait(10s));
        EXPECT_EQ(woken, 100);
    });
}

TEST(TaskGroup, stop_cancels_and_awaits_every_task) {
    run([](Runtime& runtime) -> Task<void> {
        TaskGroup group(runtime, "sleepers");
        int ended = 0;
        auto sleeper = [](int& count) -> Task<void> {
            struct Ended {
                int& count;
                ~Ended() { ++count; }
            } on_exit{count};
            co_await sleep_for(1h);
        };
        for (int i = 0; i < 10; ++i) group.spawn(sleeper(ended));
        co_await sleep_for(1ms);
        co_await group.stop();
        EXPECT_EQ(ended, 10);
        EXPECT_EQ(group.size(), 0U);
    });
}

int faults_logged = 0;

void count_faults(base::LogLevel, std::string_view event, std::span<const base::LogField>) {
    if (event == "runtime.task_fault") ++faults_logged;
}

TEST(TaskGroup, a_loop_that_ends_by_being_stopped_is_no_fault_and_any_other_end_of_it_is) {
    faults_logged = 0;
    base::set_log_sink(count_faults);
    run([](Runtime& runtime) -> Task<void> {
        auto loop = []() -> Task<void> {
            for (;;) co_await sleep_for(1h);
        };
        auto broken = [](bool& stopped) -> Task<void> {
            co_await sleep_for(1h);
            stopped = true;
            throw std::runtime_error("fault");
        };
        TaskGroup group(runtime, "loops");
        group.spawn(loop());
        co_await sleep_for(1ms);
        co_await group.stop();
        EXPECT_EQ(faults_logged, 0);

        bool stopped = false;
        TaskGroup faulty(runtime, "faulty");
        faulty.spawn(broken(stopped));
        co_await sleep_for(1ms);
        co_await faulty.stop();
        EXPECT_TRUE(stopped);
        EXPECT_EQ(faults_logged, 1);
    });
    base::set_log_sink(nullptr);
}

TEST(LogSink, a_reader_of_the_log_that_has_gone_ends_nobody) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) ::_exit(1);
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        install_log_sink("test", base::LogLevel::info);
        base::log_info("test.unheard");
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(TaskGroup, a_fault_ends_its_own_task_only) {
    run([](Runtime& runtime) -> Task<void> {
        TaskGroup group(runtime, "faulty");
        bool other_ended = false;
        auto faulty = []() -> Task<void> {
            co_await sleep_for(1ms);
            throw std::runtime_error("fault");
        };
        auto other = [](bool& flag) -> Task<void> {
            co_await sleep_for(5ms);
            flag = true;
        };
        group.spawn(faulty());
        group.spawn(other(other_ended));
        EXPECT_TRUE(co_await group.wait(10s));
        EXPECT_TRUE(other_ended);
    });
}

}  // namespace
}  // namespace runtime
