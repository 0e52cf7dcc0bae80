#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <runtime/runtime.h>
#include <runtime/task_group.h>
#include <storage/database.h>

namespace storage::test {

using runtime::Task;

/// A directory that goes with the test.
class Directory {
  public:
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "lingxi-storage-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::filesystem::path operator/(const char* name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline constexpr Migration kNotes[] = {
    {"test", 1, "001_notes",
     "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT"}};

inline std::vector<std::span<const Migration>> notes() {
    return {kNotes};
}

/// Runs one coroutine to its end on the runtime. `body` must outlive the call.
template <class F>
void run(runtime::Runtime& runtime, F& body) {
    runtime::TaskGroup group(runtime, "test");
    auto main = [](runtime::Runtime& r, F& b) -> Task<void> {
        try {
            co_await b();
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
        r.stop();
    };
    group.spawn(main(runtime, body));
    runtime.io().restart();
    runtime.run();
}

/// A runtime with an open database; `run` waits for a coroutine.
struct House {
    explicit House(Database::Options options, std::vector<std::span<const Migration>> migrations = notes()) {
        auto opened = Database::open(runtime, std::move(options), std::move(migrations));
        if (!opened) throw std::runtime_error(opened.error().code + ": " + opened.error().message);
        database = std::move(*opened);
    }
    template <class F>
    void run(F body) {
        test::run(runtime, body);
    }
    runtime::Runtime runtime;
    std::unique_ptr<Database> database;
};

inline base::Result<int> insert(Transaction& tx, std::string_view text) {
    tx.prepare("INSERT INTO notes (text) VALUES (?1)").bind(text).run();
    return static_cast<int>(tx.last_insert_rowid());
}

inline base::Result<std::int64_t> count(Transaction& tx) {
    auto row = tx.prepare("SELECT count(*) FROM notes");
    row.step();
    return row.integer(0);
}

inline Task<base::Result<int>> write_note(Database& database, std::string text) {
    co_return co_await database.write({"notes"},
                                      [text = std::move(text)](Transaction& tx) { return insert(tx, text); });
}

inline Task<std::int64_t> count_notes(Database& database) {
    const auto number = co_await database.read([](Transaction& tx) { return count(tx); });
    EXPECT_TRUE(number.has_value()) << (number ? "" : number.error().message);
    co_return number ? *number : -1;
}

/// A read under way, until it is let go: the log keeps all that is written meanwhile.
class HeldRead {
  public:
    explicit HeldRead(House& house) : group_(house.runtime, "held read") {
        group_.spawn(hold(*house.database, is_reading_, is_enough_));
    }
    Task<void> begun() {
        while (!is_reading_.try_acquire()) co_await runtime::sleep_for(std::chrono::milliseconds(1));
    }
    void let_go() { is_enough_.release(); }
    Task<void> ended() { EXPECT_TRUE(co_await group_.wait(std::chrono::seconds(60))); }

  private:
    static Task<void> hold(Database& database, std::binary_semaphore& is_reading,
                           std::binary_semaphore& is_enough) {
        // Whether it was interrupted at its end is no matter here.
        (void)co_await database.read([&](Transaction& tx) -> base::Result<void> {
            tx.prepare("SELECT count(*) FROM sqlite_schema").step();
            is_reading.release();
            is_enough.acquire();
            return {};
        });
    }

    std::binary_semaphore is_reading_{0};
    std::binary_semaphore is_enough_{0};
    runtime::TaskGroup group_;
};

/// Opens and returns the code of the failure, or "".
inline std::string code_of_open(runtime::Runtime& runtime, Database::Options options,
                                std::vector<std::span<const Migration>> migrations = notes()) {
    auto opened = Database::open(runtime, std::move(options), std::move(migrations));
    return opened ? "" : opened.error().code;
}

}  // namespace storage::test
