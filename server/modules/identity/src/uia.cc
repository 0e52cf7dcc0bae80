#include "uia.h"

namespace identity {
namespace {

constexpr std::size_t kLimitSessions = 10'000;
constexpr std::int64_t kTtlMs = std::int64_t{30} * 60 * 1000;
constexpr std::size_t kIdCharacters = 24;

}  // namespace

UiaSession& UiaSessions::open(base::Random& random, UiaPurpose purpose, std::int64_t now_ms) {
    while (!by_age_.empty() &&
           (by_age_.size() >= kLimitSessions || by_age_.front().expires_at_ms <= now_ms)) {
        by_id_.erase(by_age_.front().id);
        by_age_.pop_front();
    }
    by_age_.push_back({.id = random.alphanumeric(kIdCharacters),
                       .purpose = std::move(purpose),
                       .expires_at_ms = now_ms + kTtlMs});
    by_id_[by_age_.back().id] = std::prev(by_age_.end());
    return by_age_.back();
}

UiaSession* UiaSessions::find(std::string_view id, const UiaPurpose& purpose, std::int64_t now_ms) {
    auto* found = find(id, now_ms);
    return found != nullptr && found->purpose == purpose ? found : nullptr;
}

UiaSession* UiaSessions::find(std::string_view id, std::int64_t now_ms) {
    const auto found = by_id_.find(std::string(id));
    return found == by_id_.end() || found->second->expires_at_ms <= now_ms ? nullptr : &*found->second;
}

void UiaSessions::close(std::string_view id) {
    const auto found = by_id_.find(std::string(id));
    if (found == by_id_.end()) return;
    by_age_.erase(found->second);
    by_id_.erase(found);
}

net::Response uia_challenge(const UiaSession& session, const std::vector<std::string>& stages,
                            const std::optional<base::Error>& error) {
    base::json::array flows;
    for (const auto& stage : stages)
        flows.push_back(base::json::object{{"stages", base::json::array{stage}}});
    base::json::array completed;
    if (!session.completed_stage.empty()) completed.emplace_back(session.completed_stage);
    base::json::object body{{"session", session.id},
                            {"flows", std::move(flows)},
                            {"params", base::json::object{}},
                            {"completed", std::move(completed)}};
    if (error) {
        body["errcode"] = error->code;
        body["error"] = error->message;
    }
    return net::json(401, base::json::value(std::move(body)));
}

}  // namespace identity
