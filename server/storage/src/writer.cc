#include "writer.h"

#include "fault.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include <base/log.h>

namespace storage {

namespace {

std::vector<double> latency_buckets_seconds() {
    return {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5};
}

}  // namespace

/// What one commit hands over to the I/O thread.
struct Writer::Group {
    std::vector<JobPointer> jobs;
    std::vector<std::move_only_function<void()>> callbacks;
    /// Callbacks that will not run: they end where they were made, for what they captured lives there.
    std::vector<std::move_only_function<void()>> dropped;
};

Writer::Writer(runtime::Runtime& runtime, Connection& connection, Limits limits)
    : runtime_(runtime),
      connection_(connection),
      limits_(limits),
      commit_seconds_(runtime.metrics().histogram(
          "storage_commit_seconds", "Time of a COMMIT, its sync included", latency_buckets_seconds())),
      group_jobs_(runtime.metrics().histogram("storage_group_jobs", "Jobs in one commit",
                                              {1, 2, 4, 8, 16, 32, 64, 128, 256})),
      queue_seconds_(runtime.metrics().histogram(
          "storage_write_queue_seconds", "Time a write job waits for the writer", latency_buckets_seconds())),
      failed_commits_(
          runtime.metrics().counter("storage_failed_commits_total", "Commits that the disk refused")),
      thread_([this] { work(); }) {}

Writer::~Writer() {
    stop();
}

Refusal Writer::post(JobPointer job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return Refusal::closed;
        if (queue_.size() >= limits_.queue) return Refusal::full;
        queue_.push_back(std::move(job));
        if (busy_ || paused_) return Refusal::none;
    }
    wake_.notify_one();
    return Refusal::none;
}

void Writer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

bool Writer::pause(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    paused_ = true;
    if (at_rest_.wait_for(lock, patience, [this] { return !busy_; })) return true;
    paused_ = false;
    lock.unlock();
    wake_.notify_one();
    return false;
}

void Writer::resume() {
    {
        const std::lock_guard lock(mutex_);
        paused_ = false;
    }
    wake_.notify_one();
}

void Writer::work() {
    pthread_setname_np(pthread_self(), "db-writer");
    for (;;) {
        std::vector<JobPointer> taken;
        {
            std::unique_lock lock(mutex_);
            busy_ = false;
            if (paused_) at_rest_.notify_all();
            wake_.wait(lock, [this] { return !paused_ && (stopping_ || !queue_.empty()); });
            if (queue_.empty()) return;
            busy_ = true;
            const std::size_t count = std::min(queue_.size(), limits_.group);
            taken.assign(std::move_iterator(queue_.begin()),
                         std::move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
            queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
        }
        run(std::move(taken));
    }
}

void Writer::run(std::vector<JobPointer> taken) {
    const auto now = std::chrono::steady_clock::now();
    for (const JobPointer& job : taken) {
        queue_seconds_.observe(std::chrono::duration<double>(now - job->queued_at).count());
    }
    // More than one round only where the database gave a transaction up in the middle.
    std::size_t from = 0;
    while (from < taken.size()) {
        Group group;
        from = run_group(taken, from, group);
        hand_over(std::move(group));
    }
}

/// Commits the jobs from `from` on; returns where the next group begins.
std::size_t Writer::run_group(std::vector<JobPointer>& taken, std::size_t from, Group& group) {
    std::size_t next = from;
    try {
        connection_.prepare("BEGIN IMMEDIATE").run();
        while (next < taken.size()) {
            const bool alive = run_job(*taken[next], group);
            ++next;
            if (!alive) {
                // A full disk or an I/O error made SQLite roll the whole transaction back.
                const base::Error error = taken[next - 1]->result
                                              ? base::Error{base::ErrorKind::internal, "storage.internal",
                                                            "A job ended the transaction of its group."}
                                              : taken[next - 1]->result.error();
                fail_all(taken, from, next, error, group);
                return next;
            }
        }
        const auto start = std::chrono::steady_clock::now();
        connection_.prepare("COMMIT").run();
        commit_seconds_.observe(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        group_jobs_.observe(static_cast<double>(next - from));
        ++commits_;
        for (std::size_t i = from; i < next; ++i) {
            if (!taken[i]->kept) ++failed_jobs_;
            ++jobs_;
            group.jobs.push_back(std::move(taken[i]));
        }
        return next;
    } catch (const Fault& fault) {
        // BEGIN or COMMIT failed: nobody's work is half kept.
        fail_all(taken, from, taken.size(), error_of(fault), group);
        return taken.size();
    }
}

/// Runs one job in a savepoint. False when the transaction of the group is gone.
bool Writer::run_job(Job& job, Group& group) {
    try {
        connection_.prepare("SAVEPOINT job").run();
        Transaction transaction(connection_);
        job.kept = job.body(transaction);
        // The job's captures end before anybody learns of its end.
        job.body = nullptr;
    } catch (...) {  // becomes the job's error
        job.result = base::fail(error_of_current_exception());
        job.body = nullptr;
    }
    auto callbacks = connection_.take_after_commit();
    auto& place = job.kept ? group.callbacks : group.dropped;
    for (auto& callback : callbacks) place.push_back(std::move(callback));
    if (!connection_.in_transaction()) return false;
    if (!job.kept) connection_.prepare("ROLLBACK TO job").run();
    connection_.prepare("RELEASE job").run();
    return true;
}

void Writer::fail_all(std::vector<JobPointer>& taken, std::size_t from, std::size_t to,
                      const base::Error& error, Group& group) {
    failed_commits_.add();
    base::log_error("storage.commit_failed", {{"code", error.code}, {"what", error.message}});
    for (std::size_t i = from; i < to; ++i) {
        taken[i]->body = nullptr;
        if (taken[i]->result) taken[i]->result = base::fail(error);
        group.jobs.push_back(std::move(taken[i]));
        ++jobs_;
        ++failed_jobs_;
    }
    for (auto& callback : group.callbacks) group.dropped.push_back(std::move(callback));
    group.callbacks.clear();
    for (auto& callback : connection_.take_after_commit()) group.dropped.push_back(std::move(callback));
    try {
        connection_.roll_back();
    } catch (const Fault& fault) {
        // The next BEGIN will tell whether it matters.
        base::log_error("storage.rollback_failed", {{"code", fault.code}, {"what", fault.what()}});
    }
}

void Writer::hand_over(Group group) {
    boost::asio::post(runtime_.executor(), [group = std::move(group)]() mutable {
        group.dropped.clear();
        for (auto& callback : group.callbacks) {
            try {
                callback();
            } catch (const std::exception& error) {
                // It was committed: whoever waits must learn so, whatever a callback thinks.
                base::log_error("storage.after_commit_fault", {{"what", error.what()}});
            }
        }
        for (const JobPointer& job : group.jobs) job->resume();
    });
}

}  // namespace storage
