#include "token_cache.h"

namespace identity {
namespace {

constexpr std::size_t kLimitTokens = 50'000;
constexpr std::int64_t kSeenStepMs = std::int64_t{5} * 60 * 1000;

}  // namespace

std::optional<TokenRow> TokenCache::find(const std::string& hash) const {
    const auto found = rows_.find(hash);
    if (found == rows_.end()) return std::nullopt;
    return found->second;
}

void TokenCache::insert(const std::string& hash, const TokenRow& row, std::uint64_t generation) {
    if (generation != generation_) return;
    if (rows_.size() >= kLimitTokens) rows_.clear();  // simple, and as right as any choice of a victim
    rows_.insert_or_assign(hash, row);
}

void TokenCache::forget_user(UserNumber user) {
    ++generation_;
    std::erase_if(rows_,
                  [user](const auto& entry) { return entry.second.principal.user_number == user.value; });
}

void TokenCache::forget_all() {
    ++generation_;
    rows_.clear();
}

void TokenCache::saw(DeviceNumber device, std::int64_t now_ms) {
    if (written_.size() >= kLimitTokens) written_.clear();
    auto& written = written_[device];
    if (now_ms - written < kSeenStepMs) return;
    written = now_ms;
    pending_[device] = now_ms;
}

std::vector<TokenCache::Seen> TokenCache::take_seen() {
    std::vector<Seen> seen;
    seen.reserve(pending_.size());
    for (const auto& [device, at_ms] : pending_) seen.push_back({device, at_ms});
    pending_.clear();
    return seen;
}

}  // namespace identity
