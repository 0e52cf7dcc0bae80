#include "checkpointer.h"
#include "connection.h"
#include "job.h"
#include "lock_file.h"
#include "migrate.h"
#include "readers.h"
#include "writer.h"

#include <sqlite3.h>
#include <storage/database.h>

namespace storage {

struct Database::State {
    LockFile lock;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Readers> readers;
    std::unique_ptr<Checkpointer> checkpointer;
    std::unique_ptr<Connection> closer;  ///< empties the log at the end
    bool closed = false;
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}

Database::~Database() {
    close();
}

base::Result<std::unique_ptr<Database>> Database::open(runtime::Runtime& runtime, Options options,
                                                       std::vector<std::span<const Migration>> migrations) {
    auto lock = LockFile::take(options.path.string() + ".lock");
    if (!lock) return base::fail(std::move(lock.error()));
    auto connect = [&](Connection::Mode mode) {
        return Connection::open(options.path, mode, options.cache_kib);
    };

    auto writing = connect(Connection::Mode::write);
    if (!writing) return base::fail(std::move(writing.error()));
    if (auto migrated = migrate(**writing, migrations); !migrated)
        return base::fail(std::move(migrated.error()));

    std::vector<std::unique_ptr<Connection>> reading;
    for (std::size_t i = 0; i < options.readers; ++i) {
        auto reader = connect(Connection::Mode::read);
        if (!reader) return base::fail(std::move(reader.error()));
        reading.push_back(std::move(*reader));
    }
    auto checkpointing = connect(Connection::Mode::write);
    if (!checkpointing) return base::fail(std::move(checkpointing.error()));
    auto closing = connect(Connection::Mode::write);
    if (!closing) return base::fail(std::move(closing.error()));

    auto state = std::make_unique<State>(State{.lock = std::move(*lock)});
    state->writer = std::make_unique<Writer>(runtime, std::move(*writing), options.write_queue_limit,
                                             options.group_limit);
    state->readers = std::make_unique<Readers>(std::move(reading), options.read_queue_limit);
    state->checkpointer = std::make_unique<Checkpointer>(*state->writer, std::move(*checkpointing));
    state->closer = std::move(*closing);
    return std::unique_ptr<Database>(new Database(std::move(state)));
}

runtime::Task<base::Result<void>> Database::submit(Kind kind, OrderKey,
                                                   std::move_only_function<bool(Transaction&)> body) {
    auto job = std::make_shared<Job>();
    job->body = std::move(body);
    bool accepted = true;
    co_await runtime::await_callback([this, kind, job, &accepted](std::move_only_function<void()> resume) {
        job->resume = std::move(resume);
        accepted = kind == Kind::write ? state_->writer->post(job) : state_->readers->post(job);
        if (!accepted) job->resume();
    });
    if (!accepted) {
        co_return base::fail(base::ErrorKind::unavailable, "storage.busy",
                             "The database has too much to do; try again.");
    }
    // A body that returned a failure of its own has no failure here: its result says so itself.
    if (job->failure) co_return base::fail(std::move(*job->failure));
    co_return base::Result<void>{};
}

void Database::close() {
    if (std::exchange(state_->closed, true)) return;
    state_->checkpointer->stop();
    state_->writer->stop();
    state_->readers->stop();
    // The readers' connections go first, so that nothing holds the log.
    state_->readers.reset();
    sqlite3_wal_checkpoint_v2(state_->closer->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
}

Database::Statistics Database::statistics() const {
    return {.commits = state_->writer->commits(),
            .jobs = state_->writer->jobs(),
            .failed_jobs = state_->writer->failed_jobs(),
            .checkpoints = state_->checkpointer->checkpoints(),
            .wal_bytes = state_->writer->wal_pages() * 8192};
}

}  // namespace storage
