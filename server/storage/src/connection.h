#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <base/result.h>
#include <storage/transaction.h>

struct sqlite3;
struct sqlite3_stmt;

namespace storage {

/// One connection of SQLite, used by one thread at a time, with its cache of prepared statements.
class Connection {
  public:
    enum class Role : std::uint8_t { writer, reader, checkpointer, test };
    struct Options {
        std::filesystem::path path;
        Role role = Role::writer;
        std::int64_t cache_kib = 16384;
        std::chrono::milliseconds statement_limit{0};  ///< of a reader's job; 0: none
    };

    static base::Result<std::unique_ptr<Connection>> open(const Options& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* handle() const { return handle_; }
    Role role() const { return role_; }

    Statement prepare(std::string_view sql);
    void execute(std::string_view sql);
    /// Takes a statement back into the cache.
    void give_back(sqlite3_stmt* statement, std::string_view sql);
    [[noreturn]] void raise(int code, std::string_view doing) const;

    /// False also after SQLite gave the whole transaction up by itself (disk full, I/O error).
    bool in_transaction() const;
    /// Between these a statement fails where there is no transaction: without one it would commit by itself.
    void job_begins() { runs_job_ = role_ != Role::test; }
    void job_ends() { runs_job_ = false; }
    void require_transaction() const;
    /// ROLLBACK where there is something to roll back.
    void roll_back();
    /// From now on a job may run for the limit of the options.
    void start_clock();
    /// Ends the statement that runs, from another thread.
    void interrupt();
    /// Whether the WAL stays as it is when the last connection closes, or is moved into the file and removed.
    void keep_log_at_close(bool keep);
    /// Keeps everybody else from writing, another program too, until roll_back(). Returns the version of the
    /// data, which changes with every commit that was not this connection's; nothing where somebody writes.
    std::optional<std::int64_t> lock_writes();
    /// Gives up every page in memory. No transaction may be open.
    void forget_pages();
    /// sqlite3_wal_checkpoint_v2 without waiting for anybody: SQLITE_BUSY where somebody is in the way.
    int checkpoint(int mode, int* frames_in_wal, int* frames_moved);

    void after_commit(std::move_only_function<void()> then) { after_commit_.push_back(std::move(then)); }
    std::vector<std::move_only_function<void()>> take_after_commit() {
        return std::exchange(after_commit_, {});
    }

  private:
    /// The pointer is half of the key: the text of a literal is never hashed.
    struct Key {
        const char* data;
        std::size_t size;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<const void*>{}(key.data) ^ (key.size * 0x9E3779B97F4A7C15U);
        }
    };
    struct Cached {
        Key key;
        std::string text;         // what was compiled: another text may come to lie at the same place
        sqlite3_stmt* statement;  // null while in use
    };

    Connection(sqlite3* handle, Role role) : handle_(handle), role_(role) {}
    void configure(const Options& options);
    sqlite3_stmt* compile(std::string_view sql) const;
    void trim_cache();

    sqlite3* handle_;
    Role role_;
    std::list<Cached> recent_;  // most recently used first
    std::unordered_map<Key, std::list<Cached>::iterator, KeyHash> cache_;
    std::vector<std::move_only_function<void()>> after_commit_;
    bool runs_job_ = false;
    std::chrono::milliseconds job_limit_{0};
    std::chrono::steady_clock::time_point job_deadline_;
};

}  // namespace storage
