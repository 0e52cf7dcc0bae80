#pragma once

#include "connection.h"
#include "job.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace storage {

/// The one thread that writes: what queued while the last commit ran goes into the next one, a savepoint a
/// job.
class Writer {
  public:
    Writer(runtime::Runtime& runtime, std::unique_ptr<Connection> connection, std::size_t queue_limit,
           std::size_t group_limit);
    ~Writer();

    /// False when the queue is full or the writer has stopped.
    bool post(std::shared_ptr<Database::Job> job);
    /// Finishes what is queued, then ends.
    void stop();

    /// Runs `work` between two groups, while nothing is being written.
    void between_groups(const std::function<void()>& work);

    std::uint64_t wal_pages() const { return wal_pages_; }
    std::uint64_t commits() const { return commits_; }
    std::uint64_t jobs() const { return jobs_; }
    std::uint64_t failed_jobs() const { return failed_jobs_; }
    /// Milliseconds of the steady clock at the last commit.
    std::int64_t last_commit_ms() const { return last_commit_ms_; }

  private:
    using Group = std::vector<std::shared_ptr<Database::Job>>;

    void run();
    void commit(Group& group);
    void run_group(Group& group);
    void acknowledge(Group group);

    runtime::Runtime& runtime_;
    std::unique_ptr<Connection> connection_;
    std::size_t queue_limit_;
    std::size_t group_limit_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable gate_;
    std::deque<std::shared_ptr<Database::Job>> queue_;
    bool stopping_ = false;
    bool gate_wanted_ = false;  ///< the checkpointer waits for a gap
    bool gate_open_ = false;    ///< the writer stands still
    std::atomic<std::uint64_t> wal_pages_{0}, commits_{0}, jobs_{0}, failed_jobs_{0};
    std::atomic<std::int64_t> last_commit_ms_{0};
    std::thread thread_;
};

}  // namespace storage
