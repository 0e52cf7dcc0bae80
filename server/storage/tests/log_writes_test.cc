// What the writer puts into the log is gathered: fewer writes, and nothing else is to be seen of it.
#include "harness.h"
#include "test_disk.h"

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

/// A small cache, so that a large job's pages go to the log before its commit.
Database::Options options(const Directory& directory) {
    return {.path = directory / "a.db", .readers = 1, .cache_kib = 64, .scrub_after = 1h};
}

std::string long_note(int number) {
    return std::to_string(number) + std::string(3000, 'n');
}

Result<void> insert_many(Transaction& tx, int from, int count) {
    for (int i = from; i < from + count; ++i) {
        if (auto done = insert(tx, long_note(i)); !done) return base::fail(std::move(done.error()));
    }
    return {};
}

Result<std::string> integrity(Transaction& tx) {
    auto row = tx.prepare("PRAGMA integrity_check");
    row.step();
    return std::string(row.text(0));
}

Task<void> expect_whole(Database& database, std::int64_t notes) {
    EXPECT_EQ(co_await count_notes(database), notes);
    const auto verdict = co_await database.read(integrity);
    EXPECT_EQ(verdict ? *verdict : verdict.error().code, "ok");
}

TEST(LogWrites, of_one_commit_are_few) {
    Directory directory;
    TestDisk disk;
    House house({.path = directory / "a.db", .readers = 1, .scrub_after = 1h});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        EXPECT_TRUE((co_await write_note(database, "one")).has_value());
        const auto before = disk.operations();
        const auto done =
            co_await database.write({"notes"}, [](Transaction& tx) { return insert_many(tx, 0, 100); });
        EXPECT_TRUE(done.has_value());
        EXPECT_GT(database.statistics().wal_pages, 100U);
        EXPECT_LT(disk.operations() - before, 40U);
    });
}

TEST(LogWrites, of_a_job_that_outgrows_the_cache_are_all_there_or_none) {
    Directory directory;
    {
        House house(options(directory));
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            std::int64_t notes = 0;
            for (int round = 0; round < 4; ++round) {
                const auto half = co_await database.write({"notes"}, [](Transaction& tx) -> Result<void> {
                    EXPECT_TRUE(insert_many(tx, 1'000'000, 150).has_value());
                    return base::fail(base::ErrorKind::forbidden, "test.no", "no");
                });
                EXPECT_EQ(half ? "" : half.error().code, "test.no");
                co_await expect_whole(database, notes);
                const auto whole = co_await database.write(
                    {"notes"}, [round](Transaction& tx) { return insert_many(tx, round * 1000, 150); });
                EXPECT_TRUE(whole.has_value());
                notes += 150;
                co_await expect_whole(database, notes);
            }
        });
    }
    House again(options(directory));
    again.run([&]() -> Task<void> { co_await expect_whole(*again.database, 600); });
}

TEST(LogWrites, of_a_transaction_that_the_disk_refused_take_no_room_afterwards) {
    Directory directory;
    TestDisk disk;
    auto with = options(directory);
    with.wal_soft_limit_bytes = 256 << 10;
    House house(with);
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        // Until the log begins anew, in a file that is long already.
        int notes = 0;
        for (std::uint64_t before = 0; database.statistics().wal_bytes >= before; ++notes) {
            before = database.statistics().wal_bytes;
            EXPECT_TRUE((co_await write_note(database, long_note(notes))).has_value());
        }
        disk.leave_room(0);
        const auto large =
            co_await database.write({"notes"}, [](Transaction& tx) { return insert_many(tx, 10'000, 500); });
        EXPECT_EQ(large ? "" : large.error().code, "storage.disk_full");
        const auto small = co_await write_note(database, "small");
        EXPECT_EQ(small ? "" : small.error().code, "");
        disk.leave_room(-1);
        co_await expect_whole(database, notes + 1);
    });
}

/// A job that goes on after the disk was full for a moment may be kept or not, but not in part.
TEST(LogWrites, that_the_disk_refused_for_a_moment_are_not_missing_in_the_middle) {
    for (int room = 50'000; room < 1'000'000; room += 50'000) {
        SCOPED_TRACE("room " + std::to_string(room));
        Directory directory;
        TestDisk disk;
        House house(options(directory));
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            EXPECT_TRUE((co_await write_note(database, "one")).has_value());
            disk.leave_room(room);
            const auto stubborn =
                co_await database.write({"notes"}, [&disk](Transaction& tx) -> Result<std::int64_t> {
                    std::int64_t inserted = 0;
                    for (int i = 0; i < 200; ++i) {
                        try {
                            if (insert(tx, long_note(i))) ++inserted;
                            // Reads what went to the log before, and is undone by itself where it fails.
                            if (i % 10 == 0)
                                tx.execute("UPDATE notes SET text = text || 'x' WHERE id % 3 = 1");
                        } catch (const Fault&) {
                            disk.leave_room(-1);
                        }
                    }
                    return inserted;
                });
            disk.leave_room(-1);
            co_await expect_whole(database, stubborn ? 1 + *stubborn : 1);
            EXPECT_TRUE((co_await write_note(database, "two")).has_value());
            co_await expect_whole(database, stubborn ? 2 + *stubborn : 2);
        });
    }
}

}  // namespace
}  // namespace storage
