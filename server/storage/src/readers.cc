#include "readers.h"

#include <pthread.h>

namespace storage {

Readers::Readers(std::vector<std::unique_ptr<Connection>> connections, std::size_t queue_limit)
    : connections_(std::move(connections)), queue_limit_(queue_limit) {
    for (const auto& connection : connections_) {
        threads_.emplace_back([this, reader = connection.get()] { run(*reader); });
    }
}

Readers::~Readers() {
    stop();
}

bool Readers::post(std::shared_ptr<Database::Job> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= queue_limit_) return false;
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
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
}

void Readers::run(Connection& connection) {
    pthread_setname_np(pthread_self(), "db-reader");
    for (;;) {
        std::shared_ptr<Database::Job> job;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            job = std::move(queue_.front());
            queue_.pop_front();
        }
        try {
            connection.execute("BEGIN");
            Transaction tx(connection);
            run_body(*job, tx);
            connection.execute("COMMIT");
        } catch (const Fault& fault) {
            connection.rollback_if_open();
            if (!job->failure) job->failure = base::Error{fault.kind, fault.code, fault.what()};
        }
        connection.rollback_if_open();
        job->body = nullptr;
        job->resume();
    }
}

}  // namespace storage
