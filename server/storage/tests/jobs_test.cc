#include "harness.h"

#include <algorithm>
#include <atomic>
#include <semaphore>
#include <thread>

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

Task<void> note(Database& database, std::string text, int& acknowledged) {
    const auto done = co_await write_note(database, std::move(text));
    EXPECT_TRUE(done.has_value());
    ++acknowledged;
}

TEST(Database, commits_what_queued_together_in_few_groups) {
    Directory directory;
    House house({.path = directory / "a.db"});
    house.run([&]() -> Task<void> {
        runtime::TaskGroup group(house.runtime, "writers");
        int acknowledged = 0;
        for (int i = 0; i < 1000; ++i) group.spawn(note(*house.database, std::to_string(i), acknowledged));
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(acknowledged, 1000);
        EXPECT_EQ(co_await count_notes(*house.database), 1000);
        const auto statistics = house.database->statistics();
        EXPECT_EQ(statistics.jobs, 1000U);
        EXPECT_GE(statistics.commits, 4U);  // at most 256 in a group
        EXPECT_LT(statistics.commits, 500U);
    });
}

TEST(Database, a_failed_job_changes_nothing_and_leaves_its_group_alone) {
    Directory directory;
    House house({.path = directory / "a.db"});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        runtime::TaskGroup group(house.runtime, "writers");
        int acknowledged = 0;
        auto failing = [](Database& db, std::string& code, int how) -> Task<void> {
            const auto done = co_await db.write({"notes"}, [how](Transaction& tx) -> Result<void> {
                tx.prepare("INSERT INTO notes (text) VALUES ('half')").run();
                tx.after_commit([] { ADD_FAILURE() << "nothing was committed"; });
                if (how == 0) return base::fail(base::ErrorKind::forbidden, "test.no", "no");
                if (how == 1) throw std::runtime_error("fault");
                if (how == 2) throw Fault(base::ErrorKind::not_found, "test.fault", "a fault of its own");
                tx.prepare("INSERT INTO notes (text) VALUES ('half')").run();  // breaks UNIQUE
                return {};
            });
            EXPECT_FALSE(done.has_value());
            code = done.error().code;
        };
        std::vector<std::string> codes(4);
        for (int i = 0; i < 4; ++i) {
            group.spawn(note(database, "before " + std::to_string(i), acknowledged));
            group.spawn(failing(database, codes[static_cast<std::size_t>(i)], i));
            group.spawn(note(database, "after " + std::to_string(i), acknowledged));
        }
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(codes, (std::vector<std::string>{"test.no", "storage.internal", "test.fault",
                                                   "storage.constraint"}));
        EXPECT_EQ(acknowledged, 8);
        EXPECT_EQ(co_await count_notes(database), 8);
        EXPECT_EQ(database.statistics().failed_jobs, 4U);
    });
}

TEST(Database, after_commit_runs_in_commit_order_on_the_io_thread_before_any_writer_resumes) {
    Directory directory;
    House house({.path = directory / "a.db"});
    house.run([&]() -> Task<void> {
        runtime::TaskGroup group(house.runtime, "writers");
        std::vector<std::int64_t> committed;
        auto writer = [](Database& db, std::vector<std::int64_t>& order, std::thread::id io,
                         int i) -> Task<void> {
            const auto id =
                co_await db.write({"notes"}, [&order, io, i](Transaction& tx) -> Result<std::int64_t> {
                    auto made = insert(tx, std::to_string(i));
                    const std::int64_t row = *made;
                    tx.after_commit([&order, io, row] {
                        EXPECT_EQ(std::this_thread::get_id(), io);
                        order.push_back(row);
                    });
                    return row;
                });
            EXPECT_TRUE(id.has_value());
            EXPECT_NE(std::ranges::find(order, *id), order.end());
        };
        for (int i = 0; i < 300; ++i) {
            group.spawn(writer(*house.database, committed, std::this_thread::get_id(), i));
        }
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(committed.size(), 300U);
        EXPECT_TRUE(std::ranges::is_sorted(committed));
    });
}

TEST(Database, a_read_job_sees_one_snapshot_and_everything_acknowledged_before_it) {
    Directory directory;
    House house({.path = directory / "a.db"});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        EXPECT_TRUE((co_await write_note(database, "one")).has_value());

        std::binary_semaphore looked{0};
        std::binary_semaphore written{0};
        runtime::TaskGroup group(house.runtime, "reader");
        std::pair<std::int64_t, std::int64_t> seen;
        auto reader = [](Database& db, std::binary_semaphore& first, std::binary_semaphore& second,
                         std::pair<std::int64_t, std::int64_t>& result) -> Task<void> {
            const auto both = co_await db.read(
                [&first, &second](Transaction& tx) -> Result<std::pair<std::int64_t, std::int64_t>> {
                    const auto before = *count(tx);
                    first.release();
                    second.acquire();
                    return std::pair{before, *count(tx)};
                });
            EXPECT_TRUE(both.has_value());
            result = *both;
        };
        group.spawn(reader(database, looked, written, seen));
        while (!looked.try_acquire()) co_await runtime::sleep_for(1ms);
        EXPECT_TRUE((co_await write_note(database, "two")).has_value());
        EXPECT_EQ(co_await count_notes(database), 2);  // the other reader's thread
        written.release();
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(seen, (std::pair<std::int64_t, std::int64_t>{1, 1}));
    });
}

TEST(Database, a_read_job_cannot_write_and_cannot_run_without_end) {
    Directory directory;
    House house({.path = directory / "a.db", .readers = 1, .read_limit = 50ms});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        const auto written = co_await database.read([](Transaction& tx) { return insert(tx, "sly"); });
        EXPECT_FALSE(written.has_value());
        EXPECT_EQ(written.error().kind, base::ErrorKind::internal);

        const auto endless = co_await database.read([](Transaction& tx) -> Result<std::int64_t> {
            auto row = tx.prepare(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
            row.step();
            return row.integer(0);
        });
        EXPECT_FALSE(endless.has_value());
        EXPECT_EQ(endless.error().code, "storage.timeout");
        EXPECT_EQ(co_await count_notes(database), 0);  // the reader goes on
    });
}

TEST(Database, refuses_jobs_over_the_queue_limit_at_once) {
    Directory directory;
    House house({.path = directory / "a.db", .readers = 1, .write_queue_limit = 3, .read_queue_limit = 3});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        std::counting_semaphore<> started{0};
        std::counting_semaphore<> go{0};
        auto block = [&started, &go](Transaction&) -> Result<void> {
            started.release();
            go.acquire();
            return {};
        };
        auto wait = [](auto task, std::vector<std::string>& codes) -> Task<void> {
            const auto done = co_await std::move(task);
            codes.push_back(done ? "" : done.error().code);
        };
        runtime::TaskGroup group(house.runtime, "jobs");
        std::vector<std::string> codes;
        group.spawn(wait(database.write({"a"}, block), codes));
        group.spawn(wait(database.read(block), codes));
        for (int i = 0; i < 2; ++i) {
            while (!started.try_acquire()) co_await runtime::sleep_for(1ms);
        }
        for (int i = 0; i < 5; ++i) {
            group.spawn(wait(database.write({"a"}, [](Transaction&) -> Result<void> { return {}; }), codes));
            group.spawn(wait(database.read([](Transaction&) -> Result<void> { return {}; }), codes));
        }
        while (codes.size() < 4) co_await runtime::sleep_for(1ms);
        EXPECT_EQ(codes, std::vector<std::string>(4, "storage.busy"));
        go.release(2);
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(std::ranges::count(codes, ""), 8);
    });
}

/// A checkpoint holds reads back for its gap, but not for as long as a job or a commit takes.
TEST(Database, a_long_write_job_holds_up_no_read_for_the_sake_of_a_checkpoint) {
    Directory directory;
    House house({.path = directory / "a.db", .readers = 1, .group_limit = 1, .scrub_after = 20ms});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        while (database.statistics().scrubs == 0) co_await runtime::sleep_for(1ms);
        std::binary_semaphore writing{0};
        std::binary_semaphore go{0};
        std::atomic<bool> given_up{false};
        auto block = [](Database& db, std::binary_semaphore& begun, std::binary_semaphore& end,
                        std::atomic<bool>& late) -> Task<void> {
            const auto done =
                co_await db.write({"notes"}, [&begun, &end, &late](Transaction&) -> Result<void> {
                    begun.release();
                    if (!end.try_acquire_for(10s)) late = true;
                    return {};
                });
            EXPECT_TRUE(done.has_value());
        };
        runtime::TaskGroup group(house.runtime, "writers");
        int acknowledged = 0;
        group.spawn(note(database, "before", acknowledged));  // there is something to clear away
        group.spawn(block(database, writing, go, given_up));
        while (!writing.try_acquire()) co_await runtime::sleep_for(1ms);
        group.spawn(note(database, "after", acknowledged));
        for (int i = 0; i < 10; ++i) {
            EXPECT_EQ(co_await count_notes(database), 1);
            co_await runtime::sleep_for(10ms);  // meanwhile a gap is looked for
        }
        EXPECT_FALSE(given_up);
        go.release();
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(acknowledged, 2);
        EXPECT_EQ(co_await count_notes(database), 2);
        while (database.statistics().scrubs == 1) co_await runtime::sleep_for(1ms);
    });
}

TEST(Database, close_finishes_what_is_queued_and_refuses_what_comes_later) {
    Directory directory;
    {
        House house({.path = directory / "a.db"});
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            runtime::TaskGroup group(house.runtime, "writers");
            int acknowledged = 0;
            for (int i = 0; i < 50; ++i) group.spawn(note(database, std::to_string(i), acknowledged));
            // Every writer runs up to its wait before this task's next turn.
            co_await runtime::sleep_for(1ms);
            database.close();
            const auto late = co_await write_note(database, "late");
            EXPECT_EQ(late.error().code, "storage.closed");
            const auto late_read = co_await database.read([](Transaction& tx) { return count(tx); });
            EXPECT_EQ(late_read.error().code, "storage.closed");
            EXPECT_TRUE(co_await group.wait(60s));
            EXPECT_EQ(acknowledged, 50);
        });
        EXPECT_FALSE(std::filesystem::exists(directory / "a.db-wal"));
    }
    House house({.path = directory / "a.db"});
    house.run([&]() -> Task<void> { EXPECT_EQ(co_await count_notes(*house.database), 50); });
}

}  // namespace
}  // namespace storage
