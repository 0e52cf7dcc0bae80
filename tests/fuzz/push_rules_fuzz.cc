// Push rules as clients write them, and the events that they are asked about.
#include "fuzz.h"
#include "push/edit_rules.h"
#include "push/evaluate.h"
#include "push/push_rules.h"

#include <base/json.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto value = base::parse_json(fuzz::text_of(data, size), 1 << 20);
    if (!value || !value->is_object()) return 0;
    const auto& object = value->get_object();

    auto rules = chat::read_push_rules("@a:test", object);
    const auto content = chat::push_rules_content(rules);
    require(chat::push_rules_content(chat::read_push_rules("@a:test", content)) == content);

    const auto kind = chat::parse_rule_kind(base::get_string(object, "kind").value_or(""))
                          .value_or(chat::RuleKind::underride);
    const auto id = base::get_string(object, "id").value_or("mine");
    if (chat::put_rule(rules, kind, id, object, base::get_string(object, "before"),
                       base::get_string(object, "after"))) {
        require(rules.find(kind, id) != nullptr);
        if (const auto* actions = base::get_array(object, "actions")) {
            std::ignore = chat::set_rule_actions(rules, kind, id, *actions);
        }
        require(chat::set_rule_enabled(rules, kind, id, true).has_value());
    }
    const auto* event = base::get_object(object, "event");
    chat::matching_rule(rules, {.event = event != nullptr ? *event : object,
                                .room_id = "!r",
                                .sender = "@b:test",
                                .display_name = base::get_string(object, "name").value_or("Al"),
                                .joined_members = 3});
    return 0;
}
