#include "answer_cache.h"

#include <iterator>
#include <utility>

namespace gateway {
namespace {

constexpr std::size_t kEntriesLimit = 1024;
constexpr std::size_t kBytesLimit = std::size_t{4} * 1024 * 1024;

/// Neither a provider's id nor a hash holds a slash.
std::string key_of(std::string_view provider_id, std::string_view scope, std::string_view outbound_sha256) {
    return std::string(provider_id) + "/" + std::string(outbound_sha256) + "/" + std::string(scope);
}

}  // namespace

std::optional<AnswerCache::Answer> AnswerCache::find(std::string_view provider_id, std::string_view scope,
                                                     std::string_view outbound_sha256) {
    drop_old();
    const auto found = by_key_.find(key_of(provider_id, scope, outbound_sha256));
    if (found == by_key_.end()) return std::nullopt;
    return found->second->answer;
}

void AnswerCache::put(std::string_view provider_id, std::string_view scope, std::string_view outbound_sha256,
                      Answer answer) {
    auto key = key_of(provider_id, scope, outbound_sha256);
    if (const auto known = by_key_.find(key); known != by_key_.end()) drop(known->second);
    bytes_ += answer.text.size();
    entries_.push_back({std::string(provider_id), key, std::move(answer), clock_.steady_now() + kept_});
    by_key_.emplace(std::move(key), std::prev(entries_.end()));
    drop_old();
    plan();
}

void AnswerCache::forget(std::string_view provider_id) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        if (entry->provider_id == provider_id) drop(entry);
        entry = next;
    }
}

void AnswerCache::drop(Entries::iterator entry) {
    bytes_ -= entry->answer.text.size();
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

void AnswerCache::drop_old() {
    const auto now = clock_.steady_now();
    while (!entries_.empty() &&
           (entries_.front().until <= now || entries_.size() > kEntriesLimit || bytes_ > kBytesLimit))
        drop(entries_.begin());
}

void AnswerCache::plan() {
    if (entries_.empty() || std::exchange(is_planned_, true)) return;
    timer_.expires_after(entries_.front().until - clock_.steady_now());
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
        if (error || alive.expired()) return;
        is_planned_ = false;
        drop_old();
        plan();
    });
}

}  // namespace gateway
