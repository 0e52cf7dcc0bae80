#include "event/event_builder.h"

#include "event/canonical_json.h"
#include "event/hashes.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

constexpr std::string_view kRoom = "!room";
const std::vector<std::string> kAuth{"$a", "$b"};

EventParts parts_of(const PreparedContent& content, std::string_view type = "m.room.message") {
    return {.auth_events = kAuth,
            .content = content.canonical,
            .redacted_content = content.redacted,
            .depth = 7,
            .origin_server_ts = 1'700'000'000'000,
            .prev_event = "$p",
            .room_id = kRoom,
            .sender = "@a:domain",
            .type = type};
}

TEST(EventBuilder, makes_the_event_that_the_plain_algorithm_makes) {
    const auto content =
        prepare_content("m.room.message", {{"msgtype", "m.text"}, {"body", "grüße \"世界\"\n"}});
    ASSERT_TRUE(content);
    const auto parts = parts_of(*content);
    const auto built = build_event(parts);
    ASSERT_TRUE(built);

    base::json::object plain{{"room_id", kRoom},
                             {"sender", "@a:domain"},
                             {"type", "m.room.message"},
                             {"depth", 7},
                             {"origin_server_ts", 1'700'000'000'000},
                             {"prev_events", {"$p"}},
                             {"auth_events", {"$a", "$b"}},
                             {"content", content->object}};
    const ServerKey key{base::SigningKey::from_seed({1, 2, 3}), "ed25519:1"};
    ASSERT_TRUE(hash_and_sign_event(plain, "domain", key));
    EXPECT_EQ(built->content_hash, *content_hash(plain));
    EXPECT_EQ(built->id, event_id_of(*reference_hash(plain)));
    const auto made = signed_event(parts, built->content_hash, "domain", key);
    ASSERT_TRUE(made);
    EXPECT_EQ(*canonical_json(*made), *canonical_json(plain));
}

TEST(EventBuilder, writes_the_client_format_with_the_id_first_and_the_content_last) {
    const auto content = prepare_content("m.room.message", {{"b", 2}, {"a", 1}});
    const auto built = build_event(parts_of(*content));
    ASSERT_TRUE(built);
    EXPECT_EQ(built->client_json, R"({"event_id":")" + built->id.value +
                                      R"(","type":"m.room.message","sender":"@a:domain",)"
                                      R"("origin_server_ts":1700000000000,"content":{"a":1,"b":2}})");
}

TEST(EventBuilder, repeats_what_a_redaction_redacts_for_older_clients) {
    const auto content = prepare_content("m.room.redaction", {{"redacts", "$x"}, {"reason", "y"}});
    const auto built = build_event(parts_of(*content, "m.room.redaction"));
    ASSERT_TRUE(built);
    const auto event = base::parse_json(built->client_json, 10'000)->as_object();
    EXPECT_EQ(event.at("redacts").as_string(), "$x");
    EXPECT_EQ(content->redacted, R"({"redacts":"$x"})");
}

TEST(EventBuilder, refuses_what_is_too_large_or_has_no_canonical_form) {
    EXPECT_EQ(prepare_content("x", {{"a", 1.5}}).error().code, "M_BAD_JSON");
    EXPECT_EQ(prepare_content("x", {{"a", std::string(70'000, 'x')}}).error().code, "M_TOO_LARGE");
    const auto near = prepare_content("x", {{"a", std::string(65'000, 'x')}});
    ASSERT_TRUE(near);
    EXPECT_TRUE(build_event(parts_of(*near, "x")));
    const auto over = prepare_content("x", {{"a", std::string(65'300, 'x')}});
    ASSERT_TRUE(over);
    EXPECT_EQ(build_event(parts_of(*over, "x")).error().code, "M_TOO_LARGE");
    EXPECT_EQ(build_event(parts_of(*near, std::string(256, 't'))).error().code, "M_TOO_LARGE");
    const auto small = prepare_content("x", {});
    auto keyed = parts_of(*small, "x");
    const std::string key(256, 'k');
    keyed.state_key = key;
    EXPECT_EQ(build_event(keyed).error().code, "M_TOO_LARGE");
}

TEST(EventBuilder, counts_the_limit_as_the_signed_event_has_it) {
    // The longest content that is let through must make a signed event within the limit.
    std::size_t low = 64'000;
    std::size_t high = 65'500;
    const auto fits = [](std::size_t length) {
        const auto content = prepare_content("x", {{"a", std::string(length, 'x')}});
        return content && build_event(parts_of(*content, "x")).has_value();
    };
    while (low + 1 < high) {
        const auto middle = (low + high) / 2;
        (fits(middle) ? low : high) = middle;
    }
    const auto content = prepare_content("x", {{"a", std::string(low, 'x')}});
    const auto parts = parts_of(*content, "x");
    const auto built = build_event(parts);
    const ServerKey key{base::SigningKey::from_seed({1}), "ed25519:abcdef"};
    const auto text = canonical_json(*signed_event(parts, built->content_hash, "domain", key));
    EXPECT_LE(text->size(), kEventLimitBytes);
    EXPECT_GE(text->size() + 16, kEventLimitBytes);
}

}  // namespace
}  // namespace chat
