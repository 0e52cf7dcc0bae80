// What was redacted or deleted is gone from the bytes of every file, after the stated delay.
#include "harness.h"
#include "page_residue.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

constexpr Migration kLetters[] = {
    {"test", 1, "001_letters",
     "CREATE TABLE letter (room INTEGER NOT NULL, position INTEGER NOT NULL, json TEXT NOT NULL,"
     " PRIMARY KEY (room, position)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE note (id INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;"
     "CREATE INDEX note_by_json ON note (json);"}};

/// Any 16 bytes of it hold the mark whole: a fragment is found too.
std::string secret(std::size_t bytes) {
    static constexpr std::string_view kMark = "~Secret~";
    std::string text;
    while (text.size() < bytes) text += kMark;
    return text;
}

std::size_t traces_in(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    std::size_t found = 0;
    for (auto at = bytes.find("~Secret~"); at != std::string::npos; at = bytes.find("~Secret~", at + 1))
        ++found;
    return found;
}

std::string traces_in(const Directory& directory) {
    std::string found;
    for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
        if (const auto count = traces_in(file.path()); count > 0) {
            found += file.path().filename().string() + ": " + std::to_string(count) + " ";
        }
    }
    return found;
}

Database::Options options(const Directory& directory, std::chrono::milliseconds scrub_after) {
    return {.path = directory / "a.db", .readers = 1, .scrub_after = scrub_after};
}

template <class F>
Task<void> write(Database& database, F job) {
    const auto done = co_await database.write({"letters"}, std::move(job));
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
}

/// Waits for a scrub that began after now.
Task<void> wait_for_scrub(Database& database) {
    for (int i = 0; i < 2; ++i) {
        const auto before = database.statistics().scrubs;
        co_await write(database, [](Transaction& tx) -> Result<void> {
            tx.prepare("INSERT INTO note (json) VALUES ('plain' || random())").run();
            return {};
        });
        while (database.statistics().scrubs == before) co_await runtime::sleep_for(2ms);
    }
}

/// Rows of any size in any order: pages split, share out their cells and merge. Every other row is secret.
Result<void> fill(Transaction& tx, std::mt19937_64& random, int rows) {
    for (int i = 0; i < rows; ++i) {
        const bool long_row = random() % 40 == 0;
        const std::size_t bytes = 30 + random() % (long_row ? 12'000 : 700);
        const std::string text = random() % 2 == 0 ? secret(bytes) : std::string(bytes, 'p');
        tx.prepare("INSERT OR REPLACE INTO letter VALUES (?1, ?2, ?3)")
            .bind(static_cast<std::int64_t>(random() % 12), static_cast<std::int64_t>(random() % 100'000),
                  text)
            .run();
        if (random() % 4 == 0) tx.prepare("INSERT INTO note (json) VALUES (?1)").bind(text).run();
    }
    return {};
}

Result<void> redact(Transaction& tx) {
    tx.execute("UPDATE letter SET json = '{}' WHERE json LIKE '%Secret%' AND position % 3 > 0");
    tx.execute("DELETE FROM letter WHERE json LIKE '%Secret%'");
    tx.execute("UPDATE note SET json = '{}' WHERE json LIKE '%Secret%' AND id % 2 = 0");
    tx.execute("DELETE FROM note WHERE json LIKE '%Secret%'");
    return {};
}

/// Dirties pages everywhere without moving a row: what lingers in a page in memory is written again.
Result<void> touch_all(Transaction& tx) {
    tx.execute("UPDATE letter SET json = replace(json, 'p', 'q') WHERE position % 3 = 0");
    tx.execute("UPDATE note SET json = replace(json, 'p', 'q') WHERE id % 5 = 0");
    return {};
}

TEST(Residue, what_was_redacted_is_in_no_byte_of_any_file_after_the_delay) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Directory directory;
        House house(options(directory, 300ms), {kLetters});
        house.run([&]() -> Task<void> {
            Database& database = *house.database;
            std::mt19937_64 random(seed);
            for (int round = 0; round < 5; ++round) {
                co_await write(database, [&random](Transaction& tx) { return fill(tx, random, 150); });
            }
            EXPECT_NE(traces_in(directory), "");
            co_await write(database, redact);
            co_await wait_for_scrub(database);
            EXPECT_EQ(traces_in(directory), "");
            co_await write(database, touch_all);
            EXPECT_EQ(traces_in(directory / "a.db-wal"), 0U);  // before the next scrub
            EXPECT_EQ(traces_in(directory), "");
        });
        house.database->close();
        EXPECT_EQ(traces_in(directory), "");
    }
}

TEST(Residue, goes_also_while_people_write_without_pause) {
    Directory directory;
    auto with = options(directory, 50ms);
    with.wal_soft_limit_bytes = 512 << 10;
    House house(with, {kLetters});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        std::mt19937_64 random(7);
        for (int round = 0; round < 4; ++round) {
            co_await write(database, [&random](Transaction& tx) { return fill(tx, random, 150); });
        }
        bool writing = true;
        auto writer = [](Database& db, bool& going) -> Task<void> {
            std::int64_t i = 200'000;
            while (going) {
                co_await write(db, [i](Transaction& tx) -> Result<void> {
                    tx.prepare("INSERT INTO letter VALUES (?1, ?2, ?3)")
                        .bind(i % 12, i, std::string(400, 'w'))
                        .run();
                    return {};
                });
                ++i;
            }
        };
        runtime::TaskGroup group(house.runtime, "writer");
        group.spawn(writer(database, writing));
        co_await write(database, redact);
        co_await wait_for_scrub(database);
        EXPECT_EQ(traces_in(directory), "");
        writing = false;
        EXPECT_TRUE(co_await group.wait(60s));
    });
}

TEST(Residue, of_a_run_that_was_killed_goes_in_the_next) {
    Directory killed;
    Directory directory;
    {
        House house(options(killed, 1h), {kLetters});
        house.run([&]() -> Task<void> {
            std::mt19937_64 random(3);
            co_await write(*house.database, [&random](Transaction& tx) { return fill(tx, random, 300); });
            co_await write(*house.database, redact);
            std::filesystem::copy(killed.path(), directory.path());  // what a kill -9 now would leave
        });
    }
    EXPECT_NE(traces_in(directory), "");
    House house(options(directory, 30ms), {kLetters});
    house.run([&]() -> Task<void> {
        while (house.database->statistics().scrubs == 0) co_await runtime::sleep_for(2ms);
        EXPECT_EQ(traces_in(directory), "");
    });
}

TEST(Residue, of_a_run_that_was_killed_stays_in_the_log_where_the_next_start_fails) {
    static constexpr Migration kChanged[] = {
        {"test", 1, "001_letters", "CREATE TABLE letter (room INTEGER)"}};
    Directory killed;
    Directory directory;
    {
        House house(options(killed, 1h), {kLetters});
        house.run([&]() -> Task<void> {
            std::mt19937_64 random(3);
            co_await write(*house.database, [&random](Transaction& tx) { return fill(tx, random, 300); });
            std::filesystem::copy(killed.path(), directory.path());
        });
    }
    runtime::Runtime runtime;
    const auto bytes = std::filesystem::file_size(directory / "a.db-wal");
    EXPECT_EQ(code_of_open(runtime, options(directory, 1h), {kChanged}), "storage.migration_changed");
    // Removed, it would give its blocks back to the file system with all that is in them.
    ASSERT_TRUE(std::filesystem::exists(directory / "a.db-wal"));
    EXPECT_EQ(std::filesystem::file_size(directory / "a.db-wal"), bytes);
    {
        House house(options(directory, 1h), {kLetters});
    }
    EXPECT_FALSE(std::filesystem::exists(directory / "a.db-wal"));
}

/// However people read: at twice the delay those reads end that are in the way.
TEST(Residue, goes_also_while_reads_go_on_without_end) {
    constexpr int kMostReads = 12;
    Directory directory;
    auto with = options(directory, 100ms);
    with.read_limit = 3s;
    House house(with, {kLetters});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        std::mt19937_64 random(5);
        int ended = 0;
        int most = 1000;
        auto reader = [](Database& db, int& count, const int& limit) -> Task<void> {
            while (count < limit) {
                const auto endless = co_await db.read([](Transaction& tx) -> Result<std::int64_t> {
                    auto row = tx.prepare(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) "
                        "FROM n WHERE i < (SELECT count(*) FROM letter) + 1000000000");
                    row.step();
                    return row.integer(0);
                });
                EXPECT_EQ(endless ? "" : endless.error().code, "storage.timeout");
                ++count;
            }
        };
        runtime::TaskGroup group(house.runtime, "reader");
        group.spawn(reader(database, ended, most));
        co_await write(database, [&random](Transaction& tx) { return fill(tx, random, 600); });
        co_await write(database, redact);
        most = ended + kMostReads;
        co_await wait_for_scrub(database);
        EXPECT_LT(ended, most);
        EXPECT_EQ(traces_in(directory), "");
        most = 0;
        EXPECT_TRUE(co_await group.wait(60s));
    });
}

TEST(Residue, an_idle_database_ends_with_a_short_log) {
    Directory directory;
    House house(options(directory, 30ms), {kLetters});
    house.run([&]() -> Task<void> {
        std::mt19937_64 random(3);
        co_await write(*house.database, [&random](Transaction& tx) { return fill(tx, random, 300); });
        co_await wait_for_scrub(*house.database);
        EXPECT_LT(std::filesystem::file_size(directory / "a.db-wal"), 64U << 10);
    });
}

// A leaf of a table: 3 cells, a free block, and rubbish in the gap.
std::array<std::uint8_t, 512> leaf() {
    std::array<std::uint8_t, 512> page{};
    page.fill(0xEE);
    const auto put = [&page](std::size_t at, std::size_t value) {
        page[at] = static_cast<std::uint8_t>(value >> 8);
        page[at + 1] = static_cast<std::uint8_t>(value);
    };
    page[0] = 13;
    put(1, 460);  // first free block
    put(3, 3);    // cells
    put(5, 400);  // where they begin
    page[7] = 0;
    put(8, 400);
    put(10, 430);
    put(12, 490);
    put(460, 0);   // no further free block
    put(462, 30);  // its length
    return page;
}

TEST(Residue, of_a_page_is_all_but_its_header_and_its_cells) {
    auto page = leaf();
    clear_residue(page, 0);
    auto expected = leaf();
    std::fill(expected.begin() + 14, expected.begin() + 400, 0);
    std::fill(expected.begin() + 464, expected.begin() + 490, 0);
    EXPECT_EQ(page, expected);
}

TEST(Residue, of_a_damaged_page_or_of_one_that_is_no_b_tree_is_left_alone) {
    const auto unchanged = [](auto change) {
        auto page = leaf();
        change(page);
        auto cleared = page;
        clear_residue(cleared, 0);
        return page == cleared;
    };
    EXPECT_TRUE(unchanged([](auto& page) { page[0] = 0; }));     // overflow, free
    EXPECT_TRUE(unchanged([](auto& page) { page[3] = 2; }));     // more cells than have room
    EXPECT_TRUE(unchanged([](auto& page) { page[5] = 0x7F; }));  // cells behind the end
    EXPECT_TRUE(unchanged([](auto& page) { page[8] = 0; }));     // a cell in the gap
    EXPECT_TRUE(unchanged([](auto& page) { page[462] = 2; }));   // a free block over the end
    EXPECT_TRUE(unchanged([](auto& page) {                       // free blocks in a circle
        page[460] = 460 >> 8;
        page[461] = 460 & 0xFF;
    }));
    EXPECT_FALSE(unchanged([](auto&) {}));
}

}  // namespace
}  // namespace storage
