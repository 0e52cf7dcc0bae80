#include "house.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string send_path(const std::string& room, const std::string& txn,
                      const std::string& type = "m.room.message") {
    return "/_matrix/client/v3/rooms/" + in_path(room) + "/send/" + type + "/" + txn;
}

TEST(Sending, the_same_transaction_again_gives_the_same_event_across_restarts) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto first = house.put(send_path(room, "1"), alice, {{"body", "a"}});
    ASSERT_EQ(first.status, 200);
    EXPECT_EQ(house.put(send_path(room, "1"), alice, {{"body", "a"}}).text("event_id"),
              first.text("event_id"));
    house.restart();
    EXPECT_EQ(house.put(send_path(room, "1"), alice, {{"body", "a"}}).text("event_id"),
              first.text("event_id"));
    EXPECT_NE(house.put(send_path(room, "2"), alice, {{"body", "a"}}).text("event_id"),
              first.text("event_id"));
}

TEST(Sending, a_transaction_belongs_to_its_device_room_and_type) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto other = house.room(alice);
    const auto first = house.put(send_path(room, "1"), alice, {{"body", "a"}}).text("event_id");
    EXPECT_NE(house.put(send_path(room, "1"), house.other_device(alice), {{"body", "a"}}).text("event_id"),
              first);
    EXPECT_NE(house.put(send_path(other, "1"), alice, {{"body", "a"}}).text("event_id"), first);
    EXPECT_NE(house.put(send_path(room, "1", "t"), alice, {{"body", "a"}}).text("event_id"), first);
}

TEST(Sending, repetitions_that_are_under_way_together_send_once) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    std::vector<std::string> ids;
    int open = 8;
    for (int i = 0; i < 8; ++i) {
        boost::asio::co_spawn(house.runtime().io(),
                              house.chat().send({.sender = alice.user,
                                                 .room_id = room,
                                                 .type = "m.room.message",
                                                 .content = {{"body", "once"}},
                                                 .txn_id = "same",
                                                 .state_key = {}}),
                              [&](const std::exception_ptr& error, const base::Result<EventId>& sent) {
                                  EXPECT_FALSE(error);
                                  EXPECT_TRUE(sent);
                                  if (sent) ids.push_back(sent->value);
                                  --open;
                              });
    }
    while (open > 0) house.runtime().io().run_one();
    ASSERT_EQ(ids.size(), 8u);
    for (const auto& id : ids) EXPECT_EQ(id, ids.front());
}

TEST(Sending, a_failed_transaction_is_no_transaction) {
    House house;
    const auto alice = house.person("alice");
    const auto bob = house.person("bob");
    const auto room = house.room(alice, {{"preset", "public_chat"}});
    EXPECT_EQ(house.put(send_path(room, "1"), bob, {{"body", "a"}}).errcode(), "M_FORBIDDEN");
    house.join(bob, room);
    EXPECT_EQ(house.put(send_path(room, "1"), bob, {{"body", "a"}}).status, 200);
}

TEST(Sending, is_forgotten_after_its_retention) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto first = house.put(send_path(room, "1"), alice, {{"body", "a"}}).text("event_id");
    house.clock().advance(std::chrono::hours(27));
    house.restart();
    house.say(alice, room, "so that the upkeep has run");
    EXPECT_NE(house.put(send_path(room, "1"), alice, {{"body", "a"}}).text("event_id"), first);
}

TEST(Sending, refuses_bad_bodies) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto send = [&](std::string body) {
        return house.call(net::Method::put, send_path(room, "1"), alice, std::move(body));
    };
    EXPECT_EQ(send("").errcode(), "M_NOT_JSON");
    EXPECT_EQ(send("{").errcode(), "M_NOT_JSON");
    EXPECT_EQ(send("[]").errcode(), "M_BAD_JSON");
    EXPECT_EQ(send(R"({"a":1.5})").errcode(), "M_BAD_JSON");
    EXPECT_EQ(send(R"({"a":9007199254740992})").errcode(), "M_BAD_JSON");
    EXPECT_EQ(send("{\"a\":\"\xff\"}").errcode(), "M_NOT_JSON");
    EXPECT_EQ(send(R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}").errcode(), "M_BAD_JSON");
    const auto large = send(R"({"a":")" + std::string(66'000, 'x') + R"("})");
    EXPECT_EQ(large.errcode(), "M_TOO_LARGE");
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(house.put(send_path(room, std::string(300, 't')), alice, {{"body", "a"}}).errcode(),
              "M_INVALID_PARAM");
    EXPECT_EQ(house.put(send_path("!nowhere", "1"), alice, {{"body", "a"}}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.news.size(), 6u);  // the room's own events and nothing more
}

TEST(Sending, content_checks_have_the_last_word) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    house.chat().add_content_check(
        [](identity::UserNumber, std::string_view, const base::json::object& content) -> base::Result<void> {
            if (!content.contains("forged")) return {};
            return base::fail(base::ErrorKind::invalid, "IM.LINGXI.FORGED_LABEL", "No.");
        });
    EXPECT_EQ(house.put(send_path(room, "1"), alice, {{"forged", true}}).errcode(), "IM.LINGXI.FORGED_LABEL");
    EXPECT_EQ(house.put("/_matrix/client/v3/rooms/" + in_path(room) + "/state/t", alice, {{"forged", true}})
                  .errcode(),
              "IM.LINGXI.FORGED_LABEL");
    EXPECT_EQ(house.put(send_path(room, "2"), alice, {{"body", "fine"}}).status, 200);
}

TEST(Sending, tells_the_news_after_the_commit_in_order) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto before = house.news.size();
    house.say(alice, room, "a");
    house.say(alice, room, "b");
    ASSERT_EQ(house.news.size(), before + 2);
    EXPECT_LT(house.news[before].position, house.news[before + 1].position);
    EXPECT_EQ(house.news[before].type, "m.room.message");
    EXPECT_EQ(house.news[before].sender, alice.user);
}

TEST(Redacting, is_idempotent_and_shows_to_readers) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto said = house.say(alice, room, "secret");
    const auto path = "/_matrix/client/v3/rooms/" + in_path(room) + "/redact/" + in_path(said) + "/r1";
    const auto first = house.put(path, alice, {{"reason", "oops"}});
    ASSERT_EQ(first.status, 200) << first.body;
    EXPECT_EQ(house.put(path, alice, {{"reason", "oops"}}).text("event_id"), first.text("event_id"));
    const auto event =
        house.get("/_matrix/client/v3/rooms/" + in_path(room) + "/event/" + in_path(said), alice);
    EXPECT_TRUE(event.object().at("content").as_object().empty());
    EXPECT_EQ(event.object().at("unsigned").at("redacted_because").at("content").at("reason").as_string(),
              "oops");
    EXPECT_EQ(house
                  .put("/_matrix/client/v3/rooms/" + in_path(room) + "/redact/" +
                           in_path("$" + std::string(43, 'A')) + "/r2",
                       alice)
                  .status,
              404);
}

}  // namespace
}  // namespace chat
