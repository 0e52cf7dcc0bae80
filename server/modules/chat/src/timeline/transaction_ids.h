#pragma once

#include "timeline/transaction_store.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>

#include <base/result.h>
#include <runtime/signal.h>
#include <runtime/task.h>
#include <storage/database.h>

namespace chat {

/// Which request made which event: the index in memory over `sent_transaction`, complete once it has been
/// rebuilt at start, because every send goes through it. (The table has no index of its own by key: that
/// would be a random page more for each message.) A hint all the same: what it says is compared with the row
/// in the write job. I/O thread only.
class TransactionIds {
  public:
    TransactionIds(runtime::Runtime& runtime, storage::Database& database)
        : runtime_(runtime), database_(database), changed_(runtime) {}

    /// Reads what is stored, page by page; where that fails, goes on from there after a pause, until all is
    /// read. Sends wait for it, and are refused in the pauses.
    runtime::Task<void> load();
    /// Deletes what is older than the retention; a page a job.
    runtime::Task<void> prune(std::int64_t now_ms);

    /// Held while a request of this key is under way, so that its repetition waits for the outcome.
    class Turn {
      public:
        Turn(TransactionIds& ids, std::int64_t key) : ids_(&ids), key_(key) {}
        ~Turn();
        Turn(Turn&& other) noexcept : ids_(std::exchange(other.ids_, nullptr)), key_(other.key_) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        Turn& operator=(Turn&&) = delete;

      private:
        TransactionIds* ids_;
        std::int64_t key_;
    };
    /// Waits until the index is there and nobody else has this key's turn.
    /// Errors: chat.sending_busy (unavailable): the index could not be read, or that took too long.
    runtime::Task<base::Result<Turn>> take_turn(std::int64_t key);

    Position find(std::int64_t key) const;
    void remember(std::int64_t key, Position position);
    std::size_t size() const { return positions_.size(); }

  private:
    enum class State : std::uint8_t { loading, failed, complete };
    runtime::Task<base::Result<void>> read_all();
    void forget_through(Position position);

    runtime::Runtime& runtime_;
    storage::Database& database_;
    runtime::Notifier changed_;  ///< of state_, where a read ended
    State state_ = State::loading;
    Position read_to_;  ///< what is stored up to here is in memory
    std::unordered_map<std::int64_t, Position> positions_;
    std::deque<std::pair<Position, std::int64_t>> order_;  ///< oldest first, for forgetting
    std::unordered_map<std::int64_t, std::shared_ptr<runtime::Notifier>> under_way_;
};

}  // namespace chat
