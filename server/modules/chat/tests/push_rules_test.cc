#include "push/push_rules.h"

#include "push/edit_rules.h"
#include "push/evaluate.h"
#include "push/glob.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

constexpr std::string_view kMe = "@me:x";

base::json::object object(std::string_view text) {
    return base::json::parse(text).as_object();
}

base::json::object message(std::string_view content) {
    return object(R"({"type":"m.room.message","sender":"@a:x","content":)" + std::string(content) + "}");
}

struct Room {
    std::int64_t members = 5;
    std::string display_name;
    PowerLevels levels;
};

/// The id of the rule that decides, or "".
std::string decides(const PushRules& rules, const base::json::object& event, const Room& room = {}) {
    const auto sender = std::string(base::get_string(event, "sender").value_or("@a:x"));
    const auto* rule = matching_rule(rules, {.event = event,
                                             .room_id = "!r:x",
                                             .sender = sender,
                                             .user_id = kMe,
                                             .display_name = room.display_name,
                                             .joined_members = room.members,
                                             .levels = [&] { return &room.levels; }});
    return rule == nullptr ? "" : rule->id;
}

TEST(Glob, stars_and_question_marks_stand_for_text_and_characters) {
    EXPECT_TRUE(matches_glob("lunc?*", "LUNCH plans"));
    EXPECT_TRUE(matches_glob("lunc?*", "lunch"));
    EXPECT_FALSE(matches_glob("lunc?*", " lunch"));
    EXPECT_FALSE(matches_glob("lunc?*", "lunc"));
    EXPECT_TRUE(matches_glob("?", "好"));
    EXPECT_FALSE(matches_glob("?", "你好"));
    EXPECT_TRUE(matches_glob("*好*", "你好吗"));
    EXPECT_TRUE(matches_glob("", ""));
}

TEST(Glob, letters_of_every_script_are_the_same_in_either_case) {
    EXPECT_TRUE(matches_word("привет", "Привет всем"));
    EXPECT_TRUE(matches_word("ПРИВЕТ", "ну, привет!"));
    EXPECT_TRUE(matches_word("élodie", "Élodie?"));
    EXPECT_TRUE(matches_word("é*e", "bonjour ÉLODIE"));
    EXPECT_TRUE(matches_glob("σοφός", "ΣΟΦΌΣ"));
    EXPECT_TRUE(matches_glob("?traße", "STRAßE"));
    EXPECT_TRUE(matches_glob("stra?e", "Straße"));
    EXPECT_FALSE(matches_word("Elodie", "Élodie"));
}

TEST(Glob, words_begin_and_end_at_boundaries) {
    EXPECT_TRUE(matches_word("ex*ple", "An example event."));
    EXPECT_TRUE(matches_word("ex*ple", "exple"));
    EXPECT_TRUE(matches_word("ex*ple", "An exciting triple-whammy"));
    EXPECT_FALSE(matches_word("cake", "cakes"));
    EXPECT_FALSE(matches_word("cake", "pan_cake"));
    EXPECT_TRUE(matches_word("cake", "cakes, cake!"));
    EXPECT_TRUE(matches_word("银行", "去银行取钱"));
    EXPECT_TRUE(matches_word("银?", "去银行取钱"));
    EXPECT_FALSE(matches_word("a?c", "xabc"));
}

TEST(Glob, a_hostile_pattern_ends_in_bounded_time) {
    std::string pattern;
    for (int i = 0; i < 250; ++i) pattern += "*a";
    EXPECT_FALSE(matches_word(pattern + "!", std::string(100'000, 'a')));
    EXPECT_FALSE(matches_glob(pattern + "!", std::string(4'000, 'a')));
}

TEST(PushRules, a_message_notifies_and_one_in_a_pair_sounds) {
    const auto rules = default_push_rules(kMe);
    EXPECT_EQ(decides(rules, message(R"({"msgtype":"m.text","body":"hi"})")), ".m.rule.message");
    EXPECT_EQ(decides(rules, message(R"({"msgtype":"m.text","body":"hi"})"), {.members = 2}),
              ".m.rule.room_one_to_one");
}

TEST(PushRules, notices_edits_reactions_and_members_are_silent) {
    const auto rules = default_push_rules(kMe);
    const auto silent = [&](const base::json::object& event) {
        const auto id = decides(rules, event);
        for (const auto& kind : rules.kinds)
            for (const auto& rule : kind)
                if (rule.id == id) return !rule.notifies;
        return false;
    };
    EXPECT_TRUE(silent(message(R"({"msgtype":"m.notice","body":"hi"})")));
    EXPECT_TRUE(
        silent(message(R"({"msgtype":"m.text","body":"hi","m.relates_to":{"rel_type":"m.replace"}})")));
    EXPECT_TRUE(silent(object(R"({"type":"m.reaction","content":{}})")));
    EXPECT_TRUE(
        silent(object(R"({"type":"m.room.member","state_key":"@b:x","content":{"membership":"join"}})")));
    EXPECT_EQ(decides(rules, object(R"({"type":"m.room.name","state_key":"","content":{}})")), "");
}

TEST(PushRules, an_invitation_of_mine_notifies) {
    EXPECT_EQ(
        decides(default_push_rules(kMe),
                object(R"({"type":"m.room.member","state_key":"@me:x","content":{"membership":"invite"}})")),
        ".m.rule.invite_for_me");
}

TEST(PushRules, a_mention_highlights_and_that_of_the_room_needs_power) {
    const auto rules = default_push_rules(kMe);
    const auto mine = message(R"({"body":"hi","m.mentions":{"user_ids":["@b:x","@me:x"]}})");
    EXPECT_EQ(decides(rules, mine), ".m.rule.is_user_mention");
    EXPECT_TRUE(rules.find(RuleKind::override_rule, ".m.rule.is_user_mention")->highlights);

    const auto everyone = message(R"({"body":"hi","m.mentions":{"room":true}})");
    Room room;
    EXPECT_EQ(decides(rules, everyone, room), ".m.rule.message");
    room.levels.is_written = true;
    room.levels.users["@a:x"] = 50;
    EXPECT_EQ(decides(rules, everyone, room), ".m.rule.is_room_mention");
    EXPECT_EQ(decides(rules, message(R"({"body":"hi","m.mentions":{"room":"true"}})"), room),
              ".m.rule.message");
}

TEST(PushRules, one_copy_of_the_default_rules_judges_for_everybody_as_their_own_would) {
    const auto own = default_push_rules(kMe);
    const auto shared = shared_default_rules();
    const auto invitation = [](std::string_view of) {
        return object(R"({"type":"m.room.member","state_key":")" + std::string(of) +
                      R"(","content":{"membership":"invite"}})");
    };
    const auto mention = [](std::string_view of) {
        return message(R"({"body":"hi","m.mentions":{"user_ids":["@b:x",")" + std::string(of) + R"("]}})");
    };
    for (const auto& event : {invitation("@me:x"), invitation("@you:x"), mention("@me:x"), mention("@you:x"),
                              message(R"({"body":"hi"})")}) {
        EXPECT_EQ(decides(*shared, event), decides(own, event));
    }
    EXPECT_EQ(decides(*shared, invitation("@me:x")), ".m.rule.invite_for_me");
    EXPECT_EQ(decides(*shared, mention("@me:x")), ".m.rule.is_user_mention");
}

TEST(PushRules, kinds_are_asked_in_order) {
    auto rules = default_push_rules(kMe);
    const auto event = message(R"({"body":"tea time"})");
    ASSERT_TRUE(put_rule(rules, RuleKind::sender, "@a:x", object(R"({"actions":[]})"), {}, {}));
    EXPECT_EQ(decides(rules, event), "@a:x");
    ASSERT_TRUE(put_rule(rules, RuleKind::room, "!r:x", object(R"({"actions":[]})"), {}, {}));
    EXPECT_EQ(decides(rules, event), "!r:x");
    ASSERT_TRUE(put_rule(rules, RuleKind::content, "tea", object(R"({"actions":["notify"],"pattern":"TEA"})"),
                         {}, {}));
    EXPECT_EQ(decides(rules, event), "tea");
    ASSERT_TRUE(set_rule_enabled(rules, RuleKind::override_rule, ".m.rule.master", true));
    EXPECT_EQ(decides(rules, event), ".m.rule.master");
}

TEST(PushRules, conditions_that_nobody_knows_never_match) {
    auto rules = default_push_rules(kMe);
    ASSERT_TRUE(put_rule(rules, RuleKind::override_rule, "odd",
                         object(R"({"actions":[],"conditions":[{"kind":"phase_of_the_moon"}]})"), {}, {}));
    EXPECT_EQ(decides(rules, message(R"({"body":"x"})")), ".m.rule.message");
}

TEST(PushRules, counts_members_and_looks_for_names) {
    auto rules = default_push_rules(kMe);
    ASSERT_TRUE(put_rule(
        rules, RuleKind::override_rule, "named",
        object(
            R"({"actions":["notify"],"conditions":[{"kind":"contains_display_name"},{"kind":"room_member_count","is":"<=5"}]})"),
        {}, {}));
    const auto event = message(R"({"body":"ask 小明 about it"})");
    EXPECT_EQ(decides(rules, event, {.members = 5, .display_name = "小明"}), "named");
    EXPECT_EQ(decides(rules, event, {.members = 6, .display_name = "小明"}), ".m.rule.message");
    EXPECT_EQ(decides(rules, event, {.members = 5, .display_name = ""}), ".m.rule.message");
}

TEST(PushRules, survive_being_stored) {
    auto rules = default_push_rules(kMe);
    ASSERT_TRUE(
        put_rule(rules, RuleKind::content, "b", object(R"({"actions":["notify"],"pattern":"b"})"), {}, {}));
    ASSERT_TRUE(put_rule(rules, RuleKind::content, "a", object(R"({"actions":[],"pattern":"a"})"), {}, {}));
    ASSERT_TRUE(set_rule_enabled(rules, RuleKind::content, "b", false));
    ASSERT_TRUE(set_rule_actions(rules, RuleKind::underride, ".m.rule.message", base::json::array{}));
    const auto read = read_push_rules(kMe, push_rules_content(rules));
    EXPECT_EQ(push_rules_content(read), push_rules_content(rules));
    EXPECT_EQ(read.of(RuleKind::content).front().id, "a");
}

TEST(PushRules, a_rule_stands_where_it_was_asked_to) {
    auto rules = default_push_rules(kMe);
    const auto put = [&](std::string_view id, std::optional<std::string_view> before,
                         std::optional<std::string_view> after) {
        return put_rule(rules, RuleKind::override_rule, id, object(R"({"actions":[]})"), before, after);
    };
    const auto order = [&] {
        std::string ids;
        for (const auto& rule : rules.of(RuleKind::override_rule))
            if (!rule.is_default || rule.id == ".m.rule.master") ids += rule.id + " ";
        return ids;
    };
    ASSERT_TRUE(put("c", {}, {}));
    ASSERT_TRUE(put("a", {}, {}));
    ASSERT_TRUE(put("b", "c", {}));
    ASSERT_TRUE(put("d", {}, "c"));
    EXPECT_EQ(order(), ".m.rule.master a b c d ");
    ASSERT_TRUE(put("a", {}, "c"));
    EXPECT_EQ(order(), ".m.rule.master b c a d ");
    EXPECT_EQ(put("e", "nobody", {}).error().code, "M_UNKNOWN");
    EXPECT_EQ(put("e", {}, ".m.rule.master").error().code, "M_UNKNOWN");
}

TEST(PushRules, refuse_what_is_reserved_or_malformed) {
    auto rules = default_push_rules(kMe);
    const auto code = [&](RuleKind kind, std::string_view id, std::string_view body) {
        const auto put = put_rule(rules, kind, id, object(body), {}, {});
        return put ? std::string{} : put.error().code;
    };
    EXPECT_EQ(code(RuleKind::override_rule, ".m.rule.x", R"({"actions":[]})"), "M_INVALID_PARAM");
    EXPECT_EQ(code(RuleKind::override_rule, "a/b", R"({"actions":[]})"), "M_INVALID_PARAM");
    EXPECT_EQ(code(RuleKind::override_rule, R"(a\b)", R"({"actions":[]})"), "M_INVALID_PARAM");
    EXPECT_EQ(code(RuleKind::room, "r", R"({"actions":[]})"), "M_INVALID_PARAM");
    EXPECT_EQ(code(RuleKind::override_rule, "a", "{}"), "M_MISSING_PARAM");
    EXPECT_EQ(code(RuleKind::override_rule, "a", R"({"actions":[1]})"), "M_INVALID_PARAM");
    EXPECT_EQ(code(RuleKind::content, "a", R"({"actions":[]})"), "M_MISSING_PARAM");
    EXPECT_EQ(delete_rule(rules, RuleKind::override_rule, ".m.rule.master").error().code, "M_NOT_FOUND");
    EXPECT_EQ(set_rule_enabled(rules, RuleKind::content, "none", true).error().code, "M_NOT_FOUND");
}

TEST(PushRules, are_a_thousand_at_most) {
    auto rules = default_push_rules(kMe);
    const auto put = [&](std::size_t number) {
        return put_rule(rules, RuleKind::room, "!" + std::to_string(number), object(R"({"actions":[]})"), {},
                        {});
    };
    for (std::size_t i = 0; i < kOwnRuleLimit; ++i) ASSERT_TRUE(put(i));
    const auto beyond = put(kOwnRuleLimit);
    EXPECT_EQ(beyond.error().kind, base::ErrorKind::exhausted);
    // M_LIMIT_EXCEEDED would have clients try again.
    EXPECT_EQ(beyond.error().code, "M_RESOURCE_LIMIT_EXCEEDED");
    EXPECT_TRUE(put(0));
}

TEST(PushRules, actions_of_history_do_nothing_and_are_kept_for_clients_that_look_for_them) {
    auto rules = default_push_rules(kMe);
    ASSERT_TRUE(put_rule(rules, RuleKind::room, "!a", object(R"({"actions":["dont_notify"]})"), {}, {}));
    EXPECT_EQ(rules.find(RuleKind::room, "!a")->actions, base::json::array{"dont_notify"});
    EXPECT_FALSE(rules.find(RuleKind::room, "!a")->notifies);
}

}  // namespace
}  // namespace chat
