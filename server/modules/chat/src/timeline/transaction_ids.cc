#include "timeline/transaction_ids.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <base/log.h>

namespace chat {
namespace {

constexpr std::size_t kPageRows = 20'000;
constexpr std::size_t kPruneRows = 2'000;
/// About 60 bytes each; beyond it the oldest are forgotten before their time.
constexpr std::size_t kEntryLimit = 1'000'000;
/// What a send waits for at most, be it the index or another request with its key.
constexpr auto kWait = std::chrono::seconds(30);
constexpr auto kFirstPause = std::chrono::seconds(1);
/// Sends are refused meanwhile, so it is short; reading goes on where it stopped, so it costs little.
constexpr auto kLongestPause = std::chrono::seconds(5);

std::unexpected<base::Error> busy(std::string message) {
    return base::fail(base::ErrorKind::unavailable, "chat.sending_busy", std::move(message));
}

}  // namespace

runtime::Task<void> TransactionIds::load() {
    for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
        const auto read = co_await read_all();
        state_ = read ? State::complete : State::failed;
        changed_.notify();
        if (read) co_return;
        base::log_error("chat.transactions_not_loaded",
                        {{"code", read.error().code}, {"again_in_s", pause.count()}});
        co_await runtime::sleep_for(pause);
        state_ = State::loading;
    }
}

runtime::Task<base::Result<void>> TransactionIds::read_all() {
    for (;;) {
        auto page = co_await database_.read([after = read_to_](storage::Transaction& tx) {
            return base::Result<std::vector<std::pair<std::int64_t, Position>>>(
                transaction_keys(tx, after, kPageRows));
        });
        if (!page) co_return base::fail(std::move(page.error()));
        for (const auto& [key, position] : *page) remember(key, position);
        if (!page->empty()) read_to_ = page->back().second;
        if (page->size() < kPageRows) co_return base::Result<void>{};
    }
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

runtime::Task<base::Result<TransactionIds::Turn>> TransactionIds::take_turn(std::int64_t key) {
    if (state_ == State::loading) co_await changed_.wait(kWait);
    if (state_ != State::complete)
        co_return busy("The server cannot tell yet whether this was sent before; try again.");
    const auto until = std::chrono::steady_clock::now() + kWait;
    for (;;) {
        const auto found = under_way_.find(key);
        if (found == under_way_.end()) break;
        const auto other = found->second;
        if (!co_await other->wait(until - std::chrono::steady_clock::now()))
            co_return busy("The same request is still under way; try again.");
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
