#include "token_cache.h"

namespace identity {
namespace {

constexpr std::size_t kLimitTokens = 50'000;
constexpr std::int64_t kConfirmAgainMs = 5'000;
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

bool TokenCache::may_confirm(std::int64_t token_number, std::int64_t now_ms) const {
    const auto found = confirm_at_ms_.find(token_number);
    return found == confirm_at_ms_.end() || found->second <= now_ms;
}

void TokenCache::not_confirmed(std::int64_t token_number, std::int64_t now_ms) {
    if (confirm_at_ms_.size() >= kLimitTokens) confirm_at_ms_.clear();
    confirm_at_ms_[token_number] = now_ms + kConfirmAgainMs;
}

void TokenCache::saw(DeviceNumber device, std::string_view address, std::int64_t now_ms) {
    if (noted_.size() >= kLimitTokens) noted_.clear();
    auto& noted = noted_[device];
    if (noted.address == address && now_ms - noted.at_ms < kSeenStepMs) return;
    noted = {.at_ms = now_ms, .address = std::string(address)};
    pending_[device] = noted;
}

std::vector<TokenCache::Seen> TokenCache::take_seen() {
    std::vector<Seen> seen;
    seen.reserve(pending_.size());
    for (auto& [device, sight] : pending_) seen.push_back({device, std::move(sight)});
    pending_.clear();
    return seen;
}

void TokenCache::keep_seen(const std::vector<Seen>& seen) {
    for (const auto& [device, sight] : seen) {
        if (pending_.size() >= kLimitTokens) return;
        pending_.try_emplace(device, sight);
    }
}

}  // namespace identity
