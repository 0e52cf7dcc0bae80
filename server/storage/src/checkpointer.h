#pragma once

#include "connection.h"
#include "readers.h"
#include "writer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include <runtime/runtime.h>

namespace storage {

/// The thread that moves what the WAL holds into the database file, so that no commit ever does.
///
///     WAL over the soft bound, or older than the scrub time
///       ▸ passive checkpoints, while everybody works on, until little is left
///       ▸ a gap: no read under way, no transaction open ▸ the little rest ▸ the WAL starts anew
///
/// See docs/decisions/checkpoints.md.
class Checkpointer {
  public:
    struct Limits {
        std::int64_t soft_bytes;  ///< of the WAL: from here on it is to be started anew
        std::int64_t hard_bytes;  ///< from here on the writer waits for that
        /// The longest that what was overwritten or deleted stays in the WAL.
        std::chrono::milliseconds scrub_after;
    };
    Checkpointer(runtime::Runtime& runtime, Connection& connection, Writer& writer, Readers& readers,
                 Limits limits);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// The writer's thread tells the length of the WAL after each commit.
    void wal_grew(std::int64_t frames);
    /// Ends the thread; what is left is close()'s. Idempotent.
    void stop();

    std::uint64_t checkpoints() const { return checkpoints_; }
    std::int64_t wal_bytes() const { return frames_ * frame_bytes_; }

  private:
    using Instant = std::chrono::steady_clock::time_point;
    enum class Mode : std::uint8_t { passive, restart, truncate };
    struct Outcome {
        bool done = false;              ///< nothing failed and nobody was in the way
        std::int64_t moved_frames = 0;  ///< of the WAL, from its start
    };

    void work();
    bool scrub_due() const;
    void shrink();
    std::int64_t move_most();
    bool start_anew(Mode mode);
    Outcome checkpoint(Mode mode);

    Connection& connection_;
    Writer& writer_;
    Readers& readers_;
    const Limits limits_;
    const std::int64_t frame_bytes_;

    std::atomic<std::int64_t> frames_{0};
    std::atomic<std::uint64_t> checkpoints_{0};
    /// When the first frame was written since the WAL was last cut to nothing; 0: none was.
    std::atomic<Instant::rep> dirty_since_{0};

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool failing_ = false;

    base::Histogram& passive_seconds_;
    base::Histogram& gap_seconds_;
    base::Gauge& wal_bytes_;
    std::thread thread_;
};

}  // namespace storage
