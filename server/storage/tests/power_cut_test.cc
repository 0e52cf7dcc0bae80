#include "harness.h"
#include "test_disk.h"

#include <random>
#include <set>

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

constexpr Migration kEntries[] = {
    {"test", 1, "001_entries",
     "CREATE TABLE entry (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
     "CREATE TABLE line (entry_id INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL,"
     " PRIMARY KEY (entry_id, number)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX line_by_text ON line (text);"
     "CREATE TABLE tally (entries INTEGER NOT NULL) STRICT;"
     "INSERT INTO tally VALUES (0);"}};
constexpr int kLines = 3;

/// Small bounds: within a storm the WAL starts anew and is scrubbed many times.
Database::Options storm_options(const Directory& directory) {
    return {.path = directory / "a.db",
            .readers = 1,
            .cache_kib = 256,
            .wal_soft_limit_bytes = 128 << 10,
            .wal_hard_limit_bytes = 1 << 20,
            .scrub_after = 20ms};
}

Result<void> put_entry(Transaction& tx, std::int64_t id, std::uint64_t luck) {
    std::mt19937_64 random(luck);
    const auto text = [&random] {
        return std::string(20 + random() % (random() % 8 == 0 ? 9000 : 300), 'e');
    };
    tx.prepare("INSERT INTO entry VALUES (?1, ?2)").bind(id, text()).run();
    for (int number = 0; number < kLines; ++number) {
        tx.prepare("INSERT INTO line VALUES (?1, ?2, ?3)")
            .bind(id, number, std::to_string(random()) + text())
            .run();
    }
    tx.prepare("UPDATE tally SET entries = entries + 1").run();
    return {};
}

/// Writes until the power goes; returns what was acknowledged.
std::set<std::int64_t> storm(TestDisk& disk, const Directory& directory, std::uint64_t seed) {
    std::set<std::int64_t> acknowledged;
    House house(storm_options(directory), {kEntries});
    std::mt19937_64 random(seed);
    disk.cut_after(20 + random() % 2500);
    house.run([&]() -> Task<void> {
        runtime::TaskGroup group(house.runtime, "storm");
        auto writer = [](Database& database, std::set<std::int64_t>& done, std::int64_t from,
                         std::uint64_t luck) -> Task<void> {
            for (std::int64_t id = from;; ++id) {
                const auto written = co_await database.write({"entry"}, [id, luck](Transaction& tx) {
                    return put_entry(tx, id, luck + static_cast<std::uint64_t>(id));
                });
                if (!written) co_return;
                done.insert(id);
            }
        };
        for (int i = 0; i < 6; ++i)
            group.spawn(writer(*house.database, acknowledged, i * 1'000'000, random()));
        EXPECT_TRUE(co_await group.wait(120s));
    });
    EXPECT_TRUE(disk.is_cut());
    house.database->close();
    return acknowledged;
}

struct Found {
    std::set<std::int64_t> entries;
    std::int64_t halves = 0;  ///< entries without all of their lines, lines without their entry
    std::int64_t tally = 0;
    std::string integrity;
};

Result<Found> look(Transaction& tx) {
    Found found;
    auto entries = tx.prepare("SELECT id FROM entry");
    while (entries.step()) found.entries.insert(entries.integer(0));
    auto halves = tx.prepare(
        "SELECT (SELECT count(*) FROM entry e WHERE (SELECT count(*) FROM line l WHERE l.entry_id = e.id) <> "
        "?1)"
        " + (SELECT count(*) FROM line WHERE entry_id NOT IN (SELECT id FROM entry))");
    halves.bind(kLines);
    halves.step();
    found.halves = halves.integer(0);
    auto tally = tx.prepare("SELECT entries FROM tally");
    tally.step();
    found.tally = tally.integer(0);
    auto integrity = tx.prepare("PRAGMA integrity_check");
    while (integrity.step()) found.integrity += integrity.text(0);
    return found;
}

/// Starts on what the cut left; how many acknowledged entries are missing. `whole`: nothing else is wrong.
std::size_t missing_after(const Directory& directory, const std::set<std::int64_t>& acknowledged,
                          bool whole) {
    runtime::Runtime runtime;
    auto opened = Database::open(runtime, storm_options(directory), {kEntries});
    if (!opened) {
        EXPECT_FALSE(whole) << opened.error().code << " " << opened.error().message;
        return acknowledged.size();
    }
    std::size_t missing = 0;
    auto body = [&]() -> Task<void> {
        const auto found = co_await (*opened)->read([](Transaction& tx) { return look(tx); });
        if (!found) {
            EXPECT_FALSE(whole) << found.error().code;
            missing = acknowledged.size();
            co_return;
        }
        for (const std::int64_t id : acknowledged) missing += found->entries.contains(id) ? 0 : 1;
        if (!whole) co_return;
        EXPECT_EQ(found->integrity, "ok");
        EXPECT_EQ(found->halves, 0);
        EXPECT_EQ(found->tally, static_cast<std::int64_t>(found->entries.size()));
        const auto more = co_await (*opened)->write(
            {"entry"}, [](Transaction& tx) { return put_entry(tx, 99'000'000, 1); });
        EXPECT_TRUE(more.has_value());
    };
    test::run(runtime, body);
    (*opened)->close();
    return missing;
}

TEST(PowerCut, loses_no_acknowledged_write_and_leaves_no_half_of_another) {
    std::size_t acknowledged_in_all = 0;
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Directory before;
        std::set<std::int64_t> acknowledged;
        std::vector<std::unique_ptr<Directory>> afters;
        {
            TestDisk disk;
            acknowledged = storm(disk, before, seed);
            for (std::uint64_t luck = 0; luck < 3; ++luck) {
                afters.push_back(std::make_unique<Directory>());
                disk.restore(afters.back()->path(), seed * 100 + luck);
            }
        }
        for (const auto& after : afters) EXPECT_EQ(missing_after(*after, acknowledged, true), 0U);
        acknowledged_in_all += acknowledged.size();
    }
    EXPECT_GT(acknowledged_in_all, 500U);
}

/// That the test above can tell: on a disk that only says that it synced, it would find losses.
TEST(PowerCut, on_a_disk_that_lies_about_syncs_would_be_noticed) {
    std::size_t missing = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Directory before;
        Directory after;
        std::set<std::int64_t> acknowledged;
        {
            TestDisk disk;
            disk.lie_about_syncs(true);
            acknowledged = storm(disk, before, seed);
            disk.restore(after.path(), seed);
        }
        missing += missing_after(after, acknowledged, false);
    }
    EXPECT_GT(missing, 0U);
}

/// Writes entries one after another into a log that holds every page in many versions.
Task<void> write_entries(Database& database, std::set<std::int64_t>& acknowledged) {
    for (std::int64_t id = 0; id < 10; ++id) {
        const auto written = co_await database.write(
            {"entry"}, [id](Transaction& tx) { return put_entry(tx, id, static_cast<std::uint64_t>(id)); });
        if (written) acknowledged.insert(id);
    }
    EXPECT_EQ(acknowledged.size(), 10U);
}

/// Lets the power go at each operation of `end(house, disk, operation)` in turn, which returns false once it
/// ended before the cut; each time nothing may be missing. A kill instead of a cut is a luck that keeps all.
template <class End>
void cut_at_each_operation_of(End end, std::chrono::milliseconds scrub_after) {
    std::uint64_t operation = 1;
    for (bool cut = true; cut; ++operation) {
        SCOPED_TRACE("operation " + std::to_string(operation));
        Directory before;
        std::set<std::int64_t> acknowledged;
        std::vector<std::unique_ptr<Directory>> afters;
        {
            TestDisk disk;
            House house({.path = before / "a.db", .readers = 1, .scrub_after = scrub_after}, {kEntries});
            cut = end(house, disk, operation, acknowledged);
            for (std::uint64_t luck = 0; luck < 3; ++luck) {
                afters.push_back(std::make_unique<Directory>());
                disk.restore(afters.back()->path(), operation * 100 + luck);
            }
        }
        for (const auto& after : afters) EXPECT_EQ(missing_after(*after, acknowledged, true), 0U);
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(operation, 10U);
}

TEST(PowerCut, while_a_log_is_cleared_that_nobody_writes_to_loses_nothing) {
    const auto scrub = [](House& house, TestDisk& disk, std::uint64_t operation,
                          std::set<std::int64_t>& acknowledged) {
        bool cut = false;
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            // A read under way keeps all in the log until everything is written.
            HeldRead read(house);
            co_await read.begun();
            co_await write_entries(database, acknowledged);
            const auto scrubs = database.statistics().scrubs;
            disk.cut_after(operation);
            read.let_go();
            co_await read.ended();
            while (!disk.is_cut() && database.statistics().scrubs == scrubs) {
                co_await runtime::sleep_for(1ms);
            }
            cut = disk.is_cut();
        });
        return cut;
    };
    cut_at_each_operation_of(scrub, 1ms);
}

/// A kernel takes what it could not write for written; SQLite has counted it as moved.
TEST(PowerCut, after_syncs_that_failed_loses_nothing) {
    Directory before;
    std::set<std::int64_t> acknowledged;
    Directory after;
    {
        TestDisk disk;
        auto with = storm_options(before);
        with.scrub_after = 1h;
        House house(with, {kEntries});
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            std::int64_t next = 0;
            const auto put_one = [&database, &next, &acknowledged]() -> Task<void> {
                const std::int64_t id = ++next;
                const auto done = co_await database.write({"entry"}, [id](Transaction& tx) {
                    return put_entry(tx, id, static_cast<std::uint64_t>(id));
                });
                EXPECT_TRUE(done.has_value());
                acknowledged.insert(id);
            };
            disk.lose_syncs("a.db");
            while (disk.lost_syncs() < 3) co_await put_one();
            disk.lose_syncs("");
            for (int begun_anew = 0; begun_anew < 2;) {
                const auto bytes = database.statistics().wal_bytes;
                co_await put_one();
                if (database.statistics().wal_bytes < bytes) ++begun_anew;
            }
        });
        disk.restore(after.path(), 1);
        house.database->close();
    }
    EXPECT_EQ(missing_after(after, acknowledged, true), 0U);
}

/// First the sync of what was moved beside a read fails, then SQLite's own of all the rest.
TEST(PowerCut, after_syncs_of_both_kinds_failed_loses_nothing) {
    Directory before;
    std::set<std::int64_t> acknowledged;
    Directory after;
    {
        TestDisk disk;
        auto with = storm_options(before);
        with.wal_hard_limit_bytes = 1 << 30;
        with.scrub_after = 1h;
        House house(with, {kEntries});
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            const auto put_one = [&database, &acknowledged]() -> Task<void> {
                const auto id = std::ssize(acknowledged) + 1;
                const auto done = co_await database.write({"entry"}, [id](Transaction& tx) {
                    return put_entry(tx, id, static_cast<std::uint64_t>(id));
                });
                EXPECT_TRUE(done.has_value());
                acknowledged.insert(id);
            };
            disk.lose_syncs("a.db");  // until then nothing was moved
            for (int i = 0; i < 3; ++i) co_await put_one();
            HeldRead read(house);
            co_await read.begun();
            const int lost_before = disk.lost_syncs();
            while (disk.lost_syncs() == lost_before) co_await put_one();
            read.let_go();
            co_await read.ended();
            const int lost = disk.lost_syncs();
            while (disk.lost_syncs() < lost + 3) co_await runtime::sleep_for(1ms);
            disk.lose_syncs("");
            while (database.statistics().wal_bytes > 0) co_await runtime::sleep_for(1ms);
            co_await put_one();  // the old log is none any more
        });
        disk.restore(after.path(), 1);
        house.database->close();
    }
    EXPECT_EQ(missing_after(after, acknowledged, true), 0U);
}

TEST(PowerCut, during_a_clean_stop_loses_nothing) {
    const auto stop = [](House& house, TestDisk& disk, std::uint64_t operation,
                         std::set<std::int64_t>& acknowledged) {
        house.run([&]() -> Task<void> { co_await write_entries(*house.database, acknowledged); });
        disk.cut_after(operation);
        house.database->close();
        return disk.is_cut();
    };
    cut_at_each_operation_of(stop, 1h);
}

TEST(PowerCut, during_the_first_start_leaves_what_the_next_one_starts_on) {
    for (std::uint64_t operation = 1; operation <= 60; ++operation) {
        SCOPED_TRACE("operation " + std::to_string(operation));
        Directory before;
        Directory after;
        {
            TestDisk disk;
            disk.cut_after(operation);
            runtime::Runtime runtime;
            auto opened = Database::open(runtime, storm_options(before), {kEntries});
            if (!opened) EXPECT_EQ(opened.error().code, "storage.io") << opened.error().message;
            if (opened) (*opened)->close();
            disk.restore(after.path(), operation);
        }
        EXPECT_EQ(missing_after(after, {}, true), 0U);
    }
}

}  // namespace
}  // namespace storage
