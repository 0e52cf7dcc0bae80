#pragma once

#include "event/power_levels.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// In the order in which they are asked; the first rule that matches decides.
enum class RuleKind : std::uint8_t { override_rule, content, room, sender, underride };
inline constexpr std::size_t kRuleKinds = 5;
std::string_view to_string(RuleKind kind);
std::optional<RuleKind> parse_rule_kind(std::string_view text);

/// One condition, made ready to be asked many times.
struct PushCondition {
    enum class Test : std::uint8_t {
        event_match,
        property_is,
        property_contains,
        display_name,
        member_count,
        sender_permission,
        never,  ///< a kind that this server does not know: never true
    };
    enum class Compare : std::uint8_t { equal, less, greater, at_least, at_most };

    Test test = Test::never;
    bool is_own_id = false;         ///< compares with the id of the rules' owner instead of `text` or `value`
    std::vector<std::string> path;  ///< event_match, property_*
    bool is_body = false;           ///< event_match on content.body: words rather than the whole
    std::string text;               ///< pattern, or the notification's key
    base::json::value value;        ///< property_*
    Compare compare = Compare::equal;
    std::int64_t number = 0;
};

struct PushRule {
    std::string id;
    bool is_default = false;
    bool is_enabled = true;
    base::json::array actions;
    base::json::array conditions;  ///< override and underride
    std::string pattern;           ///< content

    // Made from the above by compile().
    std::vector<PushCondition> compiled;
    bool notifies = false;
    bool highlights = false;

    void compile(RuleKind kind);
};

/// A person's rules, most important first within each kind.
struct PushRules {
    std::array<std::vector<PushRule>, kRuleKinds> kinds;

    std::vector<PushRule>& of(RuleKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
    const std::vector<PushRule>& of(RuleKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
    const PushRule* find(RuleKind kind, std::string_view id) const;
    PushRule* find(RuleKind kind, std::string_view id);
};

/// The rules that everybody begins with.
PushRules default_push_rules(std::string_view user_id);
/// The same for judging events alone: one copy for all whose rules they are, which knows nobody's id and asks
/// the subject for it.
std::shared_ptr<const PushRules> shared_default_rules();
/// The person's own rules and what they changed of the default ones, from the content of m.push_rules;
/// default rules that are newer than it are added. What is malformed is passed over: it was valid when it was
/// written.
PushRules read_push_rules(std::string_view user_id, const base::json::object& content);
base::json::object rule_json(RuleKind kind, const PushRule& rule);
/// {"override":[…],"content":[…],…}
base::json::object ruleset_json(const PushRules& rules);
/// The content of m.push_rules: {"global":{…}}.
base::json::object push_rules_content(const PushRules& rules);

}  // namespace chat
