#include "timeline/event_filter.h"

#include "stream_token.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

StoredEvent event_of(std::string type, std::string_view sender, std::string_view content = "{}") {
    StoredEvent event;
    event.json = R"({"event_id":"$)" + std::string(43, 'a') + R"(","type":")" + type + R"(","sender":")" +
                 std::string(sender) + R"(","origin_server_ts":1,"content":)" + std::string(content) + "}";
    event.type = std::move(type);
    return event;
}

RoomEventFilter filter_of(std::string_view text) {
    const auto filter = RoomEventFilter::parse_text(text);
    EXPECT_TRUE(filter) << text;
    return filter.value_or(RoomEventFilter{});
}

TEST(RoomEventFilter, takes_and_leaves_types_with_wildcards) {
    const auto filter = filter_of(R"({"types":["m.room.*"],"not_types":["m.*.name"]})");
    EXPECT_TRUE(filter.allows(event_of("m.room.message", "@a:x")));
    EXPECT_FALSE(filter.allows(event_of("m.room.name", "@a:x")));
    EXPECT_FALSE(filter.allows(event_of("m.call", "@a:x")));
    EXPECT_FALSE(filter_of(R"({"types":[]})").allows(event_of("m.call", "@a:x")));
}

TEST(RoomEventFilter, takes_and_leaves_senders_and_urls) {
    const auto filter =
        filter_of(R"({"senders":["@a:x","@b:x"],"not_senders":["@b:x"],"contains_url":true})");
    EXPECT_TRUE(filter.allows(event_of("t", "@a:x", R"({"url":"mxc://x/y"})")));
    EXPECT_FALSE(filter.allows(event_of("t", "@a:x")));
    EXPECT_FALSE(filter.allows(event_of("t", "@b:x", R"({"url":"mxc://x/y"})")));
    EXPECT_FALSE(filter.allows(event_of("t", "@c:x", R"({"url":"mxc://x/y"})")));
}

TEST(RoomEventFilter, refuses_wrong_types) {
    for (const auto* bad : {R"({"types":"m.room"})", R"({"types":[1]})", R"({"limit":-1})",
                            R"({"limit":"1"})", R"({"lazy_load_members":1})", "[]", "{"}) {
        EXPECT_FALSE(RoomEventFilter::parse_text(bad)) << bad;
    }
    EXPECT_TRUE(RoomEventFilter::parse_text({}));
}

TEST(Wildcards, match_any_characters) {
    EXPECT_TRUE(matches_wildcard("*", ""));
    EXPECT_TRUE(matches_wildcard("a*b*c", "aXXbYYbZc"));
    EXPECT_FALSE(matches_wildcard("a*b", "aXXbY"));
    EXPECT_FALSE(matches_wildcard("", "a"));
}

TEST(Tokens, are_read_back_as_they_were_written) {
    StreamToken token;
    token[Stream::events] = 42;
    EXPECT_EQ(token.text(), "s1_42");
    token.positions[3] = 7;
    EXPECT_EQ(token.text(), "s1_42_0_0_7");
    EXPECT_EQ(StreamToken::parse(token.text()).value(), token);
    token.life = 0x1f3;
    EXPECT_EQ(token.text(), "s2_1f3_42_0_0_7");
    EXPECT_EQ(StreamToken::parse(token.text()).value(), token);
    EXPECT_EQ(parse_timeline_token(token.text()).value(), Position{42});
    EXPECT_EQ(parse_timeline_token(timeline_token(Position{9})).value(), Position{9});
    for (const auto* bad :
         {"", "s1", "s2_1", "s1_", "s1_x", "s1_-1", "s1_1_2_3_4_5_6_7_8_9", "s1_01", "s1_1_", "s2_0_1",
          "s2_01_1", "s2_A_1", "s2__1", "s2_123456789_1", "s2_1_", "t1_", "t1_99999999999999999999", "1"}) {
        EXPECT_FALSE(parse_timeline_token(bad)) << bad;
    }
}

}  // namespace
}  // namespace chat
