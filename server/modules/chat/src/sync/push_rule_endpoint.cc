#include "push/edit_rules.h"
#include "sync/endpoints.h"
#include "sync/unread.h"

#include <functional>

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;

std::unexpected<base::Error> not_found() {
    return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "The push rule was not found.");
}

/// Answers with what `pick` finds in the caller's rules.
runtime::Task<net::Response> show_rules(
    SyncCore& core, net::Request request,
    std::move_only_function<base::Result<base::json::value>(const PushRules&)> pick) {
    auto found =
        co_await core.database.read([caller = caller_of(request), pick = std::move(pick)](
                                        storage::Transaction& tx) mutable -> base::Result<base::json::value> {
            return pick(load_settings(tx, caller.user, caller.user_id, nullptr)->own_rules());
        });
    if (!found) co_return matrix_error(found.error());
    co_return net::json(200, *found);
}

/// Shows one part of the rule that the path names.
runtime::Task<net::Response> show_rule(SyncCore& core, net::Request request,
                                       base::json::value (*part)(RuleKind, const PushRule&)) {
    const auto kind = parse_rule_kind(request.value("kind"));
    if (!kind) co_return matrix_error(not_found().error());
    auto id = request.value("ruleId");
    co_return co_await show_rules(
        core, std::move(request),
        [kind = *kind, id = std::move(id), part](const PushRules& rules) -> base::Result<base::json::value> {
            const auto* rule = rules.find(kind, id);
            if (rule == nullptr) return not_found();
            return part(kind, *rule);
        });
}

/// Changes the caller's rules and tells their devices.
runtime::Task<net::Response> change_rules(SyncCore& core, net::Request request,
                                          std::move_only_function<base::Result<void>(PushRules&)> change) {
    auto done = co_await core.database.write(
        {"user:" + std::to_string(caller_of(request).user.value)},
        [&core, caller = caller_of(request),
         change = std::move(change)](storage::Transaction& tx) mutable -> base::Result<void> {
            PushRules rules = load_settings(tx, caller.user, caller.user_id, nullptr)->own_rules();
            if (auto changed = change(rules); !changed) return changed;
            const auto text = base::json::serialize(push_rules_content(rules));
            if (text.size() > kRulesLimitBytes)
                return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                                  "The push rules have at most 256 KiB together.");
            write_account_data(core, tx, caller.user, RoomNumber{}, "m.push_rules", text);
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

}  // namespace

runtime::Task<net::Response> get_push_rules(SyncCore& core, net::Request request) {
    co_return co_await show_rules(core, std::move(request),
                                  [](const PushRules& rules) -> base::Result<base::json::value> {
                                      return base::json::value(push_rules_content(rules));
                                  });
}

runtime::Task<net::Response> get_push_rules_global(SyncCore& core, net::Request request) {
    co_return co_await show_rules(core, std::move(request),
                                  [](const PushRules& rules) -> base::Result<base::json::value> {
                                      return base::json::value(ruleset_json(rules));
                                  });
}

runtime::Task<net::Response> get_push_rules_of_kind(SyncCore& core, net::Request request) {
    auto kind = request.value("kind");
    co_return co_await show_rules(
        core, std::move(request),
        [kind = std::move(kind)](const PushRules& rules) -> base::Result<base::json::value> {
            const auto all = ruleset_json(rules);
            const auto* list = all.if_contains(kind);
            if (list == nullptr) return not_found();
            return *list;
        });
}

runtime::Task<net::Response> get_push_rule(SyncCore& core, net::Request request) {
    co_return co_await show_rule(core, std::move(request), [](RuleKind kind, const PushRule& rule) {
        return base::json::value(rule_json(kind, rule));
    });
}

runtime::Task<net::Response> is_push_rule_enabled(SyncCore& core, net::Request request) {
    co_return co_await show_rule(core, std::move(request), [](RuleKind, const PushRule& rule) {
        return base::json::value{{"enabled", rule.is_enabled}};
    });
}

runtime::Task<net::Response> get_push_rule_actions(SyncCore& core, net::Request request) {
    co_return co_await show_rule(core, std::move(request), [](RuleKind, const PushRule& rule) {
        return base::json::value{{"actions", rule.actions}};
    });
}

runtime::Task<net::Response> set_push_rule(SyncCore& core, net::Request request) {
    const auto kind = parse_rule_kind(request.value("kind"));
    if (!kind)
        co_return matrix_error(
            {ErrorKind::invalid, "M_INVALID_PARAM", "There is no such kind of push rule."});
    auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    const auto own = [&request](std::string_view name) -> std::optional<std::string> {
        const auto value = request.query.get(name);
        return value ? std::optional(std::string(*value)) : std::nullopt;
    };
    auto before = own("before");
    auto after = own("after");
    auto id = request.value("ruleId");
    co_return co_await change_rules(core, std::move(request),
                                    [kind = *kind, id = std::move(id), body = std::move(*body),
                                     before = std::move(before), after = std::move(after)](PushRules& rules) {
                                        return put_rule(rules, kind, id, body, before, after);
                                    });
}

runtime::Task<net::Response> delete_push_rule(SyncCore& core, net::Request request) {
    const auto kind = parse_rule_kind(request.value("kind"));
    if (!kind) co_return matrix_error(not_found().error());
    auto id = request.value("ruleId");
    co_return co_await change_rules(
        core, std::move(request),
        [kind = *kind, id = std::move(id)](PushRules& rules) { return delete_rule(rules, kind, id); });
}

runtime::Task<net::Response> set_push_rule_enabled(SyncCore& core, net::Request request) {
    const auto kind = parse_rule_kind(request.value("kind"));
    if (!kind) co_return matrix_error(not_found().error());
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    const auto is_enabled = base::get_bool(*body, "enabled");
    if (!is_enabled)
        co_return matrix_error({ErrorKind::invalid, "M_BAD_JSON", "'enabled' has to be true or false."});
    auto id = request.value("ruleId");
    co_return co_await change_rules(
        core, std::move(request),
        [kind = *kind, id = std::move(id), is_enabled = *is_enabled](PushRules& rules) {
            return set_rule_enabled(rules, kind, id, is_enabled);
        });
}

runtime::Task<net::Response> set_push_rule_actions(SyncCore& core, net::Request request) {
    const auto kind = parse_rule_kind(request.value("kind"));
    if (!kind) co_return matrix_error(not_found().error());
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    const auto* actions = base::get_array(*body, "actions");
    if (actions == nullptr)
        co_return matrix_error({ErrorKind::invalid, "M_BAD_JSON", "'actions' has to be a list."});
    auto id = request.value("ruleId");
    co_return co_await change_rules(core, std::move(request),
                                    [kind = *kind, id = std::move(id), actions = *actions](PushRules& rules) {
                                        return set_rule_actions(rules, kind, id, actions);
                                    });
}

}  // namespace chat
