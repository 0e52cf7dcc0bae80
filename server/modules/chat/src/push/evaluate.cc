#include "push/evaluate.h"

#include "push/glob.h"

#include <algorithm>
#include <span>

namespace chat {
namespace {

/// What the path names; null where there is nothing.
const base::json::value* follow(const base::json::object& event, std::span<const std::string> path) {
    const base::json::object* object = &event;
    for (std::size_t i = 0;; ++i) {
        const auto* value = object->if_contains(path[i]);
        if (value == nullptr || i + 1 == path.size()) return value;
        object = value->if_object();
        if (object == nullptr) return nullptr;
    }
}

bool is_room_id(const PushCondition& condition) {
    return condition.path.size() == 1 && condition.path.front() == "room_id";
}

bool matches_event(const PushCondition& condition, const PushSubject& subject) {
    if (is_room_id(condition)) return matches_glob(condition.text, subject.room_id);
    const auto* value = follow(subject.event, condition.path);
    if (value == nullptr || !value->is_string()) return false;
    const std::string_view text = value->get_string();
    if (condition.is_own_id) return text == subject.user_id;
    return condition.is_body ? matches_word(condition.text, text) : matches_glob(condition.text, text);
}

/// Strings, integers, booleans and null, without casting between them.
bool same(const base::json::value& a, const base::json::value& b) {
    return a.kind() == b.kind() && !a.is_structured() && !a.is_double() && a == b;
}

bool has_property(const PushCondition& condition, const PushSubject& subject) {
    if (is_room_id(condition))
        return condition.value.is_string() &&
               std::string_view(condition.value.get_string()) == subject.room_id;
    const auto* value = follow(subject.event, condition.path);
    if (value != nullptr && condition.is_own_id)
        return value->is_string() && std::string_view(value->get_string()) == subject.user_id;
    return value != nullptr && same(*value, condition.value);
}

bool contains_property(const PushCondition& condition, const PushSubject& subject) {
    const auto* value = follow(subject.event, condition.path);
    if (value == nullptr || !value->is_array()) return false;
    return std::ranges::any_of(value->get_array(), [&](const auto& item) {
        if (!condition.is_own_id) return same(item, condition.value);
        return item.is_string() && std::string_view(item.get_string()) == subject.user_id;
    });
}

bool mentions_name(const PushSubject& subject) {
    if (subject.display_name.empty()) return false;
    const auto* content = base::get_object(subject.event, "content");
    if (content == nullptr) return false;
    const auto body = base::get_string(*content, "body");
    if (!body) return false;
    // A name is no pattern, though it may hold what looks like one.
    std::string name;
    for (const char c : subject.display_name) name.push_back(c == '*' ? '?' : c);
    return matches_word(name, *body);
}

bool compares(const PushCondition& condition, std::int64_t number) {
    using Compare = PushCondition::Compare;
    switch (condition.compare) {
        case Compare::equal:
            return number == condition.number;
        case Compare::less:
            return number < condition.number;
        case Compare::greater:
            return number > condition.number;
        case Compare::at_least:
            return number >= condition.number;
        case Compare::at_most:
            return number <= condition.number;
    }
    return false;
}

bool may_notify(const PushCondition& condition, const PushSubject& subject) {
    const auto* levels = subject.levels ? subject.levels() : nullptr;
    return levels != nullptr && levels->of_user(subject.sender) >= levels->of_notification(condition.text);
}

bool holds(const PushCondition& condition, const PushSubject& subject) {
    using Test = PushCondition::Test;
    switch (condition.test) {
        case Test::event_match:
            return matches_event(condition, subject);
        case Test::property_is:
            return has_property(condition, subject);
        case Test::property_contains:
            return contains_property(condition, subject);
        case Test::display_name:
            return mentions_name(subject);
        case Test::member_count:
            return compares(condition, subject.joined_members);
        case Test::sender_permission:
            return may_notify(condition, subject);
        case Test::never:
            return false;
    }
    return false;
}

}  // namespace

const PushRule* matching_rule(const PushRules& rules, const PushSubject& subject) {
    for (const auto& kind : rules.kinds) {
        for (const auto& rule : kind) {
            if (rule.is_enabled &&
                std::ranges::all_of(rule.compiled, [&](const auto& c) { return holds(c, subject); }))
                return &rule;
        }
    }
    return nullptr;
}

}  // namespace chat
