#include "sync/presence.h"

#include "event/canonical_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chat {
namespace {

/// A client that does not ask again within this time is gone.
constexpr std::chrono::seconds kGoneAfter{45};
/// The same where its device says something else meanwhile. Longer than a client takes from one answer to its
/// next request: two windows of one device, one of them idle, are woken together and may come back in any
/// order.
constexpr std::chrono::seconds kOverruledAfter{5};
/// Of those that are not asking any more.
constexpr std::ptrdiff_t kVoicesLimit = 32;

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
    person.is_restored = false;
    note_whereabouts(user, person);
}

void Presence::note_whereabouts(identity::UserNumber user, const Person& person) {
    if ((person.state != PresenceState::offline) != person.is_stored_here) {
        unstored_.insert(user);
    } else {
        unstored_.erase(user);
    }
}

bool Presence::hears_first_of(Person& person) {
    if (!person.is_restored) return false;
    person.voices.clear();
    return true;
}

void Presence::tell(identity::UserNumber user, Person& person, bool is_news) {
    auto state = PresenceState::offline;
    for (const auto& voice : person.voices) state = std::max(state, voice.says);
    if (is_news || person.state != state) change(user, person, state);
}

void Presence::add_voice(Person& person, const Voice& voice) {
    auto& voices = person.voices;
    std::erase_if(voices, [&](const Voice& other) {
        return !other.is_asking && other.device == voice.device && other.says == voice.says;
    });
    // Whoever logs in again and again leaves devices behind.
    const auto is_over = [](const Voice& other) { return !other.is_asking; };
    if (std::ranges::count_if(voices, is_over) >= kVoicesLimit)
        voices.erase(std::ranges::find_if(voices, is_over));
    voices.push_back(voice);
}

void Presence::speak(Person& person, const Voice& voice) {
    for (auto& other : person.voices) {
        if (other.device == voice.device && other.says != voice.says) other.is_overruled = true;
    }
    add_voice(person, voice);
}

std::uint64_t Presence::poll_begins(Speaker speaker, std::string_view user_id, PresenceState says) {
    if (says == PresenceState::offline) return 0;
    auto& person = people_[speaker.user];
    if (person.user_id.empty()) person.user_id = user_id;
    if (says == PresenceState::online) person.last_active_ms = clock_.now_ms();
    const bool is_first = hears_first_of(person);
    speak(person, {.poll = ++last_poll_, .device = speaker.device, .says = says, .is_asking = true});
    tell(speaker.user, person, is_first);
    return last_poll_;
}

void Presence::poll_ends(identity::UserNumber user, std::uint64_t poll) {
    const auto at = people_.find(user);
    if (at == people_.end() || poll == 0) return;
    const auto voice = std::ranges::find(at->second.voices, poll, &Voice::poll);
    if (voice == at->second.voices.end()) return;
    auto over = *voice;
    at->second.voices.erase(voice);
    over.is_asking = false;
    over.heard_at = clock_.steady_now();
    add_voice(at->second, over);
}

void Presence::set(Speaker speaker, std::string_view user_id, PresenceState state,
                   std::optional<std::string> status_message) {
    auto& person = people_[speaker.user];
    person.user_id = user_id;
    person.last_active_ms = clock_.now_ms();
    const bool is_first = hears_first_of(person);
    std::erase_if(person.voices,
                  [&](const Voice& voice) { return !voice.is_asking && voice.device == speaker.device; });
    for (auto& voice : person.voices) {
        if (voice.device == speaker.device) voice.says = state;
    }
    speak(person, {.device = speaker.device, .says = state, .heard_at = clock_.steady_now()});
    const bool says_more = status_message && *status_message != person.status_message;
    if (says_more) person.status_message = std::move(*status_message);
    tell(speaker.user, person, says_more || is_first);
}

void Presence::restore(identity::UserNumber user, std::string user_id, std::string status_message,
                       bool was_here) {
    auto& person = people_[user];
    person.user_id = std::move(user_id);
    person.status_message = std::move(status_message);
    person.position = ++restored_;
    order_.emplace(person.position, user);
    if (!was_here) return;
    person.state = PresenceState::online;
    person.is_restored = true;
    person.is_stored_here = true;
    add_voice(person, {.says = person.state, .heard_at = clock_.steady_now()});
}

void Presence::forget(identity::UserNumber user) {
    const auto at = people_.find(user);
    if (at == people_.end()) return;
    order_.erase(at->second.position);
    people_.erase(at);
}

void Presence::tell_again(identity::UserNumber user) {
    const auto at = people_.find(user);
    if (at != people_.end() && at->second.state != PresenceState::offline)
        change(user, at->second, at->second.state);
}

void Presence::expire() {
    const auto now = clock_.steady_now();
    for (auto& [user, person] : people_) {
        std::erase_if(person.voices, [now](const Voice& voice) {
            return !voice.is_asking &&
                   now - voice.heard_at > (voice.is_overruled ? kOverruledAfter : kGoneAfter);
        });
        tell(user, person);
    }
}

const Presence::Known* Presence::find(identity::UserNumber user) const {
    const auto at = people_.find(user);
    return at == people_.end() ? nullptr : &at->second;
}

bool Presence::is_worth_telling(const Known& person) {
    return person.state != PresenceState::offline || !person.status_message.empty();
}

std::vector<Presence::Change> Presence::changed_since(std::int64_t position, std::size_t limit) const {
    std::vector<Change> found;
    for (auto at = order_.upper_bound(position); at != order_.end(); ++at) {
        if (found.size() == limit) break;
        const auto& person = people_.at(at->second);
        if (position > 0 || is_worth_telling(person)) found.push_back({at->second, person});
    }
    return found;
}

std::int64_t Presence::page_end(std::int64_t position, std::size_t limit) const {
    std::size_t found = 0;
    for (auto at = order_.upper_bound(position); at != order_.end(); ++at) {
        if (position > 0 || is_worth_telling(people_.at(at->second))) ++found;
        if (found == limit && std::next(at) != order_.end()) return at->first;
    }
    return last_;
}

std::vector<Presence::Whereabouts> Presence::take_unstored(std::size_t limit) {
    std::vector<Whereabouts> taken;
    while (!unstored_.empty() && taken.size() < limit) {
        const auto user = *unstored_.begin();
        unstored_.erase(unstored_.begin());
        const auto at = people_.find(user);
        if (at == people_.end()) continue;  // forgotten since
        at->second.is_stored_here = at->second.state != PresenceState::offline;
        taken.push_back({user, at->second.is_stored_here});
    }
    return taken;
}

void Presence::keep_unstored(const std::vector<Whereabouts>& whereabouts) {
    for (const auto& [user, is_here] : whereabouts) {
        const auto at = people_.find(user);
        if (at == people_.end()) continue;
        at->second.is_stored_here = !is_here;
        note_whereabouts(user, at->second);
    }
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
