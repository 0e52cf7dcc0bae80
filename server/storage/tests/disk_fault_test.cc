// A disk that is full, broken or not to be written to: a clear error, nothing lost, reading goes on, and
// the same database works again once the disk does.
#include "harness.h"
#include "test_disk.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <semaphore>

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

Database::Options options(const Directory& directory) {
    return {.path = directory / "a.db",
            .readers = 1,
            .cache_kib = 1024,
            .wal_soft_limit_bytes = 256 << 10,
            .wal_hard_limit_bytes = 4 << 20,
            .scrub_after = 20ms};
}

std::string long_note(int number) {
    return std::to_string(number) + std::string(3000, 'n');
}

/// Writes notes from `number` on until one fails; returns its code, "" where none of `most` did.
Task<std::string> write_until_it_fails(Database& database, int& number, int most) {
    for (int i = 0; i < most; ++i) {
        const auto done = co_await write_note(database, long_note(number));
        if (!done) co_return done.error().code;
        ++number;
    }
    co_return "";
}

TEST(DiskFault, a_full_disk_refuses_writes_until_there_is_room_again) {
    Directory directory;
    TestDisk disk;
    House house(options(directory));
    int written = 0;
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        for (int round = 0; round < 3; ++round) {
            EXPECT_EQ(co_await write_until_it_fails(database, written, 20), "");
            disk.leave_room(300'000);
            EXPECT_EQ(co_await write_until_it_fails(database, written, 2000), "storage.disk_full");
            EXPECT_EQ(co_await count_notes(database), written);
            EXPECT_EQ((co_await write_note(database, long_note(written))).error().code, "storage.disk_full");
            disk.leave_room(-1);
            EXPECT_EQ(co_await write_until_it_fails(database, written, 50), "");
            EXPECT_EQ(co_await count_notes(database), written);
        }
    });
    house.database.reset();
    House again(options(directory));
    again.run([&]() -> Task<void> { EXPECT_EQ(co_await count_notes(*again.database), written); });
}

/// However far a transaction came: what the disk refused is counted, for an alarm.
TEST(DiskFault, a_disk_that_is_full_in_the_middle_of_a_job_is_a_commit_that_failed) {
    Directory directory;
    TestDisk disk;
    auto with = options(directory);
    with.cache_kib = 64;  // so that pages go to the log before the commit
    House house(with);
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        EXPECT_TRUE((co_await write_note(database, "one")).has_value());
        disk.leave_room(200'000);
        const auto large = co_await database.write({"notes"}, [](Transaction& tx) -> Result<void> {
            for (int i = 0; i < 1000; ++i) EXPECT_TRUE(insert(tx, long_note(i)).has_value());
            return {};
        });
        EXPECT_EQ(large ? "" : large.error().code, "storage.disk_full");
        EXPECT_NE(house.runtime.metrics().text().find("storage_failed_commits_total 1"), std::string::npos);
        disk.leave_room(-1);
        EXPECT_EQ(co_await count_notes(database), 1);
        EXPECT_TRUE((co_await write_note(database, "two")).has_value());
    });
}

TEST(DiskFault, a_limit_of_the_size_of_files_is_a_full_disk) {
    Directory directory;
    House house(options(directory));
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        int written = 0;
        EXPECT_EQ(co_await write_until_it_fails(database, written, 5), "");
        rlimit limited = before;
        limited.rlim_cur = 300'000;
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
        EXPECT_EQ(co_await write_until_it_fails(database, written, 2000), "storage.disk_full");
        EXPECT_EQ(co_await count_notes(database), written);
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
        EXPECT_EQ(co_await write_until_it_fails(database, written, 5), "");
    });
}

TEST(DiskFault, a_log_that_cannot_be_written_refuses_writes_and_is_mended_by_itself) {
    Directory directory;
    TestDisk disk;
    House house(options(directory));
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        int written = 0;
        EXPECT_EQ(co_await write_until_it_fails(database, written, 20), "");
        disk.break_files("-wal");
        EXPECT_EQ(co_await write_until_it_fails(database, written, 1), "storage.io");
        EXPECT_EQ(co_await count_notes(database), written);
        disk.break_files("");
        EXPECT_EQ(co_await write_until_it_fails(database, written, 20), "");
        EXPECT_EQ(co_await count_notes(database), written);
    });
}

TEST(DiskFault, while_the_database_file_cannot_be_written_the_log_takes_everything) {
    Directory directory;
    TestDisk disk;
    House house(options(directory));
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        int written = 0;
        disk.break_files("a.db");
        EXPECT_EQ(co_await write_until_it_fails(database, written, 200), "");
        EXPECT_EQ(co_await count_notes(database), written);
        disk.break_files("");
        EXPECT_EQ(co_await write_until_it_fails(database, written, 1), "");
        const auto scrubs = database.statistics().scrubs;
        while (database.statistics().scrubs == scrubs) co_await runtime::sleep_for(2ms);
        EXPECT_EQ(co_await count_notes(database), written);
    });
}

/// However long the disk takes for a checkpoint: commits go on beside it.
TEST(DiskFault, a_checkpoint_that_waits_for_the_disk_stalls_no_write) {
    Directory directory;
    TestDisk disk;
    auto with = options(directory);
    with.wal_hard_limit_bytes = 1 << 30;
    House house(with);
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        int written = 0;
        disk.hold_syncs("a.db");
        while (!disk.holds_a_sync()) EXPECT_EQ(co_await write_until_it_fails(database, written, 1), "");
        EXPECT_EQ(co_await write_until_it_fails(database, written, 300), "");
        EXPECT_EQ(co_await count_notes(database), written);
        EXPECT_TRUE(disk.holds_a_sync());
        disk.hold_syncs("");
    });
}

/// What SQLite leaves for the sync in the gap, for which all wait, is synced before.
TEST(DiskFault, what_a_checkpoint_moves_beside_a_read_is_synced_at_once) {
    Directory directory;
    TestDisk disk;
    auto with = options(directory);
    with.wal_hard_limit_bytes = 1 << 30;
    with.scrub_after = 1h;
    House house(with);
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        int written = 0;
        EXPECT_EQ(co_await write_until_it_fails(database, written, 10), "");
        EXPECT_EQ(database.statistics().checkpoints, 0U);
        HeldRead read(house);
        co_await read.begun();
        // From now on the log holds frames that the read keeps there.
        while (database.statistics().checkpoints == 0) {
            EXPECT_EQ(co_await write_until_it_fails(database, written, 1), "");
        }
        for (int i = 0; i < 60'000 && disk.is_dirty("a.db"); ++i) co_await runtime::sleep_for(1ms);
        EXPECT_FALSE(disk.is_dirty("a.db"));
        read.let_go();
        co_await read.ended();
    });
}

TEST(DiskFault, a_read_that_holds_the_log_over_its_hard_bound_ends) {
    Directory directory;
    House house(options(directory));
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        std::string code;
        std::binary_semaphore reading{0};
        auto reader = [](Database& db, std::binary_semaphore& begun, std::string& result) -> Task<void> {
            const auto endless = co_await db.read([&begun](Transaction& tx) -> Result<std::int64_t> {
                begun.release();
                auto row = tx.prepare(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                    " WHERE i < (SELECT count(*) FROM notes)");
                row.step();
                return row.integer(0);
            });
            result = endless ? "ended" : endless.error().code;
        };
        runtime::TaskGroup group(house.runtime, "reader");
        group.spawn(reader(database, reading, code));
        while (!reading.try_acquire()) co_await runtime::sleep_for(1ms);
        int written = 0;
        while (code.empty()) {
            const auto failure = co_await write_until_it_fails(database, written, 10);
            EXPECT_EQ(failure, "");
            if (!failure.empty()) break;
        }
        EXPECT_EQ(code, "storage.timeout");
        EXPECT_EQ(co_await count_notes(database), written);
        EXPECT_TRUE(co_await group.wait(60s));
    });
}

TEST(DiskFault, a_directory_that_is_not_to_be_written_to_is_refused_at_the_start) {
    Directory directory;
    {
        House house(options(directory));
        house.run(
            [&]() -> Task<void> { EXPECT_TRUE((co_await write_note(*house.database, "one")).has_value()); });
    }
    const auto only_read = std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                           std::filesystem::perms::others_read | std::filesystem::perms::others_exec;
    std::filesystem::permissions(directory.path(), only_read);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        // Root may write anywhere.
        if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
        runtime::Runtime runtime;
        ::_exit(code_of_open(runtime, options(directory)) == "storage.read_only" ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
    House house(options(directory));
    house.run([&]() -> Task<void> { EXPECT_EQ(co_await count_notes(*house.database), 1); });
}

TEST(DiskFault, a_database_of_another_program_is_left_alone) {
    static constexpr Migration kOthers[] = {{"other", 1, "001_other", "CREATE TABLE other (id INTEGER)"}};
    Directory directory;
    {
        House house(options(directory), {kOthers});
        house.run([&]() -> Task<void> {
            const auto done = co_await house.database->write({"x"}, [](Transaction& tx) -> Result<void> {
                tx.execute("DROP TABLE schema_migration");
                return {};
            });
            EXPECT_TRUE(done.has_value());
        });
    }
    runtime::Runtime runtime;
    EXPECT_EQ(code_of_open(runtime, options(directory)), "storage.foreign_file");
}

}  // namespace
}  // namespace storage
