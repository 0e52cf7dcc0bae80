#include "push/edit_rules.h"

#include <algorithm>
#include <string>

namespace chat {
namespace {

using base::ErrorKind;

constexpr std::size_t kRuleIdLimitBytes = 512;
constexpr std::size_t kPatternLimitBytes = 512;
constexpr std::size_t kListLimit = 50;

std::unexpected<base::Error> invalid(std::string_view code, std::string message) {
    return base::fail(ErrorKind::invalid, code, std::move(message));
}
std::unexpected<base::Error> not_found() {
    return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "The push rule was not found.");
}

base::Result<void> check_id(RuleKind kind, std::string_view id) {
    if (id.empty() || id.size() > kRuleIdLimitBytes)
        return invalid("M_INVALID_PARAM", "A rule id has 1 to 512 bytes.");
    if (id.starts_with('.'))
        return invalid("M_INVALID_PARAM", "Rule ids that start with '.' are the server's.");
    if (id.find_first_of("/\\") != std::string_view::npos)
        return invalid("M_INVALID_PARAM", "A rule id holds no slash.");
    if (kind == RuleKind::room && !id.starts_with('!'))
        return invalid("M_INVALID_PARAM", "The id of a room rule is a room's id.");
    if (kind == RuleKind::sender && !id.starts_with('@'))
        return invalid("M_INVALID_PARAM", "The id of a sender rule is a user's id.");
    return {};
}

/// "dont_notify" and "coalesce" are history and mean nothing, but clients look for what they wrote.
base::Result<base::json::array> read_actions(const base::json::array& actions) {
    if (actions.size() > kListLimit) return invalid("M_BAD_JSON", "A rule has at most 50 actions.");
    base::json::array read;
    for (const auto& action : actions) {
        if (action.is_string()) {
            const std::string_view name = action.get_string();
            if (name != "notify" && name != "dont_notify" && name != "coalesce")
                return invalid("M_INVALID_PARAM", "An action is 'notify' or sets a tweak.");
        } else if (!action.is_object() || !base::get_string(action.get_object(), "set_tweak")) {
            return invalid("M_INVALID_PARAM", "An action is 'notify' or sets a tweak.");
        }
        read.push_back(action);
    }
    return read;
}

base::Result<base::json::array> read_conditions(const base::json::object& body) {
    const auto* value = body.if_contains("conditions");
    if (value == nullptr) return base::json::array{};
    if (!value->is_array() || value->get_array().size() > kListLimit)
        return invalid("M_BAD_JSON", "'conditions' is a list of at most 50.");
    for (const auto& condition : value->get_array()) {
        if (!condition.is_object() || !base::get_string(condition.get_object(), "kind"))
            return invalid("M_BAD_JSON", "A condition is an object with a kind.");
        const auto pattern = base::get_string(condition.get_object(), "pattern");
        if (pattern && pattern->size() > kPatternLimitBytes)
            return invalid("M_INVALID_PARAM", "A pattern has at most 512 bytes.");
    }
    return value->get_array();
}

base::Result<PushRule> read_body(RuleKind kind, std::string_view id, const base::json::object& body) {
    const auto* actions = body.if_contains("actions");
    if (actions == nullptr) return invalid("M_MISSING_PARAM", "'actions' is missing.");
    if (!actions->is_array()) return invalid("M_BAD_JSON", "'actions' is a list.");
    if (base::has_wrong_type(body, "pattern", base::json::kind::string))
        return invalid("M_BAD_JSON", "'pattern' is a string.");
    if (base::has_wrong_type(body, "conditions", base::json::kind::array))
        return invalid("M_BAD_JSON", "'conditions' is a list.");
    auto checked = read_actions(actions->get_array());
    if (!checked) return base::fail(std::move(checked.error()));
    PushRule rule;
    rule.id = id;
    rule.actions = std::move(*checked);
    if (kind == RuleKind::content) {
        const auto pattern = base::get_string(body, "pattern");
        if (!pattern) return invalid("M_MISSING_PARAM", "'pattern' is missing.");
        if (pattern->size() > kPatternLimitBytes)
            return invalid("M_INVALID_PARAM", "A pattern has at most 512 bytes.");
        rule.pattern = *pattern;
    }
    if (kind == RuleKind::override_rule || kind == RuleKind::underride) {
        auto conditions = read_conditions(body);
        if (!conditions) return base::fail(std::move(conditions.error()));
        rule.conditions = std::move(*conditions);
    }
    rule.compile(kind);
    return rule;
}

std::size_t own_rules(const PushRules& rules) {
    std::size_t count = 0;
    for (const auto& kind : rules.kinds)
        count += static_cast<std::size_t>(std::ranges::count(kind, false, &PushRule::is_default));
    return count;
}

using Iterator = std::vector<PushRule>::iterator;

base::Result<Iterator> own_rule(std::vector<PushRule>& list, std::string_view id) {
    const auto at = std::ranges::find(list, id, &PushRule::id);
    if (at == list.end() || at->is_default)
        return invalid("M_UNKNOWN", "before/after rule not found: " + std::string(id));
    return at;
}

}  // namespace

base::Result<void> put_rule(PushRules& rules, RuleKind kind, std::string_view id,
                            const base::json::object& body, std::optional<std::string_view> before,
                            std::optional<std::string_view> after) {
    if (auto checked = check_id(kind, id); !checked) return base::fail(std::move(checked.error()));
    auto rule = read_body(kind, id, body);
    if (!rule) return base::fail(std::move(rule.error()));
    auto& list = rules.of(kind);
    for (const auto& neighbour : {before, after}) {
        if (!neighbour) continue;
        if (*neighbour == id) return invalid("M_UNKNOWN", "A rule cannot stand beside itself.");
        if (auto at = own_rule(list, *neighbour); !at) return base::fail(std::move(at.error()));
    }
    auto standing = std::ranges::find(list, id, &PushRule::id);
    if (standing != list.end()) {
        rule->is_enabled = standing->is_enabled;
        if (!before && !after) {
            *standing = std::move(*rule);
            return {};
        }
        list.erase(standing);
    } else if (own_rules(rules) >= kOwnRuleLimit) {
        return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                          "At most 1000 rules can be added.");
    }
    if (before) {
        list.insert(std::ranges::find(list, *before, &PushRule::id), std::move(*rule));
    } else if (after) {
        list.insert(std::ranges::find(list, *after, &PushRule::id) + 1, std::move(*rule));
    } else {
        const bool has_master = !list.empty() && list.front().id == ".m.rule.master";
        list.insert(list.begin() + (has_master ? 1 : 0), std::move(*rule));
    }
    return {};
}

base::Result<void> delete_rule(PushRules& rules, RuleKind kind, std::string_view id) {
    auto& list = rules.of(kind);
    const auto at = std::ranges::find(list, id, &PushRule::id);
    if (at == list.end() || at->is_default) return not_found();
    list.erase(at);
    return {};
}

base::Result<void> set_rule_enabled(PushRules& rules, RuleKind kind, std::string_view id, bool is_enabled) {
    auto* rule = rules.find(kind, id);
    if (rule == nullptr) return not_found();
    rule->is_enabled = is_enabled;
    return {};
}

base::Result<void> set_rule_actions(PushRules& rules, RuleKind kind, std::string_view id,
                                    const base::json::array& actions) {
    auto* rule = rules.find(kind, id);
    if (rule == nullptr) return not_found();
    auto checked = read_actions(actions);
    if (!checked) return base::fail(std::move(checked.error()));
    rule->actions = std::move(*checked);
    rule->compile(kind);
    return {};
}

}  // namespace chat
