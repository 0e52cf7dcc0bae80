#pragma once

#include "push/push_rules.h"

#include <optional>
#include <string_view>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// The most rules that a person may add.
inline constexpr std::size_t kOwnRuleLimit = 1000;
/// All of a person's rules as they are stored: each change reads and writes them in the write job.
inline constexpr std::size_t kRulesLimitBytes = 256 * 1024;

/// Adds or changes a rule of the person's own. `before`/`after`: beside which of their rules it is to stand;
/// without them a new one stands first and an old one where it was. Errors: M_INVALID_PARAM (a rule id that
/// is reserved or malformed), M_MISSING_PARAM, M_BAD_JSON, M_UNKNOWN (before/after names no rule of theirs),
/// M_RESOURCE_LIMIT_EXCEEDED.
base::Result<void> put_rule(PushRules& rules, RuleKind kind, std::string_view id,
                            const base::json::object& body, std::optional<std::string_view> before,
                            std::optional<std::string_view> after);
/// Errors: M_NOT_FOUND (a default rule is none that could be deleted).
base::Result<void> delete_rule(PushRules& rules, RuleKind kind, std::string_view id);
/// Errors: M_NOT_FOUND.
base::Result<void> set_rule_enabled(PushRules& rules, RuleKind kind, std::string_view id, bool is_enabled);
/// Errors: M_NOT_FOUND, M_BAD_JSON.
base::Result<void> set_rule_actions(PushRules& rules, RuleKind kind, std::string_view id,
                                    const base::json::array& actions);

}  // namespace chat
