#include "writer.h"

#include <pthread.h>

#include <chrono>

#include <boost/asio/post.hpp>

#include <base/log.h>
#include <sqlite3.h>

namespace storage {

bool run_body(Database::Job& job, Transaction& tx) {
    try {
        return job.body(tx);
    } catch (const Fault& fault) {
        job.failure = base::Error{fault.kind, fault.code, fault.what()};
    } catch (const std::exception& fault) {
        base::log_error("storage.job_fault", {{"what", fault.what()}});
        job.failure =
            base::Error{base::ErrorKind::internal, "storage.internal", "A fault of the server's own."};
    }
    return false;
}

Writer::Writer(runtime::Runtime& runtime, std::unique_ptr<Connection> connection, std::size_t queue_limit,
               std::size_t group_limit)
    : runtime_(runtime),
      connection_(std::move(connection)),
      queue_limit_(queue_limit),
      group_limit_(group_limit) {
    sqlite3_wal_hook(
        connection_->handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Writer*>(self)->wal_pages_ = static_cast<std::uint64_t>(pages);
            return SQLITE_OK;
        },
        this);
    thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
    stop();
}

bool Writer::post(std::shared_ptr<Database::Job> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= queue_limit_) return false;
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
}

void Writer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Writer::between_groups(const std::function<void()>& work) {
    std::unique_lock lock(mutex_);
    if (thread_.joinable() && !stopping_) {
        gate_wanted_ = true;
        wake_.notify_one();
        gate_.wait(lock, [this] { return gate_open_ || stopping_; });
    }
    lock.unlock();
    work();
    lock.lock();
    gate_wanted_ = false;
    gate_.notify_all();
}

void Writer::run() {
    pthread_setname_np(pthread_self(), "db-writer");
    for (;;) {
        Group group;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || gate_wanted_ || !queue_.empty(); });
            if (gate_wanted_) {
                gate_open_ = true;
                gate_.notify_all();
                gate_.wait(lock, [this] { return !gate_wanted_; });
                gate_open_ = false;
            }
            if (queue_.empty()) {
                if (stopping_) return;
                continue;
            }
            while (!queue_.empty() && group.size() < group_limit_) {
                group.push_back(std::move(queue_.front()));
                queue_.pop_front();
            }
        }
        commit(group);
        acknowledge(std::move(group));
    }
}

void Writer::run_group(Group& group) {
    Transaction tx(*connection_);
    for (const auto& job : group) {
        const std::size_t callbacks = connection_->after_commit.size();
        connection_->execute("SAVEPOINT job");
        const bool keep = run_body(*job, tx);
        if (connection_->outside_transaction()) {
            // SQLite gave the whole transaction up (disk full, i/o error): so must the group.
            throw Fault(job->failure ? job->failure->kind : base::ErrorKind::internal,
                        job->failure ? job->failure->code : "storage.internal",
                        job->failure ? job->failure->message : "The transaction was given up.");
        }
        if (!keep) {
            connection_->execute("ROLLBACK TO job");
            connection_->after_commit.resize(callbacks);
            ++failed_jobs_;
        }
        connection_->execute("RELEASE job");
        ++jobs_;
    }
}

void Writer::commit(Group& group) {
    try {
        connection_->execute("BEGIN IMMEDIATE");
        run_group(group);
        connection_->execute("COMMIT");
        ++commits_;
        last_commit_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::steady_clock::now().time_since_epoch())
                              .count();
    } catch (const Fault& fault) {
        connection_->rollback_if_open();
        connection_->after_commit.clear();
        base::log_error("storage.commit_failed", {{"code", fault.code}, {"jobs", group.size()}});
        for (const auto& job : group) job->failure = base::Error{fault.kind, fault.code, fault.what()};
    }
}

void Writer::acknowledge(Group group) {
    // One turn of the I/O thread wakes whom the commit concerns; only then are the writers answered.
    auto callbacks = std::exchange(connection_->after_commit, {});
    if (!callbacks.empty()) {
        boost::asio::post(runtime_.executor(), [callbacks = std::move(callbacks)]() mutable {
            for (auto& callback : callbacks) callback();
        });
    }
    for (const auto& job : group) {
        job->body = nullptr;
        job->resume();
    }
}

}  // namespace storage
