#include "sync/filter_pool.h"

#include <algorithm>
#include <utility>

namespace chat {
namespace {

/// A longer text is rarely anybody else's, and would be kept twice.
constexpr std::size_t kSharedTextBytes = 2048;

}  // namespace

base::Result<std::shared_ptr<const SyncFilter>> FilterPool::filter_of(std::string_view text) {
    const bool is_shared = text.size() <= kSharedTextBytes;
    std::string key(is_shared ? text : std::string_view{});
    if (is_shared) {
        const auto at = filters_.find(key);
        if (at != filters_.end()) {
            if (auto known = at->second.lock()) return known;
        }
    }
    auto parsed = SyncFilter::parse_text(text);
    if (!parsed) return base::fail(std::move(parsed.error()));
    auto filter = std::make_shared<const SyncFilter>(std::move(*parsed));
    if (is_shared) {
        if (filters_.size() >= drop_at_) drop_unheld();
        filters_.insert_or_assign(std::move(key), filter);
    }
    return filter;
}

void FilterPool::drop_unheld() {
    std::erase_if(filters_, [](const auto& entry) { return entry.second.expired(); });
    drop_at_ = std::max<std::size_t>(64, 2 * filters_.size());
}

}  // namespace chat
