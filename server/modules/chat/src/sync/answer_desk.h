#pragma once

#include "sync/sync_query.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <base/metrics.h>
#include <base/result.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <runtime/task_group.h>
#include <storage/database.h>

namespace chat {

/// Has the answers of /sync made. News of a large room wakes all of its people at once: they queue here, so
/// that only so many reads are under way and others' reads are not crowded out, and what waited meanwhile is
/// read together, from one snapshot, in which what is the same for all is read once. I/O thread only.
class AnswerDesk {
  public:
    static constexpr std::size_t kReadsAtOnce = 16;
    static constexpr std::size_t kAnswersARead = 64;

    AnswerDesk(runtime::Runtime& runtime, runtime::TaskGroup& tasks, storage::Database& database);

    /// Errors: chat.busy (unavailable: too many wait), those of the database.
    runtime::Task<base::Result<SyncAnswer>> answer(std::shared_ptr<const SyncQuery> query);

  private:
    struct Item {
        std::shared_ptr<const SyncQuery> query;
        std::optional<base::Result<SyncAnswer>> answer;
        std::move_only_function<void()> resume;
    };
    using Items = std::vector<std::shared_ptr<Item>>;
    class Turn;

    void begin_reads();
    Items take_items();
    runtime::Task<void> read(std::unique_ptr<Turn> turn);
    runtime::Task<base::Result<void>> read_together(Items items);

    runtime::TaskGroup& tasks_;
    storage::Database& database_;
    std::deque<std::shared_ptr<Item>> waiting_;
    std::size_t reads_ = 0;
    bool is_beginning_ = false;
    base::Counter& answers_made_;
    base::Counter& reads_begun_;
    base::Gauge& reads_peak_;
};

}  // namespace chat
