#include "push/push_rules.h"

#include "push/default_rules.h"
#include "sync/filter.h"

#include <algorithm>
#include <charconv>

namespace chat {
namespace {

constexpr std::array<std::string_view, kRuleKinds> kKindNames = {"override", "content", "room", "sender",
                                                                 "underride"};
constexpr std::string_view kMasterRule = ".m.rule.master";
/// Stands for the id of the rules' owner; no text that a client may write is it.
constexpr std::string_view kOwnId = "\xff";

/// "==2", "<10", ">=3", "5"; false where it is none of these.
bool read_comparison(std::string_view text, PushCondition& condition) {
    using Compare = PushCondition::Compare;
    constexpr std::array<std::pair<std::string_view, Compare>, 5> kOperators = {{{"==", Compare::equal},
                                                                                 {"<=", Compare::at_most},
                                                                                 {">=", Compare::at_least},
                                                                                 {"<", Compare::less},
                                                                                 {">", Compare::greater}}};
    for (const auto& [sign, compare] : kOperators) {
        if (!text.starts_with(sign)) continue;
        text.remove_prefix(sign.size());
        condition.compare = compare;
        break;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), condition.number);
    return error == std::errc{} && end == text.data() + text.size();
}

PushCondition compile_condition(const base::json::value& json) {
    using Test = PushCondition::Test;
    PushCondition condition;
    const auto* object = json.if_object();
    if (object == nullptr) return condition;
    const auto kind = base::get_string(*object, "kind").value_or("");
    const auto key = base::get_string(*object, "key");
    if (kind == "event_match") {
        const auto pattern = base::get_string(*object, "pattern");
        if (!key || !pattern) return condition;
        condition.test = Test::event_match;
        condition.path = split_path(*key);
        condition.is_body = *key == "content.body";
        condition.text = *pattern;
        condition.is_own_id = *pattern == kOwnId;
    } else if (kind == "event_property_is" || kind == "event_property_contains") {
        const auto* value = object->if_contains("value");
        if (!key || value == nullptr || value->is_structured() || value->is_double()) return condition;
        condition.test = kind == "event_property_is" ? Test::property_is : Test::property_contains;
        condition.path = split_path(*key);
        condition.value = *value;
        condition.is_own_id = value->is_string() && std::string_view(value->get_string()) == kOwnId;
    } else if (kind == "contains_display_name") {
        condition.test = Test::display_name;
    } else if (kind == "room_member_count") {
        if (read_comparison(base::get_string(*object, "is").value_or(""), condition))
            condition.test = Test::member_count;
    } else if (kind == "sender_notification_permission" && key) {
        condition.test = Test::sender_permission;
        condition.text = *key;
    }
    return condition;
}

PushCondition match(std::vector<std::string> path, std::string text, bool is_body = false) {
    PushCondition condition;
    condition.test = PushCondition::Test::event_match;
    condition.path = std::move(path);
    condition.text = std::move(text);
    condition.is_body = is_body;
    return condition;
}

/// A rule's id is compared as it is, not as a pattern: '*' may stand in it.
PushCondition equals(std::string member, std::string_view text) {
    PushCondition condition;
    condition.test = PushCondition::Test::property_is;
    condition.path = {std::move(member)};
    condition.value = base::json::string(text);
    return condition;
}

std::optional<PushRule> read_rule(RuleKind kind, const base::json::value& json) {
    const auto* object = json.if_object();
    if (object == nullptr) return std::nullopt;
    const auto id = base::get_string(*object, "rule_id");
    const auto* actions = base::get_array(*object, "actions");
    if (!id || actions == nullptr) return std::nullopt;
    PushRule rule;
    rule.id = *id;
    rule.is_default = id->starts_with('.');
    rule.is_enabled = base::get_bool(*object, "enabled").value_or(true);
    rule.actions = *actions;
    if (const auto* conditions = base::get_array(*object, "conditions")) rule.conditions = *conditions;
    rule.pattern = base::get_string(*object, "pattern").value_or("");
    rule.compile(kind);
    return rule;
}

}  // namespace

std::string_view to_string(RuleKind kind) {
    return kKindNames[static_cast<std::size_t>(kind)];
}

std::optional<RuleKind> parse_rule_kind(std::string_view text) {
    const auto at = std::ranges::find(kKindNames, text);
    if (at == kKindNames.end()) return std::nullopt;
    return static_cast<RuleKind>(at - kKindNames.begin());
}

void PushRule::compile(RuleKind kind) {
    compiled.clear();
    switch (kind) {
        case RuleKind::override_rule:
        case RuleKind::underride:
            for (const auto& condition : conditions) compiled.push_back(compile_condition(condition));
            break;
        case RuleKind::content:
            compiled.push_back(match({"content", "body"}, pattern, true));
            break;
        case RuleKind::room:
            compiled.push_back(equals("room_id", id));
            break;
        case RuleKind::sender:
            compiled.push_back(equals("sender", id));
            break;
    }
    notifies = false;
    highlights = false;
    for (const auto& action : actions) {
        if (action.is_string() && action.get_string() == "notify") notifies = true;
        const auto* tweak = action.if_object();
        if (tweak == nullptr || base::get_string(*tweak, "set_tweak") != "highlight") continue;
        const auto* value = tweak->if_contains("value");
        highlights = value == nullptr || (value->is_bool() && value->get_bool());
    }
}

const PushRule* PushRules::find(RuleKind kind, std::string_view id) const {
    const auto& rules = of(kind);
    const auto at = std::ranges::find(rules, id, &PushRule::id);
    return at == rules.end() ? nullptr : &*at;
}

PushRule* PushRules::find(RuleKind kind, std::string_view id) {
    auto& rules = of(kind);
    const auto at = std::ranges::find(rules, id, &PushRule::id);
    return at == rules.end() ? nullptr : &*at;
}

PushRules default_push_rules(std::string_view user_id) {
    return default_rules(user_id);
}

std::shared_ptr<const PushRules> shared_default_rules() {
    static const auto rules = std::make_shared<const PushRules>(default_rules(kOwnId));
    return rules;
}

PushRules read_push_rules(std::string_view user_id, const base::json::object& content) {
    PushRules rules = default_rules(user_id);
    const auto* global = base::get_object(content, "global");
    if (global == nullptr) return rules;
    for (std::size_t i = 0; i < kRuleKinds; ++i) {
        const auto kind = static_cast<RuleKind>(i);
        const auto* list = base::get_array(*global, to_string(kind));
        if (list == nullptr) continue;
        std::vector<PushRule> own;
        for (const auto& json : *list) {
            auto rule = read_rule(kind, json);
            if (!rule) continue;
            if (!rule->is_default) {
                own.push_back(std::move(*rule));
            } else if (auto* standing = rules.find(kind, rule->id)) {
                standing->is_enabled = rule->is_enabled;
                standing->actions = std::move(rule->actions);
                standing->compile(kind);
            }
        }
        auto& all = rules.of(kind);
        const bool has_master = !all.empty() && all.front().id == kMasterRule;
        all.insert(all.begin() + (has_master ? 1 : 0), std::make_move_iterator(own.begin()),
                   std::make_move_iterator(own.end()));
    }
    return rules;
}

base::json::object rule_json(RuleKind kind, const PushRule& rule) {
    base::json::object json;
    json["rule_id"] = rule.id;
    json["default"] = rule.is_default;
    json["enabled"] = rule.is_enabled;
    json["actions"] = rule.actions;
    if (kind == RuleKind::override_rule || kind == RuleKind::underride) json["conditions"] = rule.conditions;
    if (kind == RuleKind::content) json["pattern"] = rule.pattern;
    return json;
}

base::json::object ruleset_json(const PushRules& rules) {
    base::json::object json;
    for (std::size_t i = 0; i < kRuleKinds; ++i) {
        const auto kind = static_cast<RuleKind>(i);
        base::json::array list;
        for (const auto& rule : rules.of(kind)) list.emplace_back(rule_json(kind, rule));
        json[to_string(kind)] = std::move(list);
    }
    return json;
}

base::json::object push_rules_content(const PushRules& rules) {
    base::json::object content;
    content["global"] = ruleset_json(rules);
    return content;
}

}  // namespace chat
