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
