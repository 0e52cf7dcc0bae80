#include "push/default_rules.h"

#include <initializer_list>
#include <utility>

namespace chat {
namespace {

using Json = base::json::value;

Json event_match(std::string_view key, std::string_view pattern) {
    return {{"kind", "event_match"}, {"key", key}, {"pattern", pattern}};
}
Json is(std::string_view key, Json value) {
    return {{"kind", "event_property_is"}, {"key", key}, {"value", std::move(value)}};
}
Json contains(std::string_view key, std::string_view value) {
    return {{"kind", "event_property_contains"}, {"key", key}, {"value", value}};
}
Json two_members() {
    return {{"kind", "room_member_count"}, {"is", "2"}};
}
Json may_notify(std::string_view key) {
    return {{"kind", "sender_notification_permission"}, {"key", key}};
}
Json sound(std::string_view name) {
    return {{"set_tweak", "sound"}, {"value", name}};
}
Json highlight() {
    return {{"set_tweak", "highlight"}};
}

class Builder {
  public:
    void add(RuleKind kind, std::string_view id, base::json::array conditions, base::json::array actions,
             bool is_enabled = true) {
        PushRule rule;
        rule.id = id;
        rule.is_default = true;
        rule.is_enabled = is_enabled;
        rule.conditions = std::move(conditions);
        rule.actions = std::move(actions);
        rule.compile(kind);
        rules_.of(kind).push_back(std::move(rule));
    }
    PushRules take() { return std::move(rules_); }

  private:
    PushRules rules_;
};

void add_override_rules(Builder& builder, std::string_view user_id) {
    constexpr auto kKind = RuleKind::override_rule;
    builder.add(kKind, ".m.rule.master", {}, {}, false);
    builder.add(kKind, ".m.rule.suppress_notices", {event_match("content.msgtype", "m.notice")}, {});
    builder.add(kKind, ".m.rule.invite_for_me",
                {event_match("type", "m.room.member"), event_match("content.membership", "invite"),
                 event_match("state_key", user_id)},
                {"notify", sound("default")});
    builder.add(kKind, ".m.rule.member_event", {event_match("type", "m.room.member")}, {});
    builder.add(kKind, ".m.rule.is_user_mention", {contains(R"(content.m\.mentions.user_ids)", user_id)},
                {"notify", sound("default"), highlight()});
    builder.add(kKind, ".m.rule.is_room_mention",
                {is(R"(content.m\.mentions.room)", true), may_notify("room")}, {"notify", highlight()});
    builder.add(kKind, ".m.rule.tombstone",
                {event_match("type", "m.room.tombstone"), event_match("state_key", "")},
                {"notify", highlight()});
    builder.add(kKind, ".m.rule.reaction", {event_match("type", "m.reaction")}, {});
    builder.add(kKind, ".m.rule.room.server_acl",
                {event_match("type", "m.room.server_acl"), event_match("state_key", "")}, {});
    builder.add(kKind, ".m.rule.suppress_edits", {is(R"(content.m\.relates_to.rel_type)", "m.replace")}, {});
}

void add_underride_rules(Builder& builder) {
    constexpr auto kKind = RuleKind::underride;
    builder.add(kKind, ".m.rule.call", {event_match("type", "m.call.invite")}, {"notify", sound("ring")});
    builder.add(kKind, ".m.rule.encrypted_room_one_to_one",
                {two_members(), event_match("type", "m.room.encrypted")}, {"notify", sound("default")});
    builder.add(kKind, ".m.rule.room_one_to_one", {two_members(), event_match("type", "m.room.message")},
                {"notify", sound("default")});
    builder.add(kKind, ".m.rule.message", {event_match("type", "m.room.message")}, {"notify"});
    builder.add(kKind, ".m.rule.encrypted", {event_match("type", "m.room.encrypted")}, {"notify"});
}

}  // namespace

PushRules default_rules(std::string_view user_id) {
    Builder builder;
    add_override_rules(builder, user_id);
    add_underride_rules(builder);
    return builder.take();
}

}  // namespace chat
