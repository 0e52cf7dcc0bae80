#pragma once

#include "connection.h"
#include "job.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace storage {

/// The threads that read, a connection each; every job sees one snapshot.
class Readers {
  public:
    Readers(std::vector<std::unique_ptr<Connection>> connections, std::size_t queue_limit);
    ~Readers();

    bool post(std::shared_ptr<Database::Job> job);
    void stop();

  private:
    void run(Connection& connection);

    std::vector<std::unique_ptr<Connection>> connections_;
    std::size_t queue_limit_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Database::Job>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace storage
