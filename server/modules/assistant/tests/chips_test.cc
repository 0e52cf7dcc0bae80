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

}  // namespace
}  // namespace assistant::offline
