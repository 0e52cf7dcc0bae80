#pragma once

#include "connection.h"
#include "disk.h"
#include "readers.h"
#include "writer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include <runtime/runtime.h>

namespace storage {

/// The thread that moves what the WAL holds into the database file, so that no commit ever does.
///
///     WAL over the soft bound, or older than the scrub time
///       ▸ passive checkpoints in small bites, while everybody works on, until little is left
///       ▸ a gap: no read under way, no transaction open ▸ the little rest ▸ the WAL starts anew
///       ▸ where it is time to scrub: in the gap the writer forgets its pages; after it zeros go over the old
///         part of the WAL, bite by bite, and first of all over its header where nobody has written anew
///
/// See docs/decisions/0002-checkpoints.md.
class Checkpointer {
  public:
    struct Limits {
        std::int64_t soft_bytes;  ///< of the WAL: from here on it is to be started anew
        std::int64_t hard_bytes;  ///< from here on the writer waits for that
        /// So long may what was overwritten or deleted stay in the WAL before it is cleared; twice that where
        /// reads hold it, which then end.
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
    std::uint64_t wal_pages() const { return wal_pages_; }
    std::uint64_t scrubs() const { return scrubs_; }
    std::int64_t wal_bytes() const { return frames_ * frame_bytes_; }

  private:
    using Instant = std::chrono::steady_clock::time_point;
    struct Outcome {
        bool done = false;             ///< nothing failed and nobody was in the way
        std::int64_t frames_left = 0;  ///< written, not yet moved
    };

    void work();
    bool dirty_for(std::chrono::milliseconds time) const;
    bool scrub_due() const { return dirty_for(limits_.scrub_after); }
    bool is_urgent() const;
    double urgency() const;
    bool shrink();
    std::optional<std::int64_t> move_most();
    void end_long_reads();
    bool is_held_elsewhere();
    void note_holder(bool is_elsewhere);
    bool start_anew(bool scrubbing, bool urgent);
    bool start_in_gap(bool scrubbing);
    bool wipe(bool shrinks);
    Outcome checkpoint(Connection& connection, int mode);
    void note_failure(const Connection& connection, int code, std::string_view doing);
    void rest(std::chrono::nanoseconds time);

    Connection& connection_;
    Writer& writer_;
    Readers& readers_;
    const Limits limits_;
    const std::int64_t frame_bytes_;

    std::atomic<std::int64_t> frames_{0};
    std::atomic<std::uint64_t> checkpoints_{0};
    std::atomic<std::uint64_t> scrubs_{0};
    std::atomic<std::uint64_t> wal_pages_{0};
    /// When the first frame was written since the last scrub; 0: none was.
    std::atomic<Instant::rep> dirty_since_{0};
    /// The WAL started anew since the last scrub: it is busy, and its file keeps its length.
    bool restarted_ = false;
    /// Of the data, before the WAL started anew.
    std::int64_t version_ = 0;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool failing_ = false;
    bool held_ = false;   ///< by a read of another program
    Instant held_until_;  ///< believed so long where it cannot be asked
    Pace pace_;

    base::Histogram& passive_seconds_;
    base::Histogram& gap_seconds_;
    base::Gauge& wal_bytes_;
    base::Gauge& held_gauge_;
    base::Counter& wal_pages_total_;
    base::Counter& scrubs_total_;
    std::thread thread_;
};

}  // namespace storage
