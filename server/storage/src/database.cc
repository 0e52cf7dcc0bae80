#include "checkpointer.h"
#include "connection.h"
#include "disk.h"
#include "fault.h"
#include "file_lock.h"
#include "job.h"
#include "migrate.h"
#include "readers.h"
#include "writer.h"

#include <utility>

#include <base/log.h>
#include <sqlite3.h>
#include <storage/database.h>

namespace storage {

namespace {

int overwrite_log(sqlite3* handle) {
    LogFile log(handle);
    std::int64_t bytes = 0;
    if (const int code = log.size(bytes); code != SQLITE_OK || bytes == 0) return code;
    if (const int code = log.invalidate(); code != SQLITE_OK) return code;
    if (const int code = log.fill_with_zeros(0, bytes); code != SQLITE_OK) return code;
    return log.sync();
}

/// Moves the rest of the WAL into the file and overwrites it: its blocks are given back to the file system
/// empty. Where that fails, the WAL stays. For the last connection.
int empty_log(Connection& connection) {
    sqlite3* handle = connection.handle();
    const auto checkpoint = [handle](int mode) {
        return sqlite3_wal_checkpoint_v2(handle, "main", mode, nullptr, nullptr);
    };
    const auto version = connection.lock_writes();
    connection.roll_back();
    if (const int code = checkpoint(SQLITE_CHECKPOINT_RESTART); code != SQLITE_OK) return code;
    // What another program committed meanwhile is in the log alone.
    const bool is_ours = version && connection.lock_writes() == version;
    const int code = is_ours ? overwrite_log(handle) : SQLITE_BUSY;
    connection.roll_back();
    return code == SQLITE_OK ? checkpoint(SQLITE_CHECKPOINT_TRUNCATE) : code;
}

}  // namespace

struct Database::State {
    explicit State(FileLock file_lock) : lock(std::move(file_lock)) {}

    FileLock lock;  // given up last
    std::unique_ptr<Connection> write_connection;
    std::unique_ptr<Connection> checkpoint_connection;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Readers> readers;
    std::unique_ptr<Checkpointer> checkpointer;
    bool closed = false;
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}

Database::~Database() {
    close();
}

base::Result<std::unique_ptr<Database>> Database::open(runtime::Runtime& runtime, Options options,
                                                       std::vector<std::span<const Migration>> migrations) {
    auto lock = FileLock::take(options.path);
    if (!lock) return base::fail(std::move(lock.error()));
    auto state = std::make_unique<State>(std::move(*lock));
    if (auto made = create_private_file(options.path); !made) return base::fail(std::move(made.error()));
    if (auto whole = check_header(options.path); !whole) return base::fail(std::move(whole.error()));

    auto writing = Connection::open(
        {.path = options.path, .role = Connection::Role::writer, .cache_kib = options.cache_kib});
    if (!writing) return base::fail(std::move(writing.error()));
    state->write_connection = std::move(*writing);
    if (auto done = migrate(*state->write_connection, migrations); !done) {
        return base::fail(std::move(done.error()));
    }
    gather_log_writes(state->write_connection->handle());

    std::vector<std::unique_ptr<Connection>> reading;
    for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
        auto reader = Connection::open({.path = options.path,
                                        .role = Connection::Role::reader,
                                        .cache_kib = options.reader_cache_kib,
                                        .statement_limit = options.read_limit});
        if (!reader) return base::fail(std::move(reader.error()));
        reading.push_back(std::move(*reader));
    }
    auto checkpointing =
        Connection::open({.path = options.path, .role = Connection::Role::checkpointer, .cache_kib = 64});
    if (!checkpointing) return base::fail(std::move(checkpointing.error()));
    state->checkpoint_connection = std::move(*checkpointing);

    state->writer = std::make_unique<Writer>(
        runtime, *state->write_connection,
        Writer::Limits{.queue = options.write_queue_limit, .group = options.group_limit});
    state->readers = std::make_unique<Readers>(runtime, std::move(reading), options.read_queue_limit);
    state->checkpointer = std::make_unique<Checkpointer>(
        runtime, *state->checkpoint_connection, *state->writer, *state->readers,
        Checkpointer::Limits{.soft_bytes = options.wal_soft_limit_bytes,
                             .hard_bytes = options.wal_hard_limit_bytes,
                             .scrub_after = options.scrub_after});
    sqlite3_wal_hook(
        state->write_connection->handle(),
        [](void* checkpointer, sqlite3*, const char*, int frames) {
            static_cast<Checkpointer*>(checkpointer)->wal_grew(frames);
            return SQLITE_OK;
        },
        state->checkpointer.get());
    return std::unique_ptr<Database>(new Database(std::move(state)));
}

runtime::Task<base::Result<void>> Database::submit(Kind kind, [[maybe_unused]] OrderKey order,
                                                   std::move_only_function<bool(Transaction&)> body) {
    auto job = std::make_shared<Job>(std::move(body));
    co_await runtime::await_callback([job, kind,
                                      state = state_.get()](std::move_only_function<void()> resume) {
        job->resume = std::move(resume);
        const Refusal refusal = kind == Kind::write ? state->writer->post(job) : state->readers->post(job);
        if (refusal == Refusal::none) return;
        job->result =
            refusal == Refusal::full
                ? base::fail(base::ErrorKind::unavailable, "storage.busy",
                             "Too much work is waiting for the database; try again.")
                : base::fail(base::ErrorKind::unavailable, "storage.closed", "The database is closed.");
        job->resume();
    });
    co_return std::move(job->result);
}

void Database::close() {
    if (std::exchange(state_->closed, true)) return;
    state_->checkpointer->stop();
    state_->writer->stop();
    state_->readers->stop();
    sqlite3_wal_hook(state_->write_connection->handle(), nullptr, nullptr);
    state_->checkpoint_connection.reset();
    Connection& last = *state_->write_connection;
    if (const int code = empty_log(last); code != SQLITE_OK) {
        const Fault fault = fault_of(last.handle(), code, "last checkpoint");
        base::log_warning("storage.checkpoint_failed", {{"code", fault.code}, {"what", fault.what()}});
    } else {
        last.keep_log_at_close(false);
    }
    state_->write_connection.reset();
}

Database::Statistics Database::statistics() const {
    return {.commits = state_->writer->commits(),
            .jobs = state_->writer->jobs(),
            .failed_jobs = state_->writer->failed_jobs(),
            .checkpoints = state_->checkpointer->checkpoints(),
            .wal_pages = state_->checkpointer->wal_pages(),
            .scrubs = state_->checkpointer->scrubs(),
            .wal_bytes = static_cast<std::uint64_t>(state_->checkpointer->wal_bytes())};
}

}  // namespace storage
