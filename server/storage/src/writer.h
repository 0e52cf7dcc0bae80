#pragma once

#include "connection.h"
#include "job.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <runtime/runtime.h>

namespace storage {

/// The one thread that writes. What queued while the last commit ran is committed together:
///
///     queue ──▶ BEGIN ▸ savepoint ▸ job ▸ release │ savepoint ▸ job ▸ roll back │ … ▸ COMMIT (one sync)
///                                                                                     │
///     I/O thread ◀── one hand-over: callbacks in order, then every waiting coroutine ◀┘
class Writer {
  public:
    struct Limits {
        std::size_t queue;
        std::size_t group;
    };
    Writer(runtime::Runtime& runtime, Connection& connection, Limits limits);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Refusal post(JobPointer job);
    /// Works off what is queued, then ends the thread. Idempotent.
    void stop();

    /// Begins no further group, and waits for the one under way: the gap that a checkpoint needs for starting
    /// the WAL anew, until resume(). False: it outlasted the patience; then nothing is paused.
    [[nodiscard]] bool pause(std::chrono::milliseconds patience);
    void resume();
    /// For whoever paused it, until resume().
    Connection& connection() { return connection_; }

    std::uint64_t commits() const { return commits_; }
    std::uint64_t jobs() const { return jobs_; }
    std::uint64_t failed_jobs() const { return failed_jobs_; }

  private:
    struct Group;
    void work();
    void run(std::vector<JobPointer> taken);
    std::size_t run_group(std::vector<JobPointer>& taken, std::size_t from, Group& group);
    bool run_job(Job& job, Group& group);
    void hand_over(Group group);
    void fail_all(std::vector<JobPointer>& taken, std::size_t from, std::size_t to, const base::Error& error,
                  Group& group);

    runtime::Runtime& runtime_;
    Connection& connection_;
    const Limits limits_;

    std::mutex mutex_;
    std::condition_variable wake_;     // the thread waits for jobs, for resume(), for stop()
    std::condition_variable at_rest_;  // pause() waits for the end of a group
    std::deque<JobPointer> queue_;
    bool stopping_ = false;
    bool paused_ = false;
    bool busy_ = false;

    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> jobs_{0};
    std::atomic<std::uint64_t> failed_jobs_{0};
    base::Histogram& commit_seconds_;
    base::Histogram& group_jobs_;
    base::Histogram& queue_seconds_;
    base::Counter& failed_commits_;
    std::thread thread_;
};

}  // namespace storage
