#include "checkpointer.h"

#include <pthread.h>

#include <chrono>

#include <base/log.h>
#include <sqlite3.h>

namespace storage {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kTick = 100ms;
constexpr std::uint64_t kBulkPages = 1024;     // 8 MiB at 8 KiB a page: copied beside the writer
constexpr std::uint64_t kRestartPages = 4096;  // 32 MiB: the log starts over in a gap
constexpr auto kIdleBeforeTruncate = 5s;
constexpr auto kTruncateInterval = 15min;

}  // namespace

Checkpointer::Checkpointer(Writer& writer, std::unique_ptr<Connection> connection)
    : writer_(writer), connection_(std::move(connection)), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
    stop();
}

void Checkpointer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Checkpointer::checkpoint(int mode) {
    const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, nullptr, nullptr);
    ++checkpoints_;
    // Busy: a reader holds an old snapshot; the next round gets further.
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
        base::log_warning("storage.checkpoint_failed", {{"code", fault_of(code, "").code}});
    }
}

void Checkpointer::run() {
    pthread_setname_np(pthread_self(), "db-checkpoint");
    std::uint64_t commits_at_truncate = 0;
    std::uint64_t commits_at_bulk = 0;
    auto truncated_at = steady_clock::now();
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (wake_.wait_for(lock, kTick, [this] { return stopping_; })) return;
        }
        const std::uint64_t commits = writer_.commits();
        const auto idle =
            steady_clock::now().time_since_epoch() - std::chrono::milliseconds(writer_.last_commit_ms());
        if (commits != commits_at_truncate &&
            (idle >= kIdleBeforeTruncate || steady_clock::now() - truncated_at >= kTruncateInterval)) {
            checkpoint(SQLITE_CHECKPOINT_PASSIVE);
            writer_.between_groups([this] { checkpoint(SQLITE_CHECKPOINT_TRUNCATE); });
            commits_at_truncate = commits;
            truncated_at = steady_clock::now();
            continue;
        }
        const std::uint64_t pages = writer_.wal_pages();
        if (pages < kBulkPages || commits == commits_at_bulk) continue;
        checkpoint(SQLITE_CHECKPOINT_PASSIVE);
        commits_at_bulk = commits;
        // What was written while the bulk was copied is little; with the writer standing, a passive round
        // gets to the end of the log, and the next commit starts it over.
        if (pages >= kRestartPages) writer_.between_groups([this] { checkpoint(SQLITE_CHECKPOINT_PASSIVE); });
    }
}

}  // namespace storage
