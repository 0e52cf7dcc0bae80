#include "excerpt.h"

#include "answer_store.h"
#include "labels.h"
#include "offline/features.h"
#include "quotes.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <base/encoding.h>
#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;

/// People of the room whose names are looked for in the texts; in a larger room the speakers' are.
constexpr std::size_t kNamesLimit = 200;
constexpr std::size_t kUserIdLimitBytes = 255;
/// Set by our client on what is forwarded; it does not say whose it was.
constexpr std::string_view kForwarded = "im.lingxi.forwarded";

/// Whose words a message holds: its sender's. What a model said as @assistant may repeat the words of whom it
/// answered, and counts as theirs; its own statements are nobody's (none). Nothing where nobody knows any
/// more.
std::optional<identity::UserNumber> author_of(storage::Transaction& tx, const chat::ReadEvent& event,
                                              identity::UserNumber assistant) {
    if (event.sender != assistant) return event.sender;
    if (const auto answer = find_answer_by_its_event(tx, event.id.value)) return answer->asker;
    if (event.content.contains(kLabelKey) || event.latest.contains(kLabelKey)) return std::nullopt;
    return identity::UserNumber{};
}

std::string display_name_of(storage::Transaction& tx, identity::UserNumber user) {
    if (auto name = identity::member_profile_of(tx, user).display_name; name && !name->empty()) return *name;
    return std::string(identity::localpart_of(identity::user_id_of(tx, user).value));
}

/// The lines of a reply's fallback stand first and begin with "> " (older clients write them still).
std::string_view after_fallback(std::string_view body) {
    while (body.starts_with("> ") || body.starts_with(">\n")) {
        const auto end = body.find('\n');
        if (end == std::string_view::npos) return {};
        body.remove_prefix(end + 1);
    }
    while (body.starts_with('\n')) body.remove_prefix(1);
    return body;
}

/// What somebody calls the people whom they know, by their ids: their client shows it, and so they write it.
using Remarks = json::object;

Remarks remarks_of(storage::Transaction& tx, identity::UserNumber user) {
    return chat::account_data(tx, user, "im.lingxi.remarks").value_or(Remarks{});
}

void know_person(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber user,
                 const Remarks& remarks, bool chinese, Names& names) {
    const auto name = display_name_of(tx, user);
    const auto user_id = identity::user_id_of(tx, user).value;
    names.add(name, chinese);
    names.add_alias(name, user_id);
    names.add_handle(name, identity::localpart_of(user_id));
    const auto here = room.name_of_member(user_id);
    if (!here.empty()) names.add_alias(name, here);
    if (const auto remark = base::get_string(remarks, user_id)) names.add_remark(name, *remark);
}

/// The people of this server whose ids stand in the text.
std::vector<identity::UserNumber> named_by_id(storage::Transaction& tx, std::string_view text) {
    std::vector<identity::UserNumber> people;
    const auto server = identity::server_name(tx);
    if (!server) return people;
    const std::string ending = ":" + *server;
    std::size_t looked_for = 0;
    for (auto at = text.find('@'); at != std::string_view::npos && looked_for < kNamesLimit;
         at = text.find('@', at + 1)) {
        const auto end = text.substr(at, kUserIdLimitBytes).find(ending);
        if (end == std::string_view::npos) continue;
        const auto user_id = text.substr(at, end + ending.size());
        if (user_id.find_first_of("@ \n", 1) != std::string_view::npos) continue;
        ++looked_for;
        if (const auto user = identity::find_user(tx, user_id)) people.push_back(*user);
    }
    return people;
}

bool is_edit(const json::object& content) {
    const auto* relates = base::get_object(content, "m.relates_to");
    return relates != nullptr && base::get_string(*relates, "rel_type") == "m.replace";
}

bool is_reply(const json::object& content) {
    const auto* relates = base::get_object(content, "m.relates_to");
    return relates != nullptr && base::get_object(*relates, "m.in_reply_to") != nullptr;
}

struct Found {
    chat::ReadEvent event;
    std::string text;
    bool own;
    identity::UserNumber author;  ///< none: nobody's words
};

/// Of everybody whose words these are but the caller: what holds of their answers.
using Consents = std::map<identity::UserNumber, std::optional<json::object>>;

bool is_given(const std::optional<json::object>& consent, Purpose purpose, const Destination& destination) {
    return consent && agrees(*consent, purpose, destination);
}

}  // namespace

const Candidate* first_of(const std::vector<Candidate>& candidates) {
    const auto running = std::ranges::find(candidates, false, &Candidate::is_resting);
    if (running != candidates.end()) return &*running;
    return candidates.empty() ? nullptr : &candidates.front();
}

const Candidate* choose_server(const std::vector<Candidate>& candidates, std::size_t people,
                               const std::function<std::size_t(const Destination&)>& agreed_to) {
    const Candidate* best = nullptr;
    // All of them goes before what runs, what runs before how many.
    auto best_rank = std::tuple(false, false, std::size_t{0});
    for (const Candidate& candidate : candidates) {
        const std::size_t agreed = agreed_to(candidate.destination);
        if (agreed == 0) continue;
        const auto rank = std::tuple(agreed == people, !candidate.is_resting, agreed);
        if (best != nullptr && rank <= best_rank) continue;
        best = &candidate;
        best_rank = rank;
    }
    if (best != nullptr) return best;
    // Nobody agreed to any: one that rests is nothing to ask them for.
    const Candidate* first = first_of(candidates);
    return people > 0 && first != nullptr && first->is_resting ? nullptr : first;
}

std::string_view to_string(DropReason reason) {
    switch (reason) {
        case DropReason::not_visible:
            return "not_visible";
        case DropReason::redacted:
            return "redacted";
        case DropReason::no_consent:
            return "no_consent";
        case DropReason::not_text:
            return "not_text";
        case DropReason::over_limit:
            return "over_limit";
    }
    return "not_visible";
}

void Excerpt::go_to(const Candidate* chosen) {
    destination = chosen == nullptr ? std::nullopt : std::optional(chosen->destination);
    destination_rests = chosen != nullptr && chosen->is_resting;
}

bool Excerpt::has_words_of_others() const {
    return std::ranges::any_of(lines, [](const ExcerptLine& line) { return !line.own; });
}

std::optional<std::string> text_of(const chat::ReadEvent& event) {
    if (event.type != "m.room.message" || event.is_state || event.is_redacted || is_edit(event.content))
        return std::nullopt;
    const auto msgtype = base::get_string(event.latest, "msgtype");
    if (msgtype != "m.text" && msgtype != "m.notice" && msgtype != "m.emote") return std::nullopt;
    const auto body = base::get_string(event.latest, "body");
    if (!body) return std::nullopt;
    // An edit's new content has no relation of its own: the first content tells whether there is a fallback.
    const std::string_view text =
        is_reply(event.content) || is_reply(event.latest) ? after_fallback(*body) : *body;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::nullopt;
    return std::string(text);
}

bool is_forwarded(const chat::ReadEvent& event) {
    return event.content.contains(kForwarded) || event.latest.contains(kForwarded);
}

std::string mentioned_ids(const chat::ReadEvent& event) {
    std::string ids;
    const auto* mentions = base::get_object(event.latest, "m.mentions");
    const auto* users = mentions ? base::get_array(*mentions, "user_ids") : nullptr;
    if (users == nullptr) return ids;
    for (const auto& value : *users) {
        if (const auto* user_id = value.if_string()) ids.append(*user_id).append(" ");
    }
    return ids;
}

std::optional<std::string> own_text_of(const chat::ReadEvent& event) {
    auto text = text_of(event);
    if (!text) return std::nullopt;
    auto own = without_quotes(*text);
    if (own.find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
    return own;
}

bool is_mostly_chinese(std::string_view text) {
    return offline::language_of(text) == offline::Language::chinese;
}

void know_people(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber caller,
                 identity::UserNumber assistant, std::string_view text, bool chinese, Names& names) {
    auto people = named_by_id(tx, text);
    const auto here = room.people(kNamesLimit);
    people.insert(people.end(), here.begin(), here.end());
    const auto remarks = remarks_of(tx, caller);
    std::set<identity::UserNumber> known{caller, assistant};
    for (const auto user : people) {
        if (known.size() >= kNamesLimit + 2) break;
        if (known.insert(user).second) know_person(tx, room, user, remarks, chinese, names);
    }
}

Excerpt gather_excerpt(storage::Transaction& tx, chat::RoomReading& room, const ExcerptWish& wish) {
    Excerpt excerpt;
    std::vector<Found> found;
    Consents consents;
    std::vector<std::string> seen;
    for (const std::string& event_id : wish.event_ids) {
        if (std::ranges::find(seen, event_id) != seen.end()) continue;
        seen.push_back(event_id);
        auto event = room.event(event_id);
        if (!event) {
            excerpt.dropped.emplace_back(event_id, DropReason::not_visible);
        } else if (event->is_redacted) {
            excerpt.dropped.emplace_back(event_id, DropReason::redacted);
        } else if (is_forwarded(*event)) {
            excerpt.dropped.emplace_back(event_id, DropReason::no_consent);
        } else if (auto text = own_text_of(*event); !text) {
            excerpt.dropped.emplace_back(event_id, DropReason::not_text);
        } else if (text->size() > kExcerptLineLimitBytes) {
            excerpt.dropped.emplace_back(event_id, DropReason::over_limit);
        } else {
            const bool own = event->sender == wish.caller;
            const auto author = author_of(tx, *event, wish.assistant);
            if (!author) {
                excerpt.dropped.emplace_back(event_id, DropReason::no_consent);
                continue;
            }
            if (*author && *author != wish.caller && !consents.contains(*author))
                consents.emplace(*author, consent_in_force(tx, room, *author));
            found.push_back({std::move(*event), std::move(*text), own, *author});
        }
    }
    excerpt.go_to(choose_server(wish.candidates, consents.size(), [&](const Destination& destination) {
        return static_cast<std::size_t>(std::ranges::count_if(
            consents, [&](const auto& entry) { return is_given(entry.second, wish.purpose, destination); }));
    }));
    for (const auto& [person, consent] : consents) {
        if (excerpt.destination && is_given(consent, wish.purpose, *excerpt.destination)) {
            excerpt.consenting.push_back(person);
            excerpt.agreed.take(*consent);
        } else {
            excerpt.unwilling_user_ids.push_back(identity::user_id_of(tx, person).value);
        }
    }
    const auto may_go = [&](const Found& item) {
        return !consents.contains(item.author) ||
               std::ranges::find(excerpt.consenting, item.author) != excerpt.consenting.end();
    };
    for (const Found& item : found)
        if (!may_go(item)) excerpt.dropped.emplace_back(item.event.id.value, DropReason::no_consent);
    std::erase_if(found, [&](const Found& item) { return !may_go(item); });
    std::ranges::sort(found, {}, [](const Found& item) { return item.event.position; });

    // The newest fit first; what is older is what a limit costs.
    std::size_t bytes = 0;
    auto first = found.end();
    while (first != found.begin() && bytes + std::prev(first)->text.size() <= kExcerptLimitBytes) {
        --first;
        bytes += first->text.size();
    }
    for (auto it = found.begin(); it != first; ++it)
        excerpt.dropped.emplace_back(it->event.id.value, DropReason::over_limit);
    found.erase(found.begin(), first);

    std::string all;
    std::string mentioned;
    for (const Found& item : found) {
        all.append(item.text).append("\n");
        mentioned += mentioned_ids(item.event);
    }
    excerpt.names.avoid(all);
    const bool chinese = is_mostly_chinese(all);
    const auto remarks = remarks_of(tx, wish.caller);
    // Speakers first, so that they are A, B, …
    for (const Found& item : found) {
        if (!item.own && item.event.sender != wish.assistant)
            know_person(tx, room, item.event.sender, remarks, chinese, excerpt.names);
    }
    know_people(tx, room, wish.caller, wish.assistant, all + mentioned, chinese, excerpt.names);
    for (Found& item : found) {
        const auto speaker = [&]() -> std::string {
            if (item.own) return "me";
            if (item.event.sender == wish.assistant) return "AI assistant";
            return excerpt.names.stand_in(display_name_of(tx, item.event.sender), chinese);
        };
        excerpt.lines.push_back({.event_id = item.event.id.value,
                                 .own = item.own,
                                 .speaker = speaker(),
                                 .text = excerpt.names.hide(item.text)});
        excerpt.used.push_back(item.event.id.value);
        excerpt.versions.push_back(item.event.version());
        if (item.author && std::ranges::find(excerpt.whose, item.author) == excerpt.whose.end())
            excerpt.whose.push_back(item.author);
    }
    return excerpt;
}

}  // namespace assistant
