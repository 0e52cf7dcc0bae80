#include "checkpointer.h"

#include "fault.h"

#include <pthread.h>

#include <algorithm>

#include <base/log.h>
#include <sqlite3.h>

namespace storage {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kFrameHeaderBytes = 24;
/// How often the thread looks at the WAL by itself.
constexpr auto kLook = 250ms;
/// Between two attempts to find a gap.
constexpr auto kRetry = 50ms;
/// So few frames are moved within a gap without anybody noticing.
constexpr std::int64_t kFewFrames = 64;
constexpr int kMostPassiveRounds = 8;
/// How long reads are held back for one that is under way; at the hard bound longer.
constexpr auto kReadPatience = 10ms;
constexpr auto kHardReadPatience = 500ms;

std::int64_t frame_bytes(Connection& connection) {
    auto page_size = connection.prepare("PRAGMA page_size");
    page_size.step();
    return page_size.integer(0) + kFrameHeaderBytes;
}

}  // namespace

Checkpointer::Checkpointer(runtime::Runtime& runtime, Connection& connection, Writer& writer,
                           Readers& readers, Limits limits)
    : connection_(connection),
      writer_(writer),
      readers_(readers),
      limits_(limits),
      frame_bytes_(frame_bytes(connection)),
      passive_seconds_(runtime.metrics().histogram("storage_checkpoint_seconds",
                                                   "Time of a checkpoint beside the writer",
                                                   {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10})),
      gap_seconds_(runtime.metrics().histogram("storage_checkpoint_gap_seconds",
                                               "Time that the writer waited for the WAL to start anew",
                                               {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2})),
      wal_bytes_(runtime.metrics().gauge("storage_wal_bytes", "Length of the write-ahead log in use")),
      thread_([this] { work(); }) {}

Checkpointer::~Checkpointer() {
    stop();
}

void Checkpointer::wal_grew(std::int64_t frames) {
    frames_ = frames;
    wal_bytes_.set(static_cast<double>(frames * frame_bytes_));
    if (dirty_since_ == 0) dirty_since_ = std::chrono::steady_clock::now().time_since_epoch().count();
    if (frames * frame_bytes_ >= limits_.soft_bytes) wake_.notify_one();
}

void Checkpointer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

bool Checkpointer::scrub_due() const {
    const Instant::rep since = dirty_since_;
    if (since == 0) return false;
    return std::chrono::steady_clock::now() - Instant(Instant::duration(since)) >= limits_.scrub_after;
}

void Checkpointer::work() {
    pthread_setname_np(pthread_self(), "db-checkpoint");
    const auto look = std::min<std::chrono::milliseconds>(kLook, std::max(limits_.scrub_after / 4, 1ms));
    const auto due = [this] { return wal_bytes() >= limits_.soft_bytes || scrub_due(); };
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            // A missed notification costs one look.
            if (!due()) wake_.wait_for(lock, look, [this, &due] { return stopping_ || due(); });
            if (stopping_) return;
        }
        if (!due()) continue;
        shrink();
    }
}

void Checkpointer::shrink() {
    const std::int64_t left = move_most();
    const bool few = left >= 0 && left <= kFewFrames;
    const bool gap = (few || wal_bytes() >= limits_.hard_bytes || left > 0) &&
                     start_anew(scrub_due() ? Mode::truncate : Mode::restart);
    if (gap) return;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRetry, [this] { return stopping_; });
}

/// Moves frames while others write; returns how many are left, or -1 after a failure.
std::int64_t Checkpointer::move_most() {
    std::int64_t left = frames_;
    for (int round = 0; round < kMostPassiveRounds && left > kFewFrames; ++round) {
        const auto start = std::chrono::steady_clock::now();
        const Outcome outcome = checkpoint(Mode::passive);
        passive_seconds_.observe(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        if (!outcome.done) return -1;
        const std::int64_t now_left = frames_ - outcome.moved_frames;
        const bool shrinking = now_left < left / 2;
        left = now_left;
        if (!shrinking) break;
    }
    return left;
}

bool Checkpointer::start_anew(Mode mode) {
    const bool hard = wal_bytes() >= limits_.hard_bytes;
    if (!readers_.pause(hard ? kHardReadPatience : kReadPatience)) return false;
    const auto start = std::chrono::steady_clock::now();
    writer_.pause();
    const bool done = checkpoint(mode).done;
    if (done) {
        frames_ = 0;
        if (mode == Mode::truncate) dirty_since_ = 0;
    }
    writer_.resume();
    readers_.resume();
    gap_seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return done;
}

Checkpointer::Outcome Checkpointer::checkpoint(Mode mode) {
    const int sqlite_mode = mode == Mode::passive   ? SQLITE_CHECKPOINT_PASSIVE
                            : mode == Mode::restart ? SQLITE_CHECKPOINT_RESTART
                                                    : SQLITE_CHECKPOINT_TRUNCATE;
    int in_wal = 0;
    int moved = 0;
    const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), "main", sqlite_mode, &in_wal, &moved);
    if (code == SQLITE_BUSY) return {};
    if (code != SQLITE_OK) {
        const Fault fault = fault_of(connection_.handle(), code, "checkpoint");
        // Once, not at every attempt: the WAL keeps everything until one succeeds.
        if (!failing_) {
            base::log_error("storage.checkpoint_failed", {{"code", fault.code}, {"what", fault.what()}});
        }
        failing_ = true;
        return {};
    }
    if (failing_) base::log_info("storage.checkpoint_recovered");
    failing_ = false;
    ++checkpoints_;
    return {true, moved};
}

}  // namespace storage
