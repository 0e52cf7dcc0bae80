#include "house.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string rooms_path(const std::string& room, const std::string& rest) {
    return "/_matrix/client/v3/rooms/" + in_path(room) + "/" + rest;
}

std::string rule_of(House& house, const Actor& actor, const std::string& room, const std::string& type,
                    std::string_view key) {
    const auto content = house.state(actor, room, type);
    return content.is_object() ? std::string(base::get_string(content.as_object(), key).value_or("")) : "";
}

TEST(CreateRoom, writes_what_each_preset_says) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    EXPECT_EQ(rule_of(house, alice, room, "m.room.join_rules", "join_rule"), "invite");
    EXPECT_EQ(rule_of(house, alice, room, "m.room.history_visibility", "history_visibility"), "shared");
    EXPECT_EQ(rule_of(house, alice, room, "m.room.guest_access", "guest_access"), "can_join");
    const auto open = house.room(alice, {{"preset", "public_chat"}});
    EXPECT_EQ(rule_of(house, alice, open, "m.room.join_rules", "join_rule"), "public");
    EXPECT_EQ(rule_of(house, alice, open, "m.room.guest_access", "guest_access"), "forbidden");
    const auto listed = house.room(alice, {{"visibility", "public"}});
    EXPECT_EQ(rule_of(house, alice, listed, "m.room.join_rules", "join_rule"), "public");
    EXPECT_EQ(
        house.get("/_matrix/client/v3/directory/list/room/" + in_path(listed), alice).text("visibility"),
        "public");
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/list/room/" + in_path(room), alice).text("visibility"),
              "private");
}

TEST(CreateRoom, of_version_12_names_no_creator_and_two_equal_rooms_are_two) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    EXPECT_EQ(room.size(), 44u);
    EXPECT_NE(house.room(alice), room);
    const auto levels = house.state(alice, room, "m.room.power_levels");
    EXPECT_TRUE(levels.at("users").as_object().empty());
    EXPECT_EQ(levels.at("events").at("m.room.tombstone").as_int64(), 150);
    EXPECT_EQ(levels.at("events").at("im.lingxi.consent").as_int64(), 0);
    EXPECT_EQ(levels.at("events").at("im.lingxi.ai_policy").as_int64(), 50);
    EXPECT_EQ(house.state(alice, room, "m.room.create").at("room_version").as_string(), "12");
}

TEST(CreateRoom, of_version_11_gives_its_creator_a_level) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice, {{"room_version", "11"}});
    EXPECT_TRUE(room.ends_with(":x"));
    EXPECT_EQ(house.state(alice, room, "m.room.power_levels").at("users").at("@alice:x").as_int64(), 100);
    const auto bad = house.post("/_matrix/client/v3/createRoom", alice, {{"room_version", "1"}});
    EXPECT_EQ(bad.errcode(), "M_UNSUPPORTED_ROOM_VERSION");
    EXPECT_EQ(bad.status, 400);
}

TEST(CreateRoom, makes_trusted_people_creators_or_gives_them_the_creators_level) {
    House house;
    const auto alice = house.person("alice");
    const auto bob = house.person("bob");
    const base::json::object body{
        {"preset", "trusted_private_chat"}, {"invite", {"@bob:x"}}, {"is_direct", true}};
    const auto room = house.room(alice, body);
    EXPECT_EQ(house.state(alice, room, "m.room.create").at("additional_creators").at(0).as_string(),
              "@bob:x");
    const auto invitation = house.state(alice, room, "m.room.member", "@bob:x");
    EXPECT_EQ(invitation.at("membership").as_string(), "invite");
    EXPECT_TRUE(invitation.at("is_direct").as_bool());
    EXPECT_EQ(invitation.at("displayname").as_string(), "Name of bob");
    auto eleven = body;
    eleven["room_version"] = "11";
    const auto old = house.room(alice, eleven);
    EXPECT_EQ(house.state(alice, old, "m.room.power_levels").at("users").at("@bob:x").as_int64(), 100);
}

TEST(CreateRoom, takes_name_topic_alias_and_initial_state) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(
        alice, {{"name", "张伟的房间"},
                {"topic", "t"},
                {"room_alias_name", "zhang"},
                {"initial_state",
                 base::json::array{{{"type", "m.room.join_rules"}, {"content", {{"join_rule", "public"}}}},
                                   {{"type", "m.room.name"}, {"content", {{"name", "overridden"}}}},
                                   {{"type", "t.custom"}, {"state_key", "k"}, {"content", {{"a", 1}}}}}}});
    EXPECT_EQ(rule_of(house, alice, room, "m.room.name", "name"), "张伟的房间");
    EXPECT_EQ(rule_of(house, alice, room, "m.room.topic", "topic"), "t");
    EXPECT_EQ(rule_of(house, alice, room, "m.room.join_rules", "join_rule"), "public");
    EXPECT_EQ(rule_of(house, alice, room, "m.room.canonical_alias", "alias"), "#zhang:x");
    EXPECT_EQ(house.state(alice, room, "t.custom", "k").at("a").as_int64(), 1);
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/room/" + in_path("#zhang:x"), alice).text("room_id"),
              room);
    EXPECT_EQ(house.post("/_matrix/client/v3/createRoom", alice, {{"room_alias_name", "zhang"}}).errcode(),
              "M_ROOM_IN_USE");
}

TEST(CreateRoom, that_fails_leaves_nothing) {
    House house;
    const auto alice = house.person("alice");
    const auto fails = [&](base::json::object body, std::string_view errcode) {
        const auto reply = house.post("/_matrix/client/v3/createRoom", alice, body);
        EXPECT_EQ(reply.errcode(), errcode) << reply.body;
        EXPECT_EQ(reply.status, 400);
    };
    fails({{"room_alias_name", "a"}, {"invite", {"@nobody:x"}}}, "M_INVALID_PARAM");
    fails({{"invite", {"nobody"}}}, "M_INVALID_PARAM");
    fails({{"preset", "wild"}}, "M_INVALID_PARAM");
    fails({{"name", 1}}, "M_BAD_JSON");
    fails({{"initial_state", {1}}}, "M_BAD_JSON");
    fails({{"initial_state",
            base::json::array{{{"type", "m.room.create"}, {"content", base::json::object{}}}}}},
          "M_INVALID_ROOM_STATE");
    fails({{"power_level_content_override", {{"users", {{"@alice:x", 100}}}}}}, "M_INVALID_ROOM_STATE");
    fails({{"power_level_content_override", {{"ban", "high"}}}}, "M_INVALID_ROOM_STATE");
    fails({{"creation_content", {{"a", 1.5}}}}, "M_BAD_JSON");
    fails({{"room_alias_name", "a:b"}}, "M_INVALID_PARAM");
    EXPECT_TRUE(house.news.empty());
    EXPECT_TRUE(
        house.get("/_matrix/client/v3/joined_rooms", alice).object().at("joined_rooms").as_array().empty());
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/room/" + in_path("#a:x"), alice).status, 404);
}

TEST(CreateRoom, lets_a_client_lay_its_levels_over_ours) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice, {{"power_level_content_override",
                                          {{"events_default", 10}, {"events", {{"m.room.name", 0}}}}}});
    const auto levels = house.state(alice, room, "m.room.power_levels");
    EXPECT_EQ(levels.at("events_default").as_int64(), 10);
    EXPECT_EQ(levels.at("events").at("m.room.name").as_int64(), 0);
    EXPECT_EQ(levels.at("events").at("im.lingxi.consent").as_int64(), 0);
}

TEST(CreateRoom, of_version_12_keeps_its_end_above_other_state_whatever_levels_a_client_chooses) {
    House house;
    const auto alice = house.person("alice");
    const auto tombstone = [&](base::json::object levels) {
        const auto room = house.room(alice, {{"power_level_content_override", std::move(levels)}});
        return house.state(alice, room, "m.room.power_levels").at("events").at("m.room.tombstone").as_int64();
    };
    EXPECT_EQ(tombstone({{"events", {{"m.room.name", 0}}}}), 150);
    EXPECT_EQ(tombstone({{"state_default", 200}}), 201);
    EXPECT_EQ(tombstone({{"events", {{"m.room.tombstone", 60}}}}), 60);
    const auto beyond = house.post(
        "/_matrix/client/v3/createRoom", alice,
        {{"power_level_content_override", {{"state_default", std::numeric_limits<std::int64_t>::max()}}}});
    EXPECT_EQ(beyond.status, 400) << beyond.body;
}

TEST(CreateRoom, takes_no_alias_of_another_room_from_initial_state) {
    House house;
    const auto alice = house.person("alice");
    const auto mallory = house.person("mallory");
    house.room(alice, {{"room_alias_name", "bank"}});
    const auto posing = house.post(
        "/_matrix/client/v3/createRoom", mallory,
        {{"initial_state",
          base::json::array{{{"type", "m.room.canonical_alias"}, {"content", {{"alias", "#bank:x"}}}}}}});
    EXPECT_EQ(posing.status, 400);
    EXPECT_EQ(posing.errcode(), "M_BAD_ALIAS");
}

TEST(CreateRoom, lets_everybody_give_their_consent_whatever_levels_and_preset_a_client_chooses) {
    House house;
    const auto alice = house.person("alice");
    const base::json::object levels{{"events_default", 50}, {"state_default", 100}};
    for (const auto* preset : {"private_chat", "trusted_private_chat", "public_chat"}) {
        const auto room = house.room(
            alice, {{"preset", preset},
                    {"initial_state", base::json::array{base::json::object{{"type", "m.room.power_levels"},
                                                                           {"content", levels}}}}});
        const auto set = house.state(alice, room, "m.room.power_levels");
        EXPECT_EQ(set.at("events_default").as_int64(), 50) << preset;
        EXPECT_EQ(set.at("events").at("im.lingxi.consent").as_int64(), 0) << preset;
    }
}

TEST(UpgradeRoom, moves_state_aliases_and_closes_the_old_one) {
    House house;
    const auto alice = house.person("alice");
    const auto bob = house.person("bob");
    const auto old = house.room(alice, {{"room_version", "11"},
                                        {"preset", "public_chat"},
                                        {"name", "N"},
                                        {"room_alias_name", "r"},
                                        {"visibility", "public"}});
    house.join(bob, old);
    EXPECT_EQ(house.post(rooms_path(old, "upgrade"), bob, {{"new_version", "12"}}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.post(rooms_path(old, "upgrade"), alice, {{"new_version", "99"}}).errcode(),
              "M_UNSUPPORTED_ROOM_VERSION");
    const auto reply = house.post(rooms_path(old, "upgrade"), alice, {{"new_version", "12"}});
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto made = reply.text("replacement_room");
    EXPECT_EQ(rule_of(house, alice, old, "m.room.tombstone", "replacement_room"), made);
    EXPECT_EQ(house.state(alice, made, "m.room.create").at("predecessor").at("room_id").as_string(), old);
    EXPECT_EQ(rule_of(house, alice, made, "m.room.name", "name"), "N");
    EXPECT_EQ(rule_of(house, alice, made, "m.room.join_rules", "join_rule"), "public");
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/room/" + in_path("#r:x"), bob).text("room_id"), made);
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/list/room/" + in_path(made), bob).text("visibility"),
              "public");
    EXPECT_EQ(house.put(rooms_path(old, "send/m.room.message/1"), bob, {{"body", "x"}}).errcode(),
              "M_FORBIDDEN");
    house.join(bob, made);
}

TEST(UpgradeRoom, ai_that_was_forbidden_stays_so_and_nobody_has_agreed_to_it_in_the_new_room) {
    House house;
    const auto alice = house.person("alice");
    const auto old = house.room(alice);
    const auto consent = "state/im.lingxi.consent/" + in_path(alice.user_id);
    ASSERT_EQ(house.put(rooms_path(old, "state/im.lingxi.ai_policy/"), alice, {{"ai", "forbidden"}}).status,
              200);
    ASSERT_EQ(house.put(rooms_path(old, consent), alice, {{"agreed", true}}).status, 200);
    const auto made =
        house.post(rooms_path(old, "upgrade"), alice, {{"new_version", "12"}}).text("replacement_room");
    EXPECT_EQ(rule_of(house, alice, made, "im.lingxi.ai_policy", "ai"), "forbidden");
    EXPECT_EQ(house.get(rooms_path(made, consent), alice).status, 404);
}

TEST(UpgradeRoom, ignores_further_creators_where_the_version_knows_none) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto upgrade = [&](std::string_view version) {
        return house.post(rooms_path(room, "upgrade"), alice,
                          {{"new_version", version}, {"additional_creators", {"nobody"}}});
    };
    EXPECT_EQ(upgrade("12").errcode(), "M_INVALID_PARAM");
    EXPECT_EQ(upgrade("11").status, 200);
}

}  // namespace
}  // namespace chat
