#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include <runtime/task_group.h>
#include <storage/database.h>
#include <storage/test_database.h>

namespace storage {
namespace {

using namespace std::chrono_literals;
using base::Result;
using runtime::Task;

constexpr Migration kSchema[] = {
    {"test", 1, "001_note", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"},
};

class DatabaseTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "lingxi-storage-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override {
        std::filesystem::permissions(directory_, std::filesystem::perms::owner_all);
        std::filesystem::remove_all(directory_);
    }

    Database::Options options() const {
        return {.path = directory_ / "test.db", .readers = 2, .cache_kib = 4096};
    }

    /// Opens the database and runs `body(database, runtime)` to its end.
    template <class F>
    void with_database(F body, Database::Options with) {
        runtime::Runtime runtime;
        auto database = Database::open(runtime, with, {kSchema});
        ASSERT_TRUE(database.has_value()) << database.error().code;
        {
            runtime::TaskGroup group(runtime, "test");
            auto main = [](runtime::Runtime& r, Database& d, F b) -> Task<void> {
                co_await b(d, r);
                r.stop();
            };
            group.spawn(main(runtime, **database, std::move(body)));
            runtime.run();
        }
        (*database)->close();
    }
    template <class F>
    void with_database(F body) {
        with_database(std::move(body), options());
    }

    std::filesystem::path directory_;
};

Task<Result<int>> insert(Database& database, std::string text) {
    co_return co_await database.write(OrderKey{"note"}, [text](Transaction& tx) -> Result<int> {
        tx.prepare("INSERT INTO note (text) VALUES (?1)").bind(text).run();
        return 1;
    });
}

Task<std::int64_t> count(Database& database) {
    auto rows = co_await database.read([](Transaction& tx) -> Result<std::int64_t> {
        auto row = tx.prepare("SELECT count(*) FROM note");
        row.step();
        return row.integer(0);
    });
    co_return rows ? *rows : -1;
}

TEST_F(DatabaseTest, many_jobs_share_few_commits) {
    with_database([](Database& database, runtime::Runtime& runtime) -> Task<void> {
        runtime::TaskGroup group(runtime, "writers");
        int written = 0;
        auto one = [](Database& d, int n, int& ok) -> Task<void> {
            if (co_await insert(d, std::to_string(n))) ++ok;
        };
        for (int i = 0; i < 500; ++i) group.spawn(one(database, i, written));
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(written, 500);
        EXPECT_EQ(co_await count(database), 500);
        EXPECT_LT(database.statistics().commits, 250U);
        EXPECT_EQ(database.statistics().jobs, 500U);
    });
}

TEST_F(DatabaseTest, a_job_that_fails_changes_nothing_and_spares_its_neighbours) {
    with_database([](Database& database, runtime::Runtime& runtime) -> Task<void> {
        runtime::TaskGroup group(runtime, "writers");
        int written = 0;
        std::vector<std::string> codes;
        auto good = [](Database& d, int n, int& ok) -> Task<void> {
            if (co_await insert(d, std::to_string(n))) ++ok;
        };
        auto refusing = [](Database& d, std::vector<std::string>& out) -> Task<void> {
            const auto done = co_await d.write(OrderKey{"note"}, [](Transaction& tx) -> Result<int> {
                tx.prepare("INSERT INTO note (text) VALUES ('refused')").run();
                return base::fail(base::ErrorKind::forbidden, "test.refused", "No.");
            });
            out.push_back(done ? "" : done.error().code);
        };
        auto clashing = [](Database& d, std::vector<std::string>& out) -> Task<void> {
            const auto done = co_await d.write(OrderKey{"note"}, [](Transaction& tx) -> Result<int> {
                tx.prepare("INSERT INTO note (text) VALUES ('same')").run();
                tx.prepare("INSERT INTO note (text) VALUES ('same')").run();
                return 1;
            });
            out.push_back(done ? "" : done.error().code);
        };
        auto throwing = [](Database& d, std::vector<std::string>& out) -> Task<void> {
            const auto done = co_await d.write(OrderKey{"note"}, [](Transaction& tx) -> Result<int> {
                tx.prepare("INSERT INTO note (text) VALUES ('thrown')").run();
                throw std::runtime_error("fault");
            });
            out.push_back(done ? "" : done.error().code);
        };
        for (int i = 0; i < 20; ++i) group.spawn(good(database, i, written));
        group.spawn(refusing(database, codes));
        group.spawn(clashing(database, codes));
        group.spawn(throwing(database, codes));
        for (int i = 20; i < 40; ++i) group.spawn(good(database, i, written));
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(written, 40);
        EXPECT_EQ(codes,
                  (std::vector<std::string>{"test.refused", "storage.constraint", "storage.internal"}));
        EXPECT_EQ(co_await count(database), 40);
    });
}

TEST_F(DatabaseTest, news_of_a_commit_comes_in_order_and_before_the_acknowledgement) {
    with_database([](Database& database, runtime::Runtime& runtime) -> Task<void> {
        runtime::TaskGroup group(runtime, "writers");
        std::vector<int> news;
        int acknowledged_without_news = 0;
        auto one = [](Database& d, int n, std::vector<int>& out, int& early) -> Task<void> {
            const auto done = co_await d.write(OrderKey{"note"}, [n, &out](Transaction& tx) -> Result<int> {
                tx.prepare("INSERT INTO note (id, text) VALUES (?1, ?2)").bind(n, std::to_string(n)).run();
                tx.after_commit([n, &out] { out.push_back(n); });
                if (n % 7 == 3) return base::fail(base::ErrorKind::forbidden, "test.refused", "No.");
                return n;
            });
            if (done && std::find(out.begin(), out.end(), n) == out.end()) ++early;
        };
        for (int i = 0; i < 100; ++i) group.spawn(one(database, i, news, acknowledged_without_news));
        EXPECT_TRUE(co_await group.wait(60s));
        std::vector<int> expected;
        for (int i = 0; i < 100; ++i) {
            if (i % 7 != 3) expected.push_back(i);
        }
        EXPECT_EQ(news, expected);
        EXPECT_EQ(acknowledged_without_news, 0);
    });
}

TEST_F(DatabaseTest, a_read_job_cannot_write) {
    with_database([](Database& database, runtime::Runtime&) -> Task<void> {
        const auto done = co_await database.read([](Transaction& tx) -> Result<int> {
            tx.prepare("INSERT INTO note (text) VALUES ('x')").run();
            return 1;
        });
        EXPECT_FALSE(done.has_value());
        EXPECT_EQ(co_await count(database), 0);
    });
}

TEST_F(DatabaseTest, a_second_opener_is_told_that_the_data_is_in_use) {
    with_database([this](Database&, runtime::Runtime& runtime) -> Task<void> {
        const auto second = Database::open(runtime, options(), {kSchema});
        EXPECT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, "storage.locked");
        co_return;
    });
}

TEST_F(DatabaseTest, a_database_from_a_newer_version_is_refused) {
    static constexpr Migration kNewer[] = {kSchema[0],
                                           {"test", 2, "002_more", "CREATE TABLE more (id INTEGER);"}};
    runtime::Runtime runtime;
    {
        auto newer = Database::open(runtime, options(), {kNewer});
        ASSERT_TRUE(newer.has_value());
    }
    EXPECT_EQ(Database::open(runtime, options(), {kSchema}).error().code, "storage.newer_version");
    EXPECT_TRUE(Database::open(runtime, options(), {kNewer}).has_value());
}

TEST_F(DatabaseTest, a_migration_that_was_edited_after_it_was_applied_is_refused) {
    static constexpr Migration kEdited[] = {
        {"test", 1, "001_note", "CREATE TABLE note (id INTEGER PRIMARY KEY);"}};
    runtime::Runtime runtime;
    {
        ASSERT_TRUE(Database::open(runtime, options(), {kSchema}).has_value());
    }
    EXPECT_EQ(Database::open(runtime, options(), {kEdited}).error().code, "storage.migration_changed");
}

TEST_F(DatabaseTest, a_failing_migration_leaves_no_trace) {
    static constexpr Migration kBroken[] = {
        kSchema[0], {"test", 2, "002_broken", "CREATE TABLE half (id INTEGER); NONSENSE;"}};
    runtime::Runtime runtime;
    EXPECT_FALSE(Database::open(runtime, options(), {kBroken}).has_value());
    EXPECT_TRUE(Database::open(runtime, options(), {kSchema}).has_value());
}

TEST_F(DatabaseTest, a_file_that_is_no_database_is_refused) {
    std::ofstream(directory_ / "test.db") << std::string(20000, 'x');
    runtime::Runtime runtime;
    EXPECT_EQ(Database::open(runtime, options(), {kSchema}).error().code, "storage.corrupt");
}

TEST_F(DatabaseTest, a_damaged_page_fails_its_readers_and_spares_the_others) {
    with_database([](Database& database, runtime::Runtime&) -> Task<void> {
        for (int i = 0; i < 40; ++i)
            (void)co_await insert(database, std::string(3000, 'a') + std::to_string(i));
    });
    {
        std::fstream file(directory_ / "test.db", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(0, std::ios::end);
        const auto size = static_cast<std::size_t>(file.tellp());
        file.seekp(static_cast<std::streamoff>(size / 2 / 4096 * 4096));
        file << std::string(size / 2, '\xff');
    }
    with_database([](Database& database, runtime::Runtime&) -> Task<void> {
        const auto all = co_await database.read([](Transaction& tx) -> Result<int> {
            auto rows = tx.prepare("SELECT text FROM note NOT INDEXED");
            int n = 0;
            while (rows.step()) ++n;
            return n;
        });
        EXPECT_EQ(all ? "" : all.error().code, "storage.corrupt");
        const auto first = co_await database.read([](Transaction& tx) -> Result<int> {
            auto row = tx.prepare("SELECT id FROM note WHERE id = 1");
            return row.step() ? 1 : 0;
        });
        EXPECT_TRUE(first.has_value());
    });
}

TEST_F(DatabaseTest, a_full_queue_refuses_and_what_was_taken_is_written) {
    auto small = options();
    small.write_queue_limit = 4;
    with_database(
        [](Database& database, runtime::Runtime& runtime) -> Task<void> {
            runtime::TaskGroup group(runtime, "writers");
            int written = 0;
            int refused = 0;
            auto one = [](Database& d, int n, int& ok, int& no) -> Task<void> {
                const auto done = co_await insert(d, std::to_string(n));
                if (done) {
                    ++ok;
                } else if (done.error().code == "storage.busy") {
                    ++no;
                }
            };
            for (int i = 0; i < 2000; ++i) group.spawn(one(database, i, written, refused));
            EXPECT_TRUE(co_await group.wait(60s));
            EXPECT_EQ(written + refused, 2000);
            EXPECT_GT(refused, 0);
            EXPECT_EQ(co_await count(database), written);
        },
        small);
}

TEST_F(DatabaseTest, a_full_disk_fails_the_write_keeps_what_was_and_recovers) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
    const std::string mount = "mount -t tmpfs -o size=2m tmpfs " + directory_.string() + " 2>/dev/null";
    if (std::system(mount.c_str()) != 0) GTEST_SKIP() << "mounting is not permitted here";
    with_database([this](Database& database, runtime::Runtime&) -> Task<void> {
        EXPECT_TRUE((co_await insert(database, "before")).has_value());
        std::string code;
        for (int i = 0; i < 2000 && code.empty(); ++i) {
            const auto done = co_await insert(database, std::to_string(i) + std::string(4000, 'x'));
            if (!done) code = done.error().code;
        }
        EXPECT_TRUE(code == "storage.disk_full" || code == "storage.io") << code;
        EXPECT_GT(co_await count(database), 0);
        EXPECT_EQ(std::system(("mount -o remount,size=32m " + directory_.string()).c_str()), 0);
        EXPECT_TRUE((co_await insert(database, "after")).has_value());
    });
    EXPECT_EQ(std::system(("umount -l " + directory_.string()).c_str()), 0);
}

TEST_F(DatabaseTest, what_was_deleted_is_gone_from_the_files_once_the_log_is_emptied) {
    const std::string secret = "a-very-particular-secret";
    with_database([&](Database& database, runtime::Runtime&) -> Task<void> {
        (void)co_await insert(database, secret);
        (void)co_await database.write(OrderKey{"note"}, [](Transaction& tx) -> Result<int> {
            tx.prepare("DELETE FROM note").run();
            return 1;
        });
    });
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
        std::ifstream in(file.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        EXPECT_EQ(bytes.find(secret), std::string::npos) << file.path().filename();
    }
}

TEST_F(DatabaseTest, the_log_stays_bounded_under_load) {
    auto bounded = options();
    bounded.wal_soft_limit_bytes = 2 << 20;
    bounded.wal_hard_limit_bytes = 8 << 20;
    with_database(
        [this](Database& database, runtime::Runtime& runtime) -> Task<void> {
            runtime::TaskGroup group(runtime, "writers");
            auto many = [](Database& d, int from) -> Task<void> {
                for (int i = 0; i < 300; ++i)
                    (void)co_await insert(d, std::to_string(from + i) + std::string(6000, 'x'));
            };
            for (int i = 0; i < 16; ++i) group.spawn(many(database, i * 100'000));
            EXPECT_TRUE(co_await group.wait(300s));
            EXPECT_EQ(co_await count(database), 16 * 300);
            EXPECT_GT(database.statistics().checkpoints, 2U);
            // The rows alone are 29 MB, and each is written twice with its index. Over the hard bound goes
            // what is written during one checkpoint.
            EXPECT_LT(std::filesystem::file_size(directory_ / "test.db-wal"), 24U << 20);
        },
        bounded);
}

/// A child writes and reports each acknowledged row, is killed, and nothing that it reported is missing.
TEST_F(DatabaseTest, an_acknowledged_write_survives_kill_9) {
    int acknowledged[2];
    ASSERT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::close(acknowledged[0]);
        runtime::Runtime runtime;
        auto database = Database::open(runtime, options(), {kSchema});
        runtime::TaskGroup group(runtime, "writers");
        auto endless = [](Database& d, int from, int out) -> Task<void> {
            for (int i = from;; ++i) {
                if (!co_await insert(d, std::to_string(i))) continue;
                if (::write(out, &i, sizeof i) != sizeof i) ::_exit(1);
            }
        };
        for (int i = 0; i < 8; ++i) group.spawn(endless(**database, i * 10'000'000, acknowledged[1]));
        runtime.run();
        ::_exit(0);
    }
    ::close(acknowledged[1]);
    std::vector<int> reported;
    int number = 0;
    while (reported.size() < 500 && ::read(acknowledged[0], &number, sizeof number) == sizeof number) {
        reported.push_back(number);
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    while (::read(acknowledged[0], &number, sizeof number) == sizeof number) reported.push_back(number);
    ::close(acknowledged[0]);
    ASSERT_GE(reported.size(), 500U);

    with_database([&](Database& database, runtime::Runtime&) -> Task<void> {
        auto missing = co_await database.read([&](Transaction& tx) -> Result<int> {
            int lost = 0;
            for (const int n : reported) {
                auto row = tx.prepare("SELECT count(*) FROM note WHERE text = ?1");
                row.bind(std::to_string(n));
                row.step();
                if (row.integer(0) != 1) ++lost;
            }
            return lost;
        });
        EXPECT_TRUE(missing.has_value());
        EXPECT_EQ(*missing, 0);
    });
}

TEST(TestDatabase, gives_a_transaction_on_a_real_schema) {
    TestDatabase database({kSchema});
    auto& tx = database.begin();
    tx.prepare("INSERT INTO note (text) VALUES (?1)").bind("one").run();
    database.commit();
    auto& again = database.begin();
    auto row = again.prepare("SELECT text FROM note WHERE id = ?1");
    row.bind(1);
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.text(0), "one");
    EXPECT_FALSE(row.is_null(0));
}

}  // namespace
}  // namespace storage
