#include "offline/chips.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace assistant::offline {
namespace {

std::optional<Language> written(const std::vector<std::string>& messages) {
    return language_written_in(messages);
}

std::vector<Chip> offered(const std::string& message, std::optional<Language> reply_language) {
    const Turn turn{false, message};
    return Chips::built().suggest({&turn, 1}, reply_language);
}

TEST(Chips, the_language_that_somebody_writes_is_told_by_their_words_alone) {
    EXPECT_EQ(written({"好的", "ok"}), Language::chinese);
    EXPECT_EQ(written({"ok haha", "明天下午三点老地方见"}), Language::chinese);
    EXPECT_EQ(written({"Shall we ask 老周 to join us on Saturday?"}), Language::english);
    EXPECT_EQ(written({}), std::nullopt);
    EXPECT_EQ(written({"👍", "12:30", "https://example.org/a-page-in-english"}), std::nullopt);
    EXPECT_EQ(written({"https://example.org/a-page-in-english", "看看这个"}), Language::chinese);
}

TEST(Chips, one_pasted_article_does_not_outweigh_what_somebody_writes) {
    std::string article;
    while (article.size() < 2000) article += "The committee met again on Thursday. ";
    EXPECT_EQ(written({article, "这篇挺有意思的，你们先看看", "我晚点再说说我的想法"}), Language::chinese);
}

TEST(Chips, a_message_is_understood_in_its_language_and_answered_in_the_persons) {
    for (const auto& [message, own] : {std::pair("能来机场接我吗？", Language::english),
                                       std::pair("can you pick me up at the airport?", Language::chinese)}) {
        const auto same = offered(message, std::nullopt);
        const auto other = offered(message, own);
        ASSERT_EQ(same.size(), 3U) << message;
        ASSERT_EQ(other.size(), 3U) << message;
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(other[i].intent, same[i].intent);
            EXPECT_EQ(other[i].stance, same[i].stance);
            EXPECT_EQ(language_of(other[i].text), own) << other[i].text;
            EXPECT_NE(language_of(same[i].text), own) << same[i].text;
        }
    }
}

TEST(Chips, what_was_said_before_decides_between_two_that_a_message_may_be) {
    struct Case {
        std::string message, before, other_before;
        std::string_view intent, other_intent;
    };
    for (const Case& one :
         {Case{"is the 256GB version available right now?", "do you have this in stock",
               "is the room still available", "customer_asks_stock_availability", "ask_if_room_for_rent"},
          Case{"周末打篮球不？学校那块场子空着", "打球去", "周末有什么安排", "invite_to_play_ball_sport",
               "ask_weekend_plans"}}) {
        const auto first_after = [&](const std::string& before) {
            const auto chips =
                Chips::built().suggest(std::vector<Turn>{{false, before}, {false, one.message}});
            return chips.empty() ? "" : chips.front().intent;
        };
        EXPECT_EQ(first_after(one.before), one.intent) << one.message;
        EXPECT_EQ(first_after(one.other_before), one.other_intent) << one.message;
    }
}

TEST(Chips, what_the_person_has_just_answered_is_not_offered_again) {
    for (const std::string message : {"能来机场接我吗？", "can you pick me up at the airport?"}) {
        const auto before = offered(message, std::nullopt);
        ASSERT_FALSE(before.empty());
        const auto& said = before.front().text;
        const auto offers = [&](const std::vector<Chip>& chips) {
            return std::ranges::any_of(chips, [&](const Chip& chip) { return chip.text == said; });
        };
        EXPECT_FALSE(offers(
            Chips::built().suggest(std::vector<Turn>{{false, message}, {true, said}, {false, message}})));
        EXPECT_TRUE(offers(Chips::built().suggest(  // what another said is no answer of theirs
            std::vector<Turn>{{false, message}, {false, said}, {false, message}})));
    }
}

}  // namespace
}  // namespace assistant::offline
