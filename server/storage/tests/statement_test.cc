#include "connection.h"
#include "harness.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include <sqlite3.h>
#include <storage/test_database.h>

namespace storage {
namespace {

constexpr Migration kThings[] = {
    {"test", 1, "001_things", "CREATE TABLE things (a, b, c, d)"},
    {"test", 2, "002_more",
     "CREATE TABLE more (a INTEGER PRIMARY KEY); CREATE INDEX things_a ON things (a)"}};

TEST(Statement, gives_back_what_was_bound_with_nothing_taken_for_null) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    const base::Bytes blob{0, 1, 255};
    const std::optional<std::string> none;
    tx.prepare("INSERT INTO things VALUES (?1, ?2, ?3, ?4)")
        .bind(std::int64_t{1} << 62, std::string_view("灵\0犀", 7), blob, none)
        .run();
    tx.prepare("INSERT INTO things VALUES (?1, ?2, ?3, ?4)")
        .bind(-1, std::string_view(), base::Bytes{}, nullptr)
        .run();

    auto rows = tx.prepare("SELECT a, b, c, d FROM things ORDER BY a DESC");
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.integer(0), std::int64_t{1} << 62);
    EXPECT_EQ(rows.text(1), std::string_view("灵\0犀", 7));
    EXPECT_TRUE(std::ranges::equal(rows.blob(2), blob));
    EXPECT_TRUE(rows.is_null(3));
    EXPECT_EQ(rows.optional_text(3), std::nullopt);
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.optional_integer(0), -1);
    EXPECT_FALSE(rows.is_null(1));
    EXPECT_EQ(rows.text(1), "");
    EXPECT_FALSE(rows.is_null(2));
    EXPECT_TRUE(rows.is_null(3));
    EXPECT_FALSE(rows.step());
    EXPECT_FALSE(rows.step());  // does not start over
}

TEST(Statement, is_bound_and_run_many_times_and_counts_its_changes) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    auto insert = tx.prepare("INSERT INTO things (a) VALUES (?1)");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(insert.bind(i).run(), 1);
    EXPECT_EQ(tx.prepare("UPDATE things SET b = 1 WHERE a >= ?1").bind(2).run(), 3);
    EXPECT_EQ(tx.prepare("DELETE FROM things WHERE a > 100").run(), 0);
}

TEST(Statement, one_text_may_be_in_use_twice_at_once) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    const std::string_view sql = "SELECT ?1";
    auto first = tx.prepare(sql);
    first.bind(1).step();
    {
        auto second = tx.prepare(sql);
        second.bind(2).step();
        EXPECT_EQ(second.integer(0), 2);
    }
    EXPECT_EQ(first.integer(0), 1);
}

TEST(Statement, another_text_at_the_same_place_is_another_statement) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    std::string sql = "SELECT 1";
    for (char digit : {'1', '2', '3'}) {
        sql.back() = digit;
        auto row = tx.prepare(sql);
        ASSERT_TRUE(row.step());
        EXPECT_EQ(row.integer(0), digit - '0');
    }
}

TEST(Statement, is_compiled_once_and_kept_within_a_bound) {
    test::Directory directory;
    auto connection = Connection::open({.path = directory / "a.db", .role = Connection::Role::test});
    ASSERT_TRUE(connection.has_value());
    const auto kept = [&connection] {
        int statements = 0;
        for (auto* statement = sqlite3_next_stmt((*connection)->handle(), nullptr); statement != nullptr;
             statement = sqlite3_next_stmt((*connection)->handle(), statement)) {
            ++statements;
        }
        return statements;
    };
    const int before = kept();
    for (int i = 0; i < 100; ++i) (*connection)->prepare("SELECT ?1 + 1").bind(i).step();
    EXPECT_EQ(kept(), before + 1);
    std::vector<std::string> texts;
    texts.reserve(3000);
    for (int i = 0; i < 3000; ++i) texts.push_back("SELECT " + std::to_string(i));
    for (const std::string& text : texts) (*connection)->prepare(text).step();
    EXPECT_LE(kept(), 1025);
}

/// A checkpoint interrupts again and again, and may hit what ends the read: it must end all the same.
TEST(Connection, rolls_back_however_often_it_is_interrupted) {
    test::Directory directory;
    const auto connection = Connection::open({.path = directory / "a.db"});
    ASSERT_TRUE(connection.has_value());
    std::atomic<bool> interrupting{true};
    std::thread interrupter([&] {
        while (interrupting) {
            (*connection)->interrupt();
            std::this_thread::sleep_for(std::chrono::microseconds(1));
        }
    });
    for (int i = 0; i < 20'000; ++i) {
        try {
            (*connection)->execute("BEGIN");
        } catch (const Fault&) {
            continue;
        }
        EXPECT_NO_THROW((*connection)->roll_back());
        EXPECT_FALSE((*connection)->in_transaction());
    }
    interrupting = false;
    interrupter.join();
}

TEST(Statement, its_bindings_do_not_outlive_it) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    const std::string_view sql = "SELECT ?1";
    tx.prepare(sql).bind("secret").step();
    auto row = tx.prepare(sql);
    ASSERT_TRUE(row.step());
    EXPECT_TRUE(row.is_null(0));
}

TEST(Statement, mistakes_are_faults_and_not_silence) {
    TestDatabase database({kThings});
    auto& tx = database.begin();
    EXPECT_THROW(tx.prepare("SELECT nothing FROM nowhere"), Fault);
    EXPECT_THROW(tx.prepare("SELECT 1; SELECT 2"), Fault);
    EXPECT_THROW(tx.prepare(""), Fault);
    EXPECT_THROW(tx.prepare("SELECT \"misspelt\" FROM things"), Fault);
    EXPECT_THROW(tx.prepare("SELECT ?1").bind(1, 2), Fault);
    EXPECT_NO_THROW(tx.prepare("SELECT 1;\n"));
}

TEST(TestDatabase, keeps_what_was_committed_and_forgets_the_rest) {
    TestDatabase database({kThings});
    int told = 0;
    {
        auto& tx = database.begin();
        tx.execute("INSERT INTO things (a) VALUES (1)");
        tx.after_commit([&told] { ++told; });
        database.commit();
    }
    EXPECT_EQ(told, 1);
    {
        auto& tx = database.begin();
        tx.execute("INSERT INTO things (a) VALUES (2)");
        tx.after_commit([&told] { ++told; });
    }
    auto& tx = database.begin();
    auto row = tx.prepare("SELECT count(*) FROM things");
    row.step();
    EXPECT_EQ(row.integer(0), 1);
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace storage
