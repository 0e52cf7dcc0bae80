#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <base/result.h>
#include <storage/database.h>

struct sqlite3;
struct sqlite3_stmt;

namespace storage {

/// One SQLite connection with its prepared statements. Used by one thread at a time.
class Connection {
  public:
    enum class Mode : std::uint8_t { write, read };

    /// Errors: storage.read_only, storage.disk_full, storage.corrupt, storage.io.
    static base::Result<std::unique_ptr<Connection>> open(const std::filesystem::path& path, Mode mode,
                                                          std::int64_t cache_kib);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// A statement for `sql` that nobody else is using: from the cache, or prepared. Throws Fault.
    sqlite3_stmt* acquire(std::string_view sql);
    void release(sqlite3_stmt* statement, std::string_view sql);

    /// Runs SQL text without rows. Throws Fault.
    void execute(const std::string& sql);
    /// False while a transaction is open. SQLite ends one by itself after some faults (disk full).
    bool outside_transaction() const;
    void rollback_if_open() noexcept;

    std::int64_t last_insert_rowid() const;
    sqlite3* handle() const { return database_; }
    Mode mode() const { return mode_; }

    /// Ends the job with what the last call reported.
    [[noreturn]] void fail_with(int code) const;

    /// What the current job wants done after its commit.
    std::vector<std::move_only_function<void()>> after_commit;

  private:
    explicit Connection(Mode mode) : mode_(mode) {}
    sqlite3_stmt* prepare(std::string_view sql);

    Mode mode_;
    sqlite3* database_ = nullptr;
    std::unordered_map<std::string, std::vector<sqlite3_stmt*>> idle_;
};

/// The Fault that a SQLite result code means; `message` is the library's own words.
Fault fault_of(int code, const char* message);

}  // namespace storage
