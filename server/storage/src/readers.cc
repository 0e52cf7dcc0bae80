#include "readers.h"

#include "fault.h"

#include <pthread.h>

#include <utility>

#include <boost/asio/post.hpp>

#include <base/log.h>

namespace storage {

namespace {

constexpr int kInterrupts = 50;
constexpr std::chrono::milliseconds kBetweenInterrupts{10};

}  // namespace

Readers::Readers(runtime::Runtime& runtime, std::vector<std::unique_ptr<Connection>> connections,
                 std::size_t queue_limit)
    : runtime_(runtime),
      connections_(std::move(connections)),
      queue_limit_(queue_limit),
      read_seconds_(runtime.metrics().histogram(
          "storage_read_seconds", "Time of a read job, its wait for a reader included",
          {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5})),
      hold_seconds_(runtime.metrics().histogram("storage_read_hold_seconds",
                                                "Time that no read was begun, for a checkpoint or in vain",
                                                {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2})) {
    for (const auto& connection : connections_) {
        threads_.emplace_back([this, &connection] { work(*connection); });
    }
}

Readers::~Readers() {
    stop();
}

Refusal Readers::post(JobPointer job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return Refusal::closed;
        if (queue_.size() >= queue_limit_) return Refusal::full;
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return Refusal::none;
}

void Readers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    connections_.clear();
}

bool Readers::pause(std::chrono::milliseconds patience, Impatient impatient) {
    std::unique_lock lock(mutex_);
    paused_ = true;
    paused_at_ = std::chrono::steady_clock::now();
    const auto at_rest = [this] { return busy_ == 0; };
    if (at_rest_.wait_for(lock, patience, at_rest)) return true;
    if (impatient == Impatient::interrupts) {
        // Again and again: a job that was between two statements has not felt it.
        for (int i = 0; i < kInterrupts; ++i) {
            for (const auto& connection : connections_) connection->interrupt();
            if (at_rest_.wait_for(lock, kBetweenInterrupts, at_rest)) return true;
        }
    }
    go_on(std::move(lock));
    return false;
}

void Readers::resume() {
    go_on(std::unique_lock(mutex_));
}

void Readers::go_on(std::unique_lock<std::mutex> lock) {
    paused_ = false;
    const auto held = std::chrono::steady_clock::now() - paused_at_;
    lock.unlock();
    wake_.notify_all();
    hold_seconds_.observe(std::chrono::duration<double>(held).count());
}

void Readers::work(Connection& connection) {
    pthread_setname_np(pthread_self(), "db-reader");
    for (;;) {
        JobPointer job;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return !paused_ && (stopping_ || !queue_.empty()); });
            if (queue_.empty()) return;
            job = std::move(queue_.front());
            queue_.pop_front();
            ++busy_;
        }
        run(connection, *job);
        {
            const std::lock_guard lock(mutex_);
            --busy_;
            if (busy_ == 0 && paused_) at_rest_.notify_all();
        }
        boost::asio::post(runtime_.executor(), [job = std::move(job)] { job->resume(); });
    }
}

void Readers::run(Connection& connection, Job& job) {
    bool kept = false;
    try {
        connection.start_clock();
        connection.prepare("BEGIN").run();
        Transaction transaction(connection);
        kept = job.body(transaction);
        job.body = nullptr;
        connection.prepare("COMMIT").run();
    } catch (...) {  // becomes the job's error
        kept = false;
        job.result = base::fail(error_of_current_exception());
        job.body = nullptr;
        try {
            connection.start_clock();
            connection.roll_back();
        } catch (const Fault& fault) {
            base::log_error("storage.rollback_failed", {{"code", fault.code}, {"what", fault.what()}});
        }
    }
    ++jobs_;
    if (!kept) ++failed_jobs_;
    read_seconds_.observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - job.queued_at).count());
}

}  // namespace storage
