#include "excerpt.h"

#include "answer_store.h"
#include "labels.h"
#include "offline/features.h"

#include <algorithm>
#include <cctype>

#include <base/encoding.h>
#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;

/// People of the room whose names are looked for in the texts; in a larger room the speakers' are.
constexpr std::size_t kNamesLimit = 200;

/// A line that quotes, and no emoticon (">_<", ">.>").
bool is_quote(std::string_view line) {
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] != '>') return false;
    line.remove_prefix(first + 1);
    if (line.empty() || line.front() == ' ' || line.front() == '\t') return true;
    constexpr std::size_t kEmoticonBytes = 2;
    const auto c = static_cast<unsigned char>(line.front());
    const bool begins_words =
        std::isalnum(c) != 0 || c >= 0x80 || std::string_view("<\"'@(*[`>").contains(line.front());
    return begins_words && line.size() > kEmoticonBytes;
}

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

std::string hide_person(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber user,
                        bool chinese, Names& names) {
    const auto name = display_name_of(tx, user);
    const auto user_id = identity::user_id_of(tx, user).value;
    auto stand_in = names.stand_in(name, chinese);
    names.add_alias(name, user_id);
    if (const auto member = room.state("m.room.member", user_id)) {
        if (const auto here = base::get_string(*member, "displayname"); here && !here->empty())
            names.add_alias(name, *here);
    }
    return stand_in;
}

bool is_reply(const json::object& content) {
    const auto* relates = base::get_object(content, "m.relates_to");
    return relates != nullptr && base::get_object(*relates, "m.in_reply_to") != nullptr;
}

}  // namespace

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

bool Excerpt::has_words_of_others() const {
    return std::ranges::any_of(lines, [](const ExcerptLine& line) { return !line.own; });
}

std::optional<std::string> text_of(const chat::ReadEvent& event) {
    if (event.type != "m.room.message" || event.is_state || event.is_redacted) return std::nullopt;
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

std::string without_quotes(std::string_view text) {
    std::string kept;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (is_quote(line)) continue;
        if (!kept.empty()) kept += '\n';
        kept += line;
    }
    return kept;
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

void hide_people(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber caller,
                 identity::UserNumber assistant, bool chinese, Names& names) {
    for (const auto user : room.joined(kNamesLimit)) {
        if (user != caller && user != assistant) hide_person(tx, room, user, chinese, names);
    }
}

Excerpt gather_excerpt(storage::Transaction& tx, chat::RoomReading& room, const ExcerptWish& wish) {
    Excerpt excerpt;
    struct Found {
        chat::ReadEvent event;
        std::string text;
        bool own;
        identity::UserNumber author;  ///< none: nobody's words
    };
    std::vector<Found> found;
    std::vector<std::string> seen;
    for (const std::string& event_id : wish.event_ids) {
        if (std::ranges::find(seen, event_id) != seen.end()) continue;
        seen.push_back(event_id);
        auto event = room.event(event_id);
        if (!event) {
            excerpt.dropped.emplace_back(event_id, DropReason::not_visible);
        } else if (event->is_redacted) {
            excerpt.dropped.emplace_back(event_id, DropReason::redacted);
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
            if (*author && *author != wish.caller) {
                const auto user_id = identity::user_id_of(tx, *author).value;
                if (!wish.destination || !has_agreed(room, user_id, wish.purpose, *wish.destination)) {
                    excerpt.dropped.emplace_back(event_id, DropReason::no_consent);
                    if (std::ranges::find(excerpt.unwilling_user_ids, user_id) ==
                        excerpt.unwilling_user_ids.end())
                        excerpt.unwilling_user_ids.push_back(user_id);
                    continue;
                }
                if (std::ranges::find(excerpt.consenting_user_ids, user_id) ==
                    excerpt.consenting_user_ids.end())
                    excerpt.consenting_user_ids.push_back(user_id);
            }
            found.push_back({std::move(*event), std::move(*text), own, *author});
        }
    }
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
    for (const Found& item : found) all += item.text;
    const bool chinese = is_mostly_chinese(all);
    const auto hide_name = [&](identity::UserNumber user) {
        return hide_person(tx, room, user, chinese, excerpt.names);
    };
    // Speakers first, so that they are A, B, …
    for (const Found& item : found) {
        if (!item.own && item.event.sender != wish.assistant) hide_name(item.event.sender);
    }
    hide_people(tx, room, wish.caller, wish.assistant, chinese, excerpt.names);
    for (Found& item : found) {
        excerpt.lines.push_back({.event_id = item.event.id.value,
                                 .own = item.own,
                                 .speaker = item.own ? "me"
                                            : item.event.sender == wish.assistant
                                                ? "AI assistant"
                                                : hide_name(item.event.sender),
                                 .text = excerpt.names.hide(item.text)});
        excerpt.used.push_back(item.event.id.value);
        if (item.author && std::ranges::find(excerpt.whose, item.author) == excerpt.whose.end())
            excerpt.whose.push_back(item.author);
    }
    return excerpt;
}

}  // namespace assistant
