// The shell of sqlite3 on the file of a running server: what it commits is kept as our own is.
#include "harness.h"

#include <atomic>
#include <thread>

#include <sqlite3.h>

namespace storage {
namespace {

using namespace std::chrono_literals;
using namespace test;
using base::Result;

/// A connection that knows nothing of ours.
class Shell {
  public:
    explicit Shell(const std::filesystem::path& path) {
        EXPECT_EQ(sqlite3_open(path.c_str(), &handle_), SQLITE_OK);
        sqlite3_busy_timeout(handle_, 60'000);
    }
    ~Shell() { sqlite3_close(handle_); }
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;
    void execute(const std::string& sql) {
        EXPECT_EQ(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(handle_);
    }

  private:
    sqlite3* handle_ = nullptr;
};

Result<std::string> integrity(Transaction& tx) {
    auto row = tx.prepare("PRAGMA integrity_check");
    row.step();
    return std::string(row.text(0));
}

TEST(OtherProgram, loses_nothing_while_the_log_is_cleared_again_and_again) {
    constexpr int kNotes = 300;
    Directory directory;
    House house({.path = directory / "a.db", .readers = 1, .scrub_after = 1ms});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        std::atomic<bool> shell_done{false};
        std::jthread other([&] {
            Shell shell(directory / "a.db");
            for (int i = 0; i < kNotes; ++i) {
                shell.execute("INSERT INTO notes (text) VALUES ('of the shell " + std::to_string(i) + "')");
                std::this_thread::sleep_for(1ms);
            }
            shell_done = true;
        });
        int ours = 0;
        while (!shell_done) {
            const auto done = co_await write_note(database, "ours " + std::to_string(ours));
            EXPECT_TRUE(done.has_value());
            ++ours;
            co_await runtime::sleep_for(2ms);
        }
        while (database.statistics().scrubs == 0) co_await runtime::sleep_for(1ms);
        EXPECT_EQ(co_await count_notes(database), kNotes + ours);
        const auto verdict = co_await database.read(integrity);
        EXPECT_EQ(verdict ? *verdict : verdict.error().code, "ok");
    });
}

/// Reads for so long that a checkpoint which is urgent would end it.
Result<int> read_for_long(Transaction& tx) {
    int rounds = 0;
    for (const auto until = std::chrono::steady_clock::now() + 2s;
         std::chrono::steady_clock::now() < until;) {
        auto row = tx.prepare(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            " SELECT count(*) FROM n");
        row.step();
        ++rounds;
    }
    return rounds;
}

TEST(OtherProgram, that_reads_on_and_on_costs_no_read_of_ours_its_life) {
    Directory directory;
    House house({.path = directory / "a.db", .readers = 2, .scrub_after = 1ms});
    house.run([&]() -> Task<void> {
        Database& database = *house.database;
        const auto is_held = [&](int held) {
            return house.runtime.metrics().text().find("storage_log_held " + std::to_string(held)) !=
                   std::string::npos;
        };
        EXPECT_TRUE((co_await write_note(database, "before")).has_value());
        Shell shell(directory / "a.db");  // a backup, say
        shell.execute("BEGIN; SELECT * FROM notes");
        EXPECT_TRUE((co_await write_note(database, "after")).has_value());
        while (!is_held(1)) co_await runtime::sleep_for(1ms);
        const auto scrubs = database.statistics().scrubs;
        for (int i = 0; i < 2; ++i) {
            const auto read = co_await database.read(read_for_long);
            EXPECT_TRUE(read.has_value()) << read.error().code;
        }
        EXPECT_EQ(database.statistics().scrubs, scrubs);
        shell.execute("COMMIT");
        while (database.statistics().scrubs == scrubs || !is_held(0)) co_await runtime::sleep_for(1ms);
        EXPECT_EQ(co_await count_notes(database), 2);
    });
}

TEST(OtherProgram, that_is_connected_at_the_stop_loses_nothing) {
    Directory directory;
    auto house = std::make_unique<House>(Database::Options{.path = directory / "a.db", .readers = 1});
    Shell shell(directory / "a.db");
    house->run([&]() -> Task<void> {
        EXPECT_TRUE((co_await write_note(*house->database, "ours")).has_value());
        shell.execute("INSERT INTO notes (text) VALUES ('before the stop')");
    });
    house.reset();
    shell.execute("INSERT INTO notes (text) VALUES ('after it')");
    House again({.path = directory / "a.db", .readers = 1});
    again.run([&]() -> Task<void> {
        EXPECT_EQ(co_await count_notes(*again.database), 3);
        const auto verdict = co_await again.database->read(integrity);
        EXPECT_EQ(verdict ? *verdict : verdict.error().code, "ok");
    });
}

}  // namespace
}  // namespace storage
