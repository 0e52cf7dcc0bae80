#include "timeline/transaction_ids.h"

#include <chrono>

namespace chat {
namespace {

constexpr std::size_t kPageRows = 20'000;
constexpr std::size_t kPruneRows = 2'000;
/// About 60 bytes each; beyond it the oldest are forgotten before their time.
constexpr std::size_t kEntryLimit = 1'000'000;
constexpr auto kWait = std::chrono::seconds(30);

}  // namespace

runtime::Task<base::Result<void>> TransactionIds::load() {
    Position after;
    for (;;) {
        auto page = co_await database_.read([after](storage::Transaction& tx) {
            return base::Result<std::vector<std::pair<std::int64_t, Position>>>(
                transaction_keys(tx, after, kPageRows));
        });
        if (!page) co_return base::fail(std::move(page.error()));
        for (const auto& [key, position] : *page) remember(key, position);
        if (page->size() < kPageRows) break;
        after = page->back().second;
    }
    is_loaded_ = true;
    loaded_.notify();
    co_return base::Result<void>{};
}

runtime::Task<void> TransactionIds::prune(std::int64_t now_ms) {
    for (;;) {
        const auto last = co_await database_.write(
            {"transactions"}, [cutoff_ms = now_ms - kTransactionRetentionMs](storage::Transaction& tx) {
                return base::Result<Position>(prune_transactions(tx, cutoff_ms, kPruneRows));
            });
        if (!last || !*last) co_return;
        forget_through(*last);
    }
}

TransactionIds::Turn::~Turn() {
    if (ids_ == nullptr) return;
    const auto found = ids_->under_way_.find(key_);
    if (found == ids_->under_way_.end()) return;
    const auto waiting = found->second;
    ids_->under_way_.erase(found);
    waiting->notify();
}

runtime::Task<TransactionIds::Turn> TransactionIds::take_turn(std::int64_t key) {
    while (!is_loaded_) co_await loaded_.wait(kWait);
    for (;;) {
        const auto found = under_way_.find(key);
        if (found == under_way_.end()) break;
        const auto other = found->second;
        co_await other->wait(kWait);
    }
    under_way_.emplace(key, std::make_shared<runtime::Notifier>(runtime_));
    co_return Turn(*this, key);
}

Position TransactionIds::find(std::int64_t key) const {
    const auto found = positions_.find(key);
    return found == positions_.end() ? Position{} : found->second;
}

void TransactionIds::remember(std::int64_t key, Position position) {
    positions_[key] = position;
    order_.emplace_back(position, key);
    if (order_.size() > kEntryLimit) forget_through(order_.front().first);
}

void TransactionIds::forget_through(Position position) {
    while (!order_.empty() && order_.front().first <= position) {
        const auto found = positions_.find(order_.front().second);
        if (found != positions_.end() && found->second == order_.front().first) positions_.erase(found);
        order_.pop_front();
    }
}

}  // namespace chat
