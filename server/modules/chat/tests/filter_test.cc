#include "sync/filter.h"

#include "sync/filter_pool.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

SyncFilter parsed(std::string_view text) {
    auto filter = SyncFilter::parse_text(text);
    EXPECT_TRUE(filter) << (filter ? "" : filter.error().message);
    return filter.value_or(SyncFilter{});
}
std::string error_of(std::string_view text) {
    const auto filter = SyncFilter::parse_text(text);
    return filter ? "" : filter.error().code;
}

TEST(Filter, an_empty_one_lets_everything_through) {
    const auto filter = parsed("{}");
    EXPECT_TRUE(filter.timeline.allows_all());
    EXPECT_TRUE(filter.allows_room("!a"));
    EXPECT_FALSE(filter.include_leave);
    EXPECT_FALSE(filter.timeline.limit);
}

TEST(Filter, excluding_wins_over_including) {
    const auto filter = parsed(R"({"room":{"timeline":{"types":["m.room.*"],"not_types":["m.room.member"],
        "senders":["@a:x","@b:x"],"not_senders":["@b:x"]}}})");
    const auto& timeline = filter.timeline;
    EXPECT_TRUE(timeline.allows_type("m.room.message"));
    EXPECT_FALSE(timeline.allows_type("m.room.member"));
    EXPECT_FALSE(timeline.allows_type("m.sticker"));
    EXPECT_TRUE(timeline.allows_sender("@a:x"));
    EXPECT_FALSE(timeline.allows_sender("@b:x"));
    EXPECT_FALSE(timeline.allows_sender("@c:x"));
}

TEST(Filter, an_empty_list_of_types_lets_nothing_through) {
    const auto filter = parsed(R"({"presence":{"types":[]}})");
    EXPECT_FALSE(filter.presence.allows_type("m.presence"));
}

TEST(Filter, rooms_are_chosen_before_their_parts) {
    const auto filter = parsed(R"({"room":{"rooms":["!a","!b"],"not_rooms":["!b"],"include_leave":true}})");
    EXPECT_TRUE(filter.allows_room("!a"));
    EXPECT_FALSE(filter.allows_room("!b"));
    EXPECT_FALSE(filter.allows_room("!c"));
    EXPECT_TRUE(filter.include_leave);
}

TEST(Filter, refuses_what_is_malformed) {
    EXPECT_EQ(error_of("{"), "M_NOT_JSON");
    EXPECT_EQ(error_of("[]"), "M_BAD_JSON");
    EXPECT_EQ(error_of(R"({"room":[]})"), "M_BAD_JSON");
    EXPECT_EQ(error_of(R"({"room":{"timeline":{"limit":"10"}}})"), "M_INVALID_PARAM");
    EXPECT_EQ(error_of(R"({"room":{"timeline":{"limit":-1}}})"), "M_INVALID_PARAM");
    EXPECT_EQ(error_of(R"({"presence":{"senders":["nobody"]}})"), "M_BAD_JSON");
    EXPECT_EQ(error_of(R"({"room":{"rooms":["#alias:x"]}})"), "M_BAD_JSON");
    EXPECT_EQ(error_of(R"({"event_format":"xml"})"), "M_BAD_JSON");
    EXPECT_EQ(error_of(R"({"event_fields":[1]})"), "M_BAD_JSON");
    EXPECT_EQ(error_of("{" + std::string(kFilterLimitBytes, ' ') + "}"), "M_TOO_LARGE");
}

TEST(Filter, a_path_keeps_dots_that_are_escaped) {
    EXPECT_EQ(split_path(R"(content.m\.mentions.room)"),
              (std::vector<std::string>{"content", "m.mentions", "room"}));
    EXPECT_EQ(split_path(R"(a\\.b)"), (std::vector<std::string>{R"(a\)", "b"}));
    EXPECT_EQ(split_path(R"(a\b)"), (std::vector<std::string>{R"(a\b)"}));
}

TEST(Filter, keeps_the_named_fields_only) {
    const auto event =
        base::json::parse(R"({"type":"t","content":{"body":"b","url":"u"},"sender":"@a:x"})").as_object();
    EXPECT_EQ(keep_fields(event, {"type", "content.body", "content.none", "type.deeper"}),
              base::json::parse(R"({"type":"t","content":{"body":"b"}})").as_object());
}

TEST(FilterPool, keeps_one_filter_for_all_who_give_the_same_text) {
    FilterPool pool;
    const auto one = pool.filter_of(R"({"room":{"timeline":{"limit":7}}})");
    const auto same = pool.filter_of(R"({"room":{"timeline":{"limit":7}}})");
    const auto other = pool.filter_of(R"({"room":{"timeline":{"limit":8}}})");
    ASSERT_TRUE(one && same && other);
    EXPECT_EQ(*one, *same);
    EXPECT_NE(*one, *other);
    EXPECT_EQ((*one)->timeline.limit, 7);
    EXPECT_FALSE(pool.filter_of("{").has_value());
}

TEST(FilterPool, forgets_filters_that_nobody_holds) {
    FilterPool pool;
    const auto held = pool.filter_of(R"({"room":{"timeline":{"limit":1}}})");
    for (int limit = 2; limit < 5000; ++limit)
        ASSERT_TRUE(pool.filter_of(R"({"room":{"timeline":{"limit":)" + std::to_string(limit) + "}}}"));
    EXPECT_LT(pool.size(), 200U);
    EXPECT_EQ(*pool.filter_of(R"({"room":{"timeline":{"limit":1}}})"), *held);
    const std::string long_text = R"({"event_fields":[")" + std::string(3000, 'a') + R"("]})";
    const auto before = pool.size();
    EXPECT_TRUE(pool.filter_of(long_text));
    EXPECT_EQ(pool.size(), before) << "a long text is not kept";
}

}  // namespace
}  // namespace chat
