#include "sync/presence.h"

#include "event/canonical_json.h"

#include <algorithm>

namespace chat {
namespace {

/// A client that does not ask again within this time is gone.
constexpr std::chrono::seconds kGoneAfter{45};

}  // namespace

std::string_view to_string(PresenceState state) {
    switch (state) {
        case PresenceState::online:
            return "online";
        case PresenceState::unavailable:
            return "unavailable";
        case PresenceState::offline:
            break;
    }
    return "offline";
}

std::optional<PresenceState> parse_presence(std::string_view text) {
    for (const auto state : {PresenceState::offline, PresenceState::unavailable, PresenceState::online}) {
        if (text == to_string(state)) return state;
    }
    return std::nullopt;
}

Presence::Presence(const base::Clock& clock) : clock_(clock), last_(clock.now_ms()) {}

void Presence::change(identity::UserNumber user, Person& person, PresenceState state) {
    person.state = state;
    order_.erase(person.position);
    person.position = ++last_;
    order_.emplace(person.position, user);
    if (news_.empty() || news_.back() != user) news_.push_back(user);
}

void Presence::poll_begins(identity::UserNumber user, std::string_view user_id, PresenceState says) {
    if (says == PresenceState::offline) return;
    auto& person = people_[user];
    ++person.polls;
    person.seen_at = clock_.steady_now();
    if (says == PresenceState::online) person.last_active_ms = clock_.now_ms();
    if (person.user_id.empty()) person.user_id = user_id;
    if (person.state != says) change(user, person, says);
}

void Presence::poll_ends(identity::UserNumber user) {
    const auto at = people_.find(user);
    if (at == people_.end()) return;
    at->second.polls = std::max(0, at->second.polls - 1);
    at->second.seen_at = clock_.steady_now();
}

void Presence::set(identity::UserNumber user, std::string_view user_id, PresenceState state,
                   std::optional<std::string> status_message) {
    auto& person = people_[user];
    person.user_id = user_id;
    person.seen_at = clock_.steady_now();
    person.last_active_ms = clock_.now_ms();
    if (status_message) person.status_message = std::move(*status_message);
    change(user, person, state);
}

void Presence::restore(identity::UserNumber user, std::string user_id, std::string status_message) {
    auto& person = people_[user];
    person.user_id = std::move(user_id);
    person.status_message = std::move(status_message);
}

void Presence::forget(identity::UserNumber user) {
    const auto at = people_.find(user);
    if (at == people_.end()) return;
    at->second.status_message.clear();
    change(user, at->second, PresenceState::offline);
}

void Presence::tell_again(identity::UserNumber user) {
    const auto at = people_.find(user);
    if (at != people_.end() && at->second.state != PresenceState::offline)
        change(user, at->second, at->second.state);
}

void Presence::expire() {
    const auto now = clock_.steady_now();
    for (auto& [user, person] : people_) {
        if (person.state != PresenceState::offline && person.polls == 0 && now - person.seen_at > kGoneAfter)
            change(user, person, PresenceState::offline);
    }
}

const Presence::Known* Presence::find(identity::UserNumber user) const {
    const auto at = people_.find(user);
    return at == people_.end() ? nullptr : &at->second;
}

std::vector<Presence::Change> Presence::changed_since(std::int64_t position, std::size_t limit) const {
    std::vector<Change> changes;
    for (auto at = order_.rbegin(); at != order_.rend() && at->first > position && changes.size() < limit;
         ++at) {
        const auto& person = people_.at(at->second);
        if (position == 0 && person.state == PresenceState::offline && person.status_message.empty())
            continue;
        changes.push_back({at->second, person});
    }
    return changes;
}

std::vector<identity::UserNumber> Presence::take_news() {
    std::ranges::sort(news_);
    const auto doubles = std::ranges::unique(news_);
    news_.erase(doubles.begin(), doubles.end());
    return std::exchange(news_, {});
}

std::string Presence::content(const Known& known, std::int64_t now_ms) {
    std::string out(R"({"presence":")");
    out.append(to_string(known.state)).push_back('"');
    if (known.last_active_ms > 0) {
        out.append(R"(,"last_active_ago":)")
            .append(std::to_string(std::max<std::int64_t>(0, now_ms - known.last_active_ms)));
    }
    if (known.state == PresenceState::online) out.append(R"(,"currently_active":true)");
    if (!known.status_message.empty()) {
        out.append(R"(,"status_msg":)");
        append_canonical_string(out, known.status_message);
    }
    out.push_back('}');
    return out;
}

}  // namespace chat
