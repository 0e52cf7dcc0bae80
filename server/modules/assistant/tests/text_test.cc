#include "inert_text.h"
#include "labels.h"
#include "names.h"
#include "prompts.h"
#include "question.h"
#include "quotes.h"
#include "server_day.h"

#include <gtest/gtest.h>

#include <base/encoding.h>

namespace assistant {
namespace {

namespace json = base::json;

TEST(InertText, drops_controls_and_overrides_of_direction_and_keeps_line_breaks_and_emoji) {
    InertText inert(1000);
    EXPECT_EQ(inert.feed("a\x01\xE2\x80\xAE"
                         "b\x7F\nc \xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x81\xA6"),
              "ab\nc \xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9");
}

TEST(InertText, trims_both_ends_across_pieces_and_tells_the_same_text_as_its_pieces) {
    InertText inert(1000);
    std::string joined;
    for (const char* piece : {"  \n", " Hello ", "\n", " world ", " \n "}) joined += inert.feed(piece);
    EXPECT_EQ(joined, "Hello \n world");
    EXPECT_EQ(inert.text(), joined);
}

TEST(InertText, drops_broken_bytes_and_cuts_between_characters) {
    InertText inert(7);
    EXPECT_EQ(inert.feed("\xFF你\xE5好吗"), "你好");
    EXPECT_TRUE(inert.is_full());
    EXPECT_EQ(inert.feed("more"), "");
}

TEST(InertText, a_line_has_no_breaks) {
    EXPECT_EQ(inert_line("  one\n\n two\tthree ", 100), "one two three");
}

Labels labels() {
    base::initialise_crypto();
    std::array<std::uint8_t, 32> seed{};
    seed[0] = 7;
    return Labels(base::SigningKey::from_seed(seed));
}

json::object labelled(const json::object& label, std::string_view body) {
    return {{"msgtype", "m.text"}, {"body", body}, {"im.lingxi.ai", label}};
}

TEST(Labels, holds_for_the_text_that_it_was_given_for_and_no_other) {
    const auto known = labels();
    const auto label = known.generated("c1", "m", "你好");
    EXPECT_TRUE(known.verify(labelled(label, "你好")));
    const auto refused = known.verify(labelled(label, "你好!"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "IM.LINGXI.FORGED_LABEL");
}

TEST(Labels, an_edited_text_is_assisted_and_keeps_the_hash_of_what_it_was) {
    const auto known = labels();
    auto label = known.generated("c1", "m", "你好");
    label["kind"] = "assisted";
    EXPECT_TRUE(known.verify(labelled(label, "你好呀")));
    label["call_id"] = "c2";
    EXPECT_FALSE(known.verify(labelled(label, "你好呀")));
}

TEST(Labels, the_model_is_signed_too) {
    const auto known = labels();
    auto label = known.generated("c1", "m", "你好");
    label["model"] = "another";
    EXPECT_FALSE(known.verify(labelled(label, "你好")));
    label["kind"] = "assisted";
    EXPECT_FALSE(known.verify(labelled(label, "你好呀")));
    const std::string long_name = std::string(254, 'm') + "型";
    EXPECT_TRUE(known.verify(labelled(known.generated("c1", long_name, "x"), "x")))
        << "cut, and signed as cut";
    EXPECT_TRUE(known.verify(labelled(known.generated("c1", "two\nlines", "x"), "x")));
}

TEST(Labels, the_kind_is_what_became_of_the_text) {
    const auto known = labels();
    auto label = known.generated("c1", "m", "你好");
    label["kind"] = "assisted";
    EXPECT_FALSE(known.verify(labelled(label, "你好"))) << "nobody assisted anybody";
    auto edit = labelled(label, "* 你好");
    edit["m.new_content"] = labelled(label, "你好");
    EXPECT_FALSE(known.verify(edit));
    edit.erase("m.new_content");
    EXPECT_TRUE(known.verify(edit)) << "no edit: its words begin with a star";
    edit["m.new_content"] = {{"msgtype", "m.text"}, {"body", "你好"}};
    EXPECT_FALSE(known.verify(edit));
    EXPECT_FALSE(known.verify({{"im.lingxi.ai", label}}));
}

TEST(Labels, of_before_the_model_was_signed_are_refused_and_it_is_said_why) {
    base::initialise_crypto();
    std::array<std::uint8_t, 32> seed{};
    seed[0] = 7;
    const auto key = base::SigningKey::from_seed(seed);
    const auto sha256 = base::hex_encode(base::sha256(std::string_view("你好")));
    json::object label{{"call_id", "c1"},
                       {"kind", "generated"},
                       {"model", "m"},
                       {"sha256", sha256},
                       {"signature", base::base64_encode(key.sign("im.lingxi.ai/1\nc1\n" + sha256))}};
    const auto old = labels().verify(labelled(label, "你好"));
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().code, "IM.LINGXI.FORGED_LABEL");
    label["call_id"] = "c2";
    const auto strange = labels().verify(labelled(label, "你好"));
    ASSERT_FALSE(strange);
    EXPECT_NE(strange.error().message, old.error().message);
}

TEST(Labels, another_servers_signature_and_wrong_shapes_are_forged) {
    const auto known = labels();
    std::array<std::uint8_t, 32> seed{};
    seed[0] = 8;
    const Labels stranger(base::SigningKey::from_seed(seed));
    EXPECT_FALSE(known.verify(labelled(stranger.generated("c1", "m", "x"), "x")));
    auto label = known.generated("c1", "m", "x");
    label["kind"] = "human";
    EXPECT_FALSE(known.verify(labelled(label, "x")));
    label = known.generated("c1", "m", "x");
    label.erase("model");
    EXPECT_FALSE(known.verify(labelled(label, "x")));
    EXPECT_FALSE(known.verify({{"body", "x"}, {"im.lingxi.ai", true}}));
    EXPECT_FALSE(known.verify({{"im.lingxi.ai", known.generated("c1", "m", "x")}}));
}

TEST(Labels, an_edit_is_verified_by_its_new_text_and_its_fallback) {
    const auto known = labels();
    const auto label = known.generated("c1", "m", "new");
    json::object content = labelled(label, "* new");
    content["m.new_content"] = labelled(label, "new");
    EXPECT_TRUE(known.verify(content));
    content["m.new_content"] = labelled(label, "other");
    EXPECT_FALSE(known.verify(content));
    EXPECT_FALSE(known.verify(labelled(label, "* new")));
}

TEST(Names, hides_names_but_not_words_that_contain_them_and_puts_them_back) {
    Names names;
    EXPECT_EQ(names.stand_in("张小伟", true), "人物A");
    EXPECT_EQ(names.stand_in("Ann", false), "Person B");
    EXPECT_EQ(names.stand_in("张小伟", true), "人物A");
    EXPECT_EQ(names.hide("张小伟说 ann 和 Anna 都来"), "人物A说 Person B 和 Anna 都来");
    Names::Restorer restorer(names);
    std::string back;
    for (const char* piece : {"Per", "son ", "B meets 人", "物A. Person", " Bob, Person A"})
        back += restorer.feed(piece);
    back += restorer.finish();
    EXPECT_EQ(back, "Ann meets 张小伟. Person Bob, 张小伟");
}

TEST(Names, parts_of_a_name_are_hidden_where_they_are_written_as_one) {
    Names names;
    names.stand_in("Will Grant", false);
    names.add_alias("Will Grant", "Captain G.");
    EXPECT_EQ(names.hide("Will and Grant will come, says captain g."),
              "Person A and Person A will come, says Person A");
    EXPECT_EQ(names.stand_in("Will", false), "Person B") << "somebody else is called just that";
    EXPECT_EQ(names.hide("Will, Grant, Will Grant"), "Person B, Person A, Person A");
    Names::Restorer restorer(names);
    EXPECT_EQ(restorer.feed("Person A and Person B") + restorer.finish(), "Will Grant and Will");
}

TEST(Names, a_name_of_one_letter_is_left_alone) {
    Names names;
    names.stand_in("A", false);
    names.stand_in("伟", true);
    EXPECT_EQ(names.hide("A great 伟大"), "A great 伟大");
}

TEST(Names, only_stand_ins_that_the_model_was_given_become_names) {
    Names names;
    names.stand_in("Ann", false);
    names.add("Secret Person", false);
    EXPECT_EQ(names.hide("hello Ann"), "hello Person A");
    Names::Restorer restorer(names);
    EXPECT_EQ(restorer.feed("Person A and Person B, 人物B") + restorer.finish(), "Ann and Person B, 人物B");
}

TEST(Names, what_looks_like_a_stand_in_in_the_words_is_nobodys) {
    for (const char* words :
         {"Ann met Person A", "Ann 和人物A", "Ann, person a", "Ann, PersonA", "Ann: plan A"}) {
        Names names;
        names.avoid(words);
        names.add("Ann", false);
        const auto hidden = names.hide(words);
        EXPECT_TRUE(hidden.starts_with("Person B")) << hidden;
        Names::Restorer restorer(names);
        EXPECT_EQ(restorer.feed(hidden) + restorer.finish(), words);
    }
}

TEST(Names, handles_are_names_but_not_where_they_are_everyday_words) {
    Names names;
    names.add("Emma Hart", false);
    names.add_handle("Emma Hart", "ehart");
    names.add("William", false);
    names.add_handle("William", "will");
    EXPECT_EQ(names.hide("EHart will come, says @will"), "Person A will come, says @Person B");
}

TEST(Names, marks_and_numbers_beside_a_name_are_no_part_of_it) {
    Names names;
    names.stand_in("Emma", false);
    EXPECT_EQ(names.hide("①Emma负责前端 Emma² Emma™ １Emma"),
              "①Person A负责前端 Person A² Person A™ １Person A");
    EXPECT_EQ(names.hide("Emma\u200Bis in").find("Emma"), std::string::npos);
    EXPECT_EQ(names.hide("Emmanuel, 1Emma, Emma1"), "Emmanuel, 1Emma, Emma1");
}

TEST(Names, what_the_asker_calls_somebody_comes_back_as_it_was_written) {
    Names names;
    names.stand_in("李秀英", true);
    names.add_remark("李秀英", "老佛爷");
    names.stand_in("Bob Hart", false);
    names.add_remark("Bob Hart", "Bigfoot");
    names.add_remark("Bob Hart", "the");  // a word of every day
    EXPECT_EQ(names.hide("老佛爷，the bigfoot 到家了"), "人物A，the Person B 到家了");
    Names::Restorer restorer(names);
    EXPECT_EQ(restorer.feed("人物A, Person B is home") + restorer.finish(), "老佛爷, bigfoot is home");
}

TEST(Names, short_names_are_hidden_after_an_at) {
    Names names;
    names.add("伟", true);
    names.add("Bo", false);
    EXPECT_EQ(names.hide("@伟 伟大 ＠伟 @bo Bo"), "@人物A 伟大 ＠人物A @Person B Bo");
}

TEST(Names, parts_stand_between_any_marks) {
    Names names;
    names.add("王小波（Market_East）", true);
    EXPECT_EQ(names.hide("王小波 Market East"), "人物A 人物A 人物A");
}

TEST(Names, chinese_given_names_are_hidden_unless_they_are_everyday_words) {
    Names names;
    names.add("王小波", true);
    names.add("欧阳娜娜", true);
    names.add("张高兴", true);
    names.add("李思远（市场部）", true);
    EXPECT_EQ(names.hide("小波，娜娜很高兴，张高兴和思远呢？"), "人物A，人物B很高兴，人物C和人物D呢？");
}

TEST(Names, are_hidden_in_whatever_case_and_form_they_are_written) {
    Names names;
    names.add("Кирилл", false);
    names.add("Zoë", false);
    names.add("Groß", false);
    names.add("Ｅｍｍａ", false);
    names.add("각하", false);
    EXPECT_EQ(names.hide("кирилл, КИРИЛЛ и Кирилла"), "Person A, Person A и Person Aа");
    EXPECT_EQ(names.hide("ZOË, Zoe\u0308 and zoë, not Zoe"), "Person B, Person B and Person B, not Zoe");
    EXPECT_EQ(names.hide("GROSS, groß; GROSSE"), "Person C, Person C; GROSSE");
    EXPECT_EQ(names.hide("emma, EMMA, Em\u00ADma"), "Person D, Person D, Person D");
    EXPECT_EQ(names.hide("\u1100\u1161\u11A8\u1112\u1161!"), "Person E!");
    EXPECT_EQ(names.hide("é Zoë e\u0301 ﬁ ①！"), "é Person B e\u0301 ﬁ ①！") << "the rest is as it was";
}

TEST(Names, are_no_part_of_other_words_or_of_a_character) {
    Names names;
    names.add("Ира", false);
    names.add("fis", false);
    names.add("Anna", false);
    EXPECT_EQ(names.hide("мира, Ира"), "мира, Person A");
    EXPECT_EQ(names.hide("ﬁſ ﬁs oﬃs"), "Person B Person B oﬃs");
    names.add("gros", false);
    EXPECT_EQ(names.hide("Groß"), "Groß");
    EXPECT_EQ(names.hide("我爱Anna"), "我爱Person C");
}

TEST(Names, parts_are_known_by_their_case_in_every_form) {
    Names names;
    names.add("Zoë Grün", false);
    EXPECT_EQ(names.hide("Zoe\u0308 ist grün, Gru\u0308n nicht"), "Person A ist grün, Person A nicht");
}

TEST(Names, broken_bytes_hide_nothing_and_stay) {
    Names names;
    names.add("Anna", false);
    EXPECT_EQ(names.hide("\xFF\xE5 Anna \xE5"), "\xFF\xE5 Person A \xE5");
}

TEST(Names, of_an_endless_name_a_bounded_part_is_looked_for) {
    Names names;
    std::string name;
    for (int i = 0; i < 10'000; ++i) name += "part" + std::to_string(i) + " ";
    names.add(name, false);
    EXPECT_EQ(names.hide("part0 part7 part8"), "Person A Person A part8");
    EXPECT_TRUE(names.hide(name).starts_with("Person A"));
    Names::Restorer restorer(names);
    EXPECT_LE((restorer.feed("Person A") + restorer.finish()).size(), Names::kNameLimitBytes);

    const std::string chinese = "a" + std::string(300, 'b') + "中";
    names.add("中中" + chinese, false);
    EXPECT_EQ(names.hide("中中" + chinese), "Person B" + std::string(300 + 1 - 250, 'b') + "中");
}

TEST(Names, are_bounded_in_number) {
    Names names;
    for (int i = 0; i < 5000; ++i) names.add("name" + std::to_string(i), false);
    EXPECT_NE(names.hide("name2047"), "name2047");
    EXPECT_EQ(names.hide("name2048"), "name2048");
}

TEST(Suggestions, are_read_from_json_in_any_wrapping) {
    const std::vector<std::string> three{"好的", "不行", "几点？"};
    EXPECT_EQ(read_suggestions(R"({"suggestions": ["好的", "不行", "几点？"]})"), three);
    EXPECT_EQ(read_suggestions("Sure!\n```json\n{\"replies\": "
                               "[{\"text\":\"好的\"},{\"text\":\"不行\"},{\"reply\":\"几点？\"}]}\n```"),
              three);
    EXPECT_EQ(read_suggestions(R"(["好的","不行","几点？","第四"])"), three);
}

TEST(Suggestions, are_read_from_plain_lines) {
    EXPECT_EQ(read_suggestions("1. Sure\n2) \"Sorry, no\"\n\n- When?\n• More"),
              (std::vector<std::string>{"Sure", "Sorry, no", "When?"}));
    EXPECT_EQ(read_suggestions("1、“好的”\n2、好的\n3、不行"), (std::vector<std::string>{"好的", "不行"}));
}

TEST(Suggestions, that_are_cut_or_empty_are_none) {
    EXPECT_TRUE(read_suggestions("").empty());
    EXPECT_TRUE(read_suggestions(R"({"suggestions": ["好的", "不)").empty());
    EXPECT_TRUE(read_suggestions("\x01\x02").empty());
}

TEST(Address, is_the_assistants_name_at_the_start) {
    const auto after = [](std::string_view text) {
        return after_address(text, "@assistant:x", "灵犀 Lingxi");
    };
    EXPECT_EQ(after("@assistant: hello"), "hello");
    EXPECT_EQ(after("@assistant:x hello"), "hello");
    EXPECT_EQ(after("灵犀，你好"), "你好");
    EXPECT_EQ(after("灵犀 Lingxi: hi"), "hi");
    EXPECT_EQ(after("assistants are helpful"), std::nullopt);
    EXPECT_EQ(after("hello @assistant"), std::nullopt);
}

TEST(Quotes, are_cut_line_by_line) {
    EXPECT_EQ(without_quotes("> secret of bob\n>more\nmy words\n  > again\nend"), "my words\nend");
}

TEST(Quotes, are_no_emoticons) {
    for (const char* text : {">_<", "> _ <\n>.<"}) {
        const bool is_kept = std::string_view(text) == ">_<";
        EXPECT_EQ(without_quotes(text), is_kept ? text : ">.<");
    }
    EXPECT_EQ(without_quotes(">\"quoted\"\n>>twice\n><@bob:x> said\n>o<"), ">o<");
}

TEST(Quotes, are_cut_whatever_they_begin_with) {
    for (const char* quote :
         {">$5000", ">-5", ">#secret", ">no", ">No", "\xE3\x80\x80>secret", "\xC2\xA0> secret",
          "\xE2\x80\x8B>secret", "＞secret", ">\xE3\x80\x80secret", ">好", "\t>=5", ">", "> >_<"})
        EXPECT_EQ(without_quotes(std::string(quote) + "\nmine"), "mine") << quote;
}

TEST(Quotes, are_cut_whatever_ends_the_lines) {
    for (const char* end : {"\n", "\r", "\r\n", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xC2\x85", "\x0B"})
        EXPECT_EQ(without_quotes(std::string("mine") + end + "> secret" + end + "mine too"),
                  "mine\nmine too");
}

TEST(Quotes, are_no_faces) {
    for (const char* face : {">_<", ">.>", ">:(", ">:D", ">;P", ">o<", "a > b", "x=>y"})
        EXPECT_EQ(without_quotes(face), face);
}

TEST(ServerDay, begins_at_midnight_of_the_servers_zone) {
    // 2023-11-14 22:13:20 UTC is the 15th in Shanghai.
    const std::int64_t now_ms = 1'700'000'000'000;
    EXPECT_EQ(server_day("UTC", now_ms).number + 1, server_day("Asia/Shanghai", now_ms).number);
    EXPECT_EQ(server_day("UTC", now_ms).resets_at_ms, 1'700'006'400'000);
    EXPECT_EQ(server_day("Asia/Shanghai", now_ms).resets_at_ms, 1'700'064'000'000);
}

TEST(ServerDay, is_as_long_as_the_zone_makes_it) {
    // Europe/Berlin, 2024-03-31: summer time begins, 23 hours.
    const std::int64_t midnight_ms = 1'711'839'600'000;
    EXPECT_EQ(server_day("Europe/Berlin", midnight_ms).resets_at_ms - midnight_ms, 23LL * 3600 * 1000);
    EXPECT_EQ(server_day("Europe/Berlin", midnight_ms - 1).number + 1,
              server_day("Europe/Berlin", midnight_ms).number);
    EXPECT_TRUE(is_time_zone("Asia/Shanghai"));
    EXPECT_FALSE(is_time_zone("Moon/Crater"));
}

}  // namespace
}  // namespace assistant
