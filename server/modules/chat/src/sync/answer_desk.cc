#include "sync/answer_desk.h"

#include "sync/answer.h"

#include <algorithm>
#include <utility>

namespace chat {
namespace {

/// More than there can be connections; each of them holds one place at most.
constexpr std::size_t kWaitingLimit = 100'000;

/// An answer that looks at all of a person's rooms, or at many events, takes long: nobody else's is to wait
/// for it.
bool is_large(const SyncQuery& query) {
    return !query.rooms || query.full_state || query.wants_whole_counts;
}

}  // namespace

/// One of the reads at once, and those who wait for it. However it ends, each of them is answered, and the
/// next read may begin.
class AnswerDesk::Turn {
  public:
    Turn(AnswerDesk& desk, Items taken) : items(std::move(taken)), desk_(desk) { ++desk_.reads_; }
    ~Turn() {
        --desk_.reads_;
        for (const auto& item : items) {
            if (!item->answer)
                item->answer.emplace(
                    base::fail(base::ErrorKind::unavailable, "chat.stopping", "The server stops."));
            item->resume();
        }
        // Called by begin_reads itself, whose loop goes on, where the service is stopping.
        if (!desk_.is_beginning_) desk_.begin_reads();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    const Items items;

  private:
    AnswerDesk& desk_;
};

AnswerDesk::AnswerDesk(runtime::Runtime& runtime, runtime::TaskGroup& tasks, storage::Database& database)
    : tasks_(tasks),
      database_(database),
      answers_made_(runtime.metrics().counter("chat_sync_answers_total", "Answers of /sync that were read")),
      reads_begun_(runtime.metrics().counter("chat_sync_reads_total", "Reads that made them, many in one")),
      reads_peak_(runtime.metrics().gauge("chat_sync_reads_peak", "The most of those reads at once")) {}

runtime::Task<base::Result<SyncAnswer>> AnswerDesk::answer(std::shared_ptr<const SyncQuery> query) {
    if (waiting_.size() >= kWaitingLimit)
        co_return base::fail(base::ErrorKind::unavailable, "chat.busy", "Too many requests are waiting.");
    auto item = std::make_shared<Item>();
    item->query = std::move(query);
    co_await runtime::await_callback([this, item](std::move_only_function<void()> resume) {
        item->resume = std::move(resume);
        waiting_.push_back(item);
        begin_reads();
    });
    answers_made_.add();
    co_return std::move(item->answer.value());
}

void AnswerDesk::begin_reads() {
    while (reads_ < kReadsAtOnce && !waiting_.empty()) {
        auto turn = std::make_unique<Turn>(*this, take_items());
        reads_begun_.add();
        reads_peak_.set(std::max(reads_peak_.value(), static_cast<double>(reads_)));
        auto task = read(std::move(turn));
        // Refused, with an answer for those who wait, where the service is stopping: nothing is read any
        // more.
        is_beginning_ = true;
        tasks_.spawn(std::move(task));
        is_beginning_ = false;
    }
}

AnswerDesk::Items AnswerDesk::take_items() {
    Items items;
    do {
        items.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    } while (!waiting_.empty() && items.size() < kAnswersARead && !is_large(*items.front()->query) &&
             !is_large(*waiting_.front()->query));
    return items;
}

runtime::Task<base::Result<void>> AnswerDesk::read_together(Items items) {
    co_return co_await database_.read([items](storage::Transaction& tx) -> base::Result<void> {
        RoomReads reads(tx, items.size() > 1);
        for (const auto& item : items) item->answer.emplace(make_answer(reads, *item->query));
        return {};
    });
}

runtime::Task<void> AnswerDesk::read(std::unique_ptr<Turn> turn) {
    const auto& items = turn->items;
    auto done = co_await read_together(items);
    if (!done && items.size() > 1) {
        // A fault is to end the request that it belongs to, and no other.
        for (const auto& item : items) {
            auto alone = co_await read_together({item});
            if (!alone) item->answer.emplace(base::fail(std::move(alone.error())));
        }
    } else if (!done) {
        items.front()->answer.emplace(base::fail(std::move(done.error())));
    }
}

}  // namespace chat
