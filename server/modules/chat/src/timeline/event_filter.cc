#include "timeline/event_filter.h"

#include "timeline/event_json.h"

#include <algorithm>

namespace chat {
namespace {

constexpr std::size_t kFilterLimitBytes = 64 * 1024;
constexpr std::size_t kEntryLimit = 1000;
constexpr std::string_view kSenderKey = R"("sender":")";

std::unexpected<base::Error> bad_filter(std::string_view key) {
    return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                      "The filter's '" + std::string(key) + "' is not what the specification says.");
}

base::Result<std::optional<std::vector<std::string>>> read_strings(const base::json::object& object,
                                                                   std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return std::optional<std::vector<std::string>>{};
    if (!value->is_array() || value->get_array().size() > kEntryLimit) return bad_filter(key);
    std::vector<std::string> strings;
    for (const auto& entry : value->get_array()) {
        if (!entry.is_string()) return bad_filter(key);
        strings.emplace_back(entry.get_string());
    }
    return std::optional(std::move(strings));
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
    return std::ranges::any_of(patterns,
                               [&](const auto& pattern) { return matches_wildcard(pattern, text); });
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

}  // namespace

base::Result<RoomEventFilter> RoomEventFilter::parse(const base::json::object& object) {
    RoomEventFilter filter;
    const auto read = [&](std::string_view key, auto& into) -> base::Result<void> {
        auto strings = read_strings(object, key);
        if (!strings) return base::fail(std::move(strings.error()));
        if (*strings) into = std::move(**strings);
        return {};
    };
    if (auto done = read("types", filter.types); !done) return base::fail(std::move(done.error()));
    if (auto done = read("not_types", filter.not_types); !done) return base::fail(std::move(done.error()));
    if (auto done = read("senders", filter.senders); !done) return base::fail(std::move(done.error()));
    if (auto done = read("not_senders", filter.not_senders); !done)
        return base::fail(std::move(done.error()));
    if (auto done = read("rooms", filter.rooms); !done) return base::fail(std::move(done.error()));
    if (auto done = read("not_rooms", filter.not_rooms); !done) return base::fail(std::move(done.error()));
    if (const auto* limit = object.if_contains("limit")) {
        if (!limit->is_int64() || limit->get_int64() < 0) return bad_filter("limit");
        filter.limit = static_cast<std::size_t>(limit->get_int64());
    }
    for (const auto key :
         {"contains_url", "lazy_load_members", "include_redundant_members", "unread_thread_notifications"}) {
        if (base::has_wrong_type(object, key, base::json::kind::bool_)) return bad_filter(key);
    }
    filter.contains_url = base::get_bool(object, "contains_url");
    filter.lazy_load_members = base::get_bool(object, "lazy_load_members").value_or(false);
    filter.include_redundant_members = base::get_bool(object, "include_redundant_members").value_or(false);
    filter.unread_thread_notifications =
        base::get_bool(object, "unread_thread_notifications").value_or(false);
    return filter;
}

base::Result<RoomEventFilter> RoomEventFilter::parse_text(std::optional<std::string_view> text) {
    if (!text || text->empty()) return RoomEventFilter{};
    const auto value = base::parse_json(*text, kFilterLimitBytes);
    if (!value) return base::fail(value.error());
    if (!value->is_object()) return bad_filter("filter");
    return parse(value->get_object());
}

bool RoomEventFilter::allows_room(std::string_view room_id) const {
    return !contains(not_rooms, room_id) && (!rooms || contains(*rooms, room_id));
}

bool RoomEventFilter::allows_all() const {
    return !types && not_types.empty() && !senders && not_senders.empty() && !contains_url;
}

bool RoomEventFilter::allows_type(std::string_view type) const {
    return !any_matches(not_types, type) && (!types || any_matches(*types, type));
}

bool RoomEventFilter::allows_sender(std::string_view sender) const {
    return !contains(not_senders, sender) && (!senders || contains(*senders, sender));
}

bool RoomEventFilter::allows(const StoredEvent& event) const {
    if (allows_all()) return true;
    if (!allows_type(event.type)) return false;
    if ((senders || !not_senders.empty()) && !allows_sender(sender_in(event))) return false;
    if (contains_url) {
        const auto content = parse_content(event);
        const auto* url = content.if_contains("url");
        if ((url != nullptr && url->is_string()) != *contains_url) return false;
    }
    return true;
}

std::string_view sender_in(const StoredEvent& event) {
    // User ids hold no character that JSON escapes; a '"' of the type before it would be escaped.
    const std::string_view json = event.json;
    const auto at = json.find(kSenderKey);
    if (at == std::string_view::npos) return {};
    const auto from = at + kSenderKey.size();
    return json.substr(from, json.find('"', from) - from);
}

bool matches_wildcard(std::string_view pattern, std::string_view text) {
    // Greedy with one point to go back to: linear in practice, at worst the product of the lengths (255
    // each).
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace chat
