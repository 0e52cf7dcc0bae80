#pragma once

#include "connection.h"
#include "job.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <runtime/runtime.h>

namespace storage {

/// The threads that read, each with a connection of its own. Every job sees one snapshot.
class Readers {
  public:
    Readers(runtime::Runtime& runtime, std::vector<std::unique_ptr<Connection>> connections,
            std::size_t queue_limit);
    ~Readers();
    Readers(const Readers&) = delete;
    Readers& operator=(const Readers&) = delete;

    Refusal post(JobPointer job);
    /// Works off what is queued, then ends the threads and closes the connections. Idempotent.
    void stop();

    /// What becomes of a pause when a job under way outlasts the patience: nothing is paused, or the job ends
    /// with storage.timeout.
    enum class Impatient : std::uint8_t { gives_up, interrupts };
    /// Starts no further job and waits for those under way. False: one still runs; then nothing is paused.
    bool pause(std::chrono::milliseconds patience, Impatient impatient);
    void resume();

    std::uint64_t jobs() const { return jobs_; }
    std::uint64_t failed_jobs() const { return failed_jobs_; }

  private:
    void go_on(std::unique_lock<std::mutex> lock);
    void work(Connection& connection);
    void run(Connection& connection, Job& job);

    runtime::Runtime& runtime_;
    std::vector<std::unique_ptr<Connection>> connections_;
    const std::size_t queue_limit_;

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable at_rest_;
    std::deque<JobPointer> queue_;
    bool stopping_ = false;
    bool paused_ = false;
    std::size_t busy_ = 0;
    std::chrono::steady_clock::time_point paused_at_;

    std::atomic<std::uint64_t> jobs_{0};
    std::atomic<std::uint64_t> failed_jobs_{0};
    base::Histogram& read_seconds_;
    base::Histogram& hold_seconds_;
    std::vector<std::thread> threads_;
};

}  // namespace storage
