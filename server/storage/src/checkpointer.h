#pragma once

#include "connection.h"
#include "writer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace storage {

/// Copies the write-ahead log into the database on a thread of its own (docs/decisions/0002-checkpoints.md):
/// in bulk beside the writer, and only for the little that is left in a gap of the writer's, so that the log
/// starts over and stays bounded. When nothing is written, and at least every quarter of an hour, the log is
/// emptied, so that what was redacted is gone from the disk.
class Checkpointer {
  public:
    Checkpointer(Writer& writer, std::unique_ptr<Connection> connection);
    ~Checkpointer();
    void stop();
    std::uint64_t checkpoints() const { return checkpoints_; }

  private:
    void run();
    void checkpoint(int mode);

    Writer& writer_;
    std::unique_ptr<Connection> connection_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::atomic<std::uint64_t> checkpoints_{0};
    std::thread thread_;
};

}  // namespace storage
