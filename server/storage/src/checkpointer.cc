#include "checkpointer.h"

#include "fault.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <base/log.h>
#include <sqlite3.h>

namespace storage {

namespace {

using namespace std::chrono_literals;

// https://www.sqlite.org/fileformat2.html#wal_file_format
constexpr std::int64_t kWalHeaderBytes = 32;
constexpr std::int64_t kFrameHeaderBytes = 24;
/// How often the thread looks at the WAL by itself.
constexpr auto kLook = 250ms;
/// Between two attempts to find a gap, doubled after each that found none.
constexpr std::chrono::nanoseconds kRetry = 20ms;
constexpr std::chrono::nanoseconds kLongestRetry = 1s;
/// So few frames are moved within a gap without anybody noticing.
constexpr std::int64_t kFewFrames = 32;
/// More than these are not, while it is not urgent.
constexpr std::int64_t kMostFrames = 256;
/// Rounds beside the writer go on as long as each leaves less than this part of what the one before left.
constexpr double kWorthwhile = 0.9;
constexpr int kMostPassiveRounds = 20;
/// A checkpoint syncs so much at a time: a commit beside it waits for no more than that.
constexpr std::int64_t kBiteBytes = 128 << 10;
constexpr std::int64_t kLargestBiteBytes = 4 << 20;  // near the hard bound
/// How steeply bites grow there. The rests go first, so that bites stay small where that is enough.
constexpr double kBiteGrowth = 8;
/// Then it leaves the disk to the commits for so long, of the time that its own sync took.
constexpr double kRestShare = 0.3;
constexpr std::chrono::nanoseconds kLongestRest = 50ms;
/// Of the old WAL, overwritten while the writer waits; and between two syncs.
constexpr std::int64_t kWipeBytes = 256 << 10;
/// How long reads are held back for one that is under way, and then for a group of the writer's.
constexpr auto kPatience = 10ms;
/// Where it is urgent; then reads under way are interrupted.
constexpr auto kHardPatience = 500ms;
/// That another program's read holds the log is believed so long while ours are in the way of asking again.
constexpr auto kBelieved = 30s;

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
      // What an earlier run left in the WAL is as old as it may be.
      dirty_since_(std::chrono::steady_clock::now().time_since_epoch().count()),
      passive_seconds_(runtime.metrics().histogram("storage_checkpoint_seconds",
                                                   "Time of a checkpoint beside the writer",
                                                   {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10})),
      gap_seconds_(runtime.metrics().histogram("storage_checkpoint_gap_seconds",
                                               "Time that the writer waited for the WAL to start anew",
                                               {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2})),
      wal_bytes_(runtime.metrics().gauge("storage_wal_bytes", "Length of the write-ahead log in use")),
      held_gauge_(
          runtime.metrics().gauge("storage_log_held", "Whether a read of another program holds the log")),
      wal_pages_total_(runtime.metrics().counter("storage_wal_pages_total",
                                                 "Pages that commits wrote to the write-ahead log")),
      scrubs_total_(runtime.metrics().counter(
          "storage_scrubs_total", "Times that the write-ahead log was cleared of what was deleted")) {
    pace_.after_bite = [this](std::chrono::nanoseconds sync_time) {
        rest(std::chrono::duration_cast<std::chrono::nanoseconds>(kRestShare * sync_time));
    };
    set_pace(connection_.handle(), &pace_);
    thread_ = std::thread([this] { work(); });
}

Checkpointer::~Checkpointer() {
    stop();
}

void Checkpointer::wal_grew(std::int64_t frames) {
    const std::int64_t before = frames_.exchange(frames);
    const auto written = static_cast<std::uint64_t>(frames >= before ? frames - before : frames);
    wal_pages_ += written;
    wal_pages_total_.add(written);
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
    if (!thread_.joinable()) return;
    thread_.join();
    set_pace(connection_.handle(), nullptr);
}

bool Checkpointer::dirty_for(std::chrono::milliseconds time) const {
    const Instant::rep since = dirty_since_;
    if (since == 0) return false;
    return std::chrono::steady_clock::now() - Instant(Instant::duration(since)) >= time;
}

/// Now the gap is taken, whoever is in the way: people never stop reading.
bool Checkpointer::is_urgent() const {
    return wal_bytes() >= limits_.hard_bytes || dirty_for(2 * limits_.scrub_after);
}

/// How far the WAL is on its way from the soft bound to the hard one: 0 to 1.
double Checkpointer::urgency() const {
    const auto over = static_cast<double>(wal_bytes() - limits_.soft_bytes);
    const auto way = static_cast<double>(std::max<std::int64_t>(limits_.hard_bytes - limits_.soft_bytes, 1));
    return std::clamp(over / way, 0.0, 1.0);
}

/// Leaves the disk to the commits for a while: the shorter, and at last after the more, the longer the WAL
/// is.
void Checkpointer::rest(std::chrono::nanoseconds time) {
    const double urgent = urgency();
    const double growth = std::pow(urgent, kBiteGrowth);
    pace_.bite_bytes = kBiteBytes + static_cast<std::int64_t>(growth * (kLargestBiteBytes - kBiteBytes));
    if (urgent >= 1) return;
    const auto pause = std::chrono::duration<double, std::nano>(std::min(time, kLongestRest)) * (1 - urgent);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause, [this] { return stopping_; });
}

void Checkpointer::work() {
    pthread_setname_np(pthread_self(), "db-checkpoint");
    const auto look = std::min<std::chrono::milliseconds>(kLook, std::max(limits_.scrub_after / 4, 1ms));
    const auto due = [this] { return wal_bytes() >= limits_.soft_bytes || scrub_due(); };
    auto retry = kRetry;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            // A missed notification costs one look.
            if (!due()) wake_.wait_for(lock, look, [this, &due] { return stopping_ || due(); });
            if (stopping_) return;
        }
        if (!due()) continue;
        if (shrink()) {
            retry = kRetry;
            continue;
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, retry, [this] { return stopping_; });
        retry = std::min(2 * retry, kLongestRetry);
    }
}

bool Checkpointer::shrink() {
    const bool scrubbing = scrub_due();
    auto left = move_most();
    const bool urgent = is_urgent() && !is_held_elsewhere();
    if (urgent && left && *left > kMostFrames) {
        end_long_reads();
        left = move_most();
    }
    if (!left || (*left > kMostFrames && !urgent)) return false;
    const Instant::rep dirty_since = dirty_since_;
    if (!start_anew(scrubbing, urgent)) return false;
    if (!scrubbing) {
        restarted_ = true;
        return true;
    }
    if (!wipe(!restarted_)) {
        dirty_since_ = dirty_since;  // due again at once
        return false;
    }
    restarted_ = false;
    ++scrubs_;
    scrubs_total_.add();
    return true;
}

/// Moves frames while others write, and syncs them; returns how many are left, or nothing after a failure.
std::optional<std::int64_t> Checkpointer::move_most() {
    std::int64_t left = std::numeric_limits<std::int64_t>::max();
    for (int round = 0; round < kMostPassiveRounds && left > kFewFrames; ++round) {
        const auto start = std::chrono::steady_clock::now();
        pace_.bite_bytes = kBiteBytes;
        const Outcome outcome = checkpoint(connection_, SQLITE_CHECKPOINT_PASSIVE);
        pace_.bite_bytes = 0;
        // SQLite syncs only once it has moved everything: in the gap, that is, and while all wait.
        const std::int64_t frames = frames_;
        const int code = outcome.done ? end_bite(connection_.handle()) : SQLITE_OK;
        passive_seconds_.observe(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        if (code != SQLITE_OK) note_failure(connection_, code, "checkpoint");
        if (!outcome.done || code != SQLITE_OK) return std::nullopt;
        const std::int64_t before = left;
        left = outcome.frames_left + (frames_ - frames);
        if (static_cast<double>(left) > kWorthwhile * static_cast<double>(before)) break;
    }
    return left;
}

/// What a read sees keeps all frames since in the log. Without them most can be moved beside the writer, and
/// not in the gap.
void Checkpointer::end_long_reads() {
    if (readers_.pause(kHardPatience, Readers::Impatient::interrupts)) readers_.resume();
}

/// Whether a read of another program (a backup, a shell) keeps the log as it is, however many of ours ended.
bool Checkpointer::is_held_elsewhere() {
    const auto now = std::chrono::steady_clock::now();
    if (!readers_.pause(kPatience, Readers::Impatient::gives_up)) return now < held_until_;
    const bool asked = writer_.pause(kPatience);
    if (asked) {
        note_holder(!nobody_reads(connection_.handle()));
        writer_.resume();
    }
    readers_.resume();
    return asked ? held_ : now < held_until_;
}

void Checkpointer::note_holder(bool is_elsewhere) {
    held_until_ = is_elsewhere ? std::chrono::steady_clock::now() + kBelieved : Instant{};
    if (is_elsewhere == held_) return;
    held_ = is_elsewhere;
    held_gauge_.set(held_ ? 1 : 0);
    if (held_) {
        base::log_warning("storage.log_held", {{"bytes", wal_bytes()}});
    } else {
        base::log_info("storage.log_released");
    }
}

bool Checkpointer::start_anew(bool scrubbing, bool urgent) {
    const auto patience = urgent ? kHardPatience : kPatience;
    const auto impatient = urgent ? Readers::Impatient::interrupts : Readers::Impatient::gives_up;
    if (!readers_.pause(patience, impatient)) return false;
    bool done = false;
    // With patience here too: however long a job or the disk takes, people read on.
    if (writer_.pause(patience)) {
        const auto start = std::chrono::steady_clock::now();
        done = start_in_gap(scrubbing);
        if (done || urgent) note_holder(!done && !nobody_reads(connection_.handle()));
        writer_.resume();
        gap_seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    readers_.resume();
    return done;
}

bool Checkpointer::start_in_gap(bool scrubbing) {
    const auto version = writer_.connection().lock_writes();
    if (!version) return false;
    writer_.connection().roll_back();
    version_ = *version;
    // On the writer's own connection, which keeps its pages in memory so.
    const bool done = checkpoint(writer_.connection(), SQLITE_CHECKPOINT_RESTART).done;
    if (done) {
        frames_ = 0;
        wal_bytes_.set(0);
        if (scrubbing) {
            // But they may hold copies of old rows (page_residue.h), which would be written again.
            writer_.connection().forget_pages();
            dirty_since_ = 0;
        }
    }
    return done;
}

/// Overwrites what lies in the WAL's file behind the part that is in use again: from its end towards the
/// writer, who waits for one bite at a time. `shrinks`: the file is cut there too. False also where another
/// program committed since the gap: what is in use is counted by our own commits.
bool Checkpointer::wipe(bool shrinks) {
    LogFile log(connection_.handle());
    std::int64_t end = 0;
    if (const int code = log.size(end); code != SQLITE_OK) {
        note_failure(connection_, code, "look at the log");
        return false;
    }
    if (end == 0) return true;
    bool is_first = true;
    for (bool more = true; more;) {
        const auto start = std::chrono::steady_clock::now();
        if (!writer_.pause(kHardPatience)) return false;
        if (writer_.connection().lock_writes() != version_) {
            writer_.connection().roll_back();
            writer_.resume();
            return false;
        }
        int code = SQLITE_OK;
        // The first commit since the gap writes a new header, and syncs it; without one the old still counts.
        if (is_first && frames_ == 0) code = log.invalidate();
        is_first = false;
        const std::int64_t used = kWalHeaderBytes + frames_ * frame_bytes_;
        const std::int64_t from = std::max(used, end - kWipeBytes);
        more = from > used;
        if (code == SQLITE_OK) code = log.fill_with_zeros(from, end);
        const bool cuts = !more && shrinks;
        if (code == SQLITE_OK && cuts) code = log.sync();
        if (code == SQLITE_OK && cuts) code = log.truncate(used);
        writer_.connection().roll_back();
        writer_.resume();
        if (code == SQLITE_OK && !cuts) code = log.sync();
        if (code != SQLITE_OK) {
            note_failure(connection_, code, "clear the log");
            return false;
        }
        end = from;
        if (more) rest(std::chrono::steady_clock::now() - start);
    }
    return true;
}

Checkpointer::Outcome Checkpointer::checkpoint(Connection& connection, int mode) {
    int in_wal = 0;
    int moved = 0;
    const int code = connection.checkpoint(mode, &in_wal, &moved);
    if (code == SQLITE_BUSY) return {};
    if (code != SQLITE_OK) {
        note_failure(connection, code, "checkpoint");
        return {};
    }
    if (failing_) base::log_info("storage.checkpoint_recovered");
    failing_ = false;
    ++checkpoints_;
    return {.done = true, .frames_left = std::max<std::int64_t>(in_wal, frames_) - moved};
}

void Checkpointer::note_failure(const Connection& connection, int code, std::string_view doing) {
    const Fault fault = fault_of(connection.handle(), code, doing);
    // Once, not at every attempt: the WAL keeps everything until one succeeds.
    if (!failing_) {
        base::log_error("storage.checkpoint_failed", {{"code", fault.code}, {"what", fault.what()}});
    }
    failing_ = true;
}

}  // namespace storage
