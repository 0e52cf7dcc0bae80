#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <base/id.h>
#include <base/result.h>
#include <runtime/runtime.h>
#include <storage/migration.h>
#include <storage/transaction.h>

namespace storage {

/// A fault of the database under a job. `code` is a storage.* code (storage.disk_full, storage.read_only,
/// storage.corrupt, storage.io, storage.constraint, storage.internal).
class Fault : public std::runtime_error {
  public:
    Fault(base::ErrorKind kind, std::string code, const std::string& message)
        : std::runtime_error(message), kind(kind), code(std::move(code)) {}
    base::ErrorKind kind;
    std::string code;
};

/// What a write job orders by: a room or an account ("room:12"). SQLite has one writer and ignores it;
/// PostgreSQL will lock by it.
struct OrderKey {
    std::string value;
};

/// The embedded database: one writer thread with natural group commit, a pool of readers, checkpoints of
/// their own.
///
/// A job is a callable `base::Result<T>(Transaction&)`. It runs on another thread, owns what it captures and
/// touches nothing but its transaction. A job that returns a failure (or throws) is rolled back to its
/// savepoint and changes nothing; one that returned a value is acknowledged only once it is durable.
class Database {
  public:
    struct Options {
        std::filesystem::path path;  ///< the database file; its directory must exist
        std::size_t readers = 2;     ///< reader threads, each with a connection
        std::size_t write_queue_limit = 4096;
        std::size_t read_queue_limit = 4096;
        std::size_t group_limit = 256;                    ///< most jobs in one commit
        std::int64_t cache_kib = 65536;                   ///< page cache of the writer
        std::int64_t reader_cache_kib = 16384;            ///< of each reader
        std::chrono::milliseconds read_limit{30'000};     ///< of a read job; then storage.timeout
        std::int64_t wal_soft_limit_bytes = 64LL << 20;   ///< from here on the WAL is started anew
        std::int64_t wal_hard_limit_bytes = 128LL << 20;  ///< from here on the writer waits for that
        /// What was overwritten or deleted is gone from the disk after this, and a checkpoint's time.
        std::chrono::milliseconds scrub_after{60'000};
    };

    /// Opens (or creates) and migrates. Takes an exclusive lock for this process.
    /// Errors: storage.locked (conflict: another process has it), storage.newer_version (conflict),
    /// storage.migration_changed (conflict), storage.read_only, storage.disk_full, storage.corrupt,
    /// storage.io.
    static base::Result<std::unique_ptr<Database>> open(runtime::Runtime& runtime, Options options,
                                                        std::vector<std::span<const Migration>> migrations);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Queues `job` for the writer and waits until it is durable. Also errors: storage.busy (unavailable:
    /// queue full), storage.disk_full, storage.corrupt, … of the commit.
    template <class F, class R = std::invoke_result_t<F, Transaction&>>
    runtime::Task<R> write(OrderKey order, F job) {
        co_return co_await run_job<R>(Kind::write, std::move(order), std::move(job));
    }
    /// Runs `job` on a reader, over one consistent snapshot that holds all that was acknowledged before.
    template <class F, class R = std::invoke_result_t<F, Transaction&>>
    runtime::Task<R> read(F job) {
        co_return co_await run_job<R>(Kind::read, OrderKey{}, std::move(job));
    }

    /// Finishes what is queued, checkpoints, closes. Blocks; call after the services above have stopped.
    void close();

    struct Statistics {
        std::uint64_t commits = 0, jobs = 0, failed_jobs = 0, checkpoints = 0;
        std::uint64_t wal_pages = 0;  ///< that commits wrote, in all
        std::uint64_t scrubs = 0;     ///< times that the WAL was cleared of what was deleted
        std::uint64_t wal_bytes = 0;
    };
    Statistics statistics() const;

  private:
    enum class Kind : std::uint8_t { read, write };
    struct State;
    explicit Database(std::unique_ptr<State> state);

    /// Runs `body` (true keeps its savepoint) and resumes once it is durable. Returns the failure of the
    /// machinery.
    runtime::Task<base::Result<void>> submit(Kind kind, OrderKey order,
                                             std::move_only_function<bool(Transaction&)> body);

    template <class R, class F>
    runtime::Task<R> run_job(Kind kind, OrderKey order, F job) {
        auto outcome = std::make_shared<std::optional<R>>();
        auto done =
            co_await submit(kind, std::move(order), [outcome, job = std::move(job)](Transaction& tx) mutable {
                outcome->emplace(job(tx));
                return (*outcome)->has_value();
            });
        if (!done) co_return base::fail(std::move(done.error()));
        co_return std::move(**outcome);
    }

    std::unique_ptr<State> state_;
};

}  // namespace storage
