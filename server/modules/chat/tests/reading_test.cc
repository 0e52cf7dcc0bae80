#include "house.h"
#include "rooms/room_writer.h"
#include "stream_store.h"
#include "sync/account_data_store.h"
#include "timeline/relation_store.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string rooms_path(const std::string& room, const std::string& rest) {
    return "/_matrix/client/v3/rooms/" + in_path(room) + "/" + rest;
}

std::vector<std::string> bodies(const base::json::value& events) {
    std::vector<std::string> texts;
    for (const auto& event : events.as_array()) {
        const auto& content = event.at("content").as_object();
        texts.emplace_back(base::get_string(content, "body").value_or("-"));
    }
    return texts;
}

struct Reading : testing::Test {
    House house;
    Actor alice = house.person("alice");
    Actor bob = house.person("bob");
    Actor mallory = house.person("mallory");
    std::string room = house.room(alice, {{"preset", "public_chat"}});
};

TEST_F(Reading, pages_backwards_to_the_beginning_and_forwards_again) {
    for (int i = 0; i < 10; ++i) house.say(alice, room, std::to_string(i));
    std::vector<std::string> ids;
    std::string from;
    int pages = 0;
    for (;;) {
        const auto page = house.get(
            rooms_path(room, "messages?dir=b&limit=4") + (from.empty() ? "" : "&from=" + from), alice);
        ASSERT_EQ(page.status, 200) << page.body;
        for (const auto& event : page.object().at("chunk").as_array()) {
            ids.emplace_back(event.at("event_id").as_string());
            EXPECT_EQ(event.at("room_id").as_string(), room);
        }
        from = page.text("end");
        ++pages;
        if (from.empty()) break;
    }
    EXPECT_EQ(ids.size(), 16u);
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 16u);
    EXPECT_EQ(pages, 4);
    const auto forwards = house.get(rooms_path(room, "messages?dir=f&limit=100"), alice);
    ASSERT_EQ(forwards.object().at("chunk").as_array().size(), 16u);
    EXPECT_EQ(forwards.object().at("chunk").at(0).at("event_id").as_string(), ids.back());
}

TEST_F(Reading, filters_and_loads_members_lazily) {
    house.join(bob, room);
    house.say(bob, room, "b");
    house.say(alice, room, "a");
    const auto path =
        rooms_path(room, "messages?dir=b&filter=") +
        in_path(R"({"types":["m.room.message"],"senders":["@bob:x"],"lazy_load_members":true})");
    const auto page = house.get(path, alice);
    EXPECT_EQ(bodies(page.object().at("chunk")), std::vector<std::string>{"b"});
    ASSERT_EQ(page.object().at("state").as_array().size(), 1u);
    EXPECT_EQ(page.object().at("state").at(0).at("state_key").as_string(), "@bob:x");
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=b&filter=nonsense"), alice).errcode(), "M_NOT_JSON");
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=x"), alice).errcode(), "M_INVALID_PARAM");
    EXPECT_EQ(house.get(rooms_path(room, "messages"), alice).errcode(), "M_MISSING_PARAM");
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=b&from=nonsense"), alice).errcode(),
              "M_INVALID_PARAM");
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=b&limit=-1"), alice).errcode(), "M_INVALID_PARAM");
}

TEST_F(Reading, shows_nothing_to_strangers) {
    const auto said = house.say(alice, room, "x");
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=b"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(said)), mallory).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(house.get(rooms_path(room, "context/" + in_path(said)), mallory).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(house.get(rooms_path(room, "state"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get(rooms_path(room, "state/m.room.create"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get(rooms_path(room, "members"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get(rooms_path(room, "joined_members"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get(rooms_path(room, "aliases"), mallory).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/threads", mallory).errcode(),
              "M_FORBIDDEN");
    EXPECT_EQ(house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/relations/" + in_path(said), mallory)
                  .status,
              404);
    const auto other = house.room(mallory);
    EXPECT_EQ(house.get(rooms_path(other, "event/" + in_path(said)), mallory).errcode(), "M_NOT_FOUND");
}

TEST_F(Reading, ends_for_those_who_left_where_they_left) {
    house.join(bob, room);
    house.say(alice, room, "before");
    EXPECT_EQ(house.put(rooms_path(room, "state/m.room.name"), alice, {{"name", "old"}}).status, 200);
    EXPECT_EQ(house.post(rooms_path(room, "leave"), bob).status, 200);
    EXPECT_EQ(house.put(rooms_path(room, "state/m.room.name"), alice, {{"name", "new"}}).status, 200);
    const auto after = house.say(alice, room, "after");
    const auto page = house.get(rooms_path(room, "messages?dir=b&limit=2"), bob);
    EXPECT_EQ(page.object().at("chunk").at(0).at("content").at("membership").as_string(), "leave");
    const auto forwards = house.get(rooms_path(room, "messages?dir=f&limit=100"), bob);
    EXPECT_EQ(forwards.object().at("chunk").as_array().back().at("content").at("membership").as_string(),
              "leave");
    EXPECT_EQ(house.state(bob, room, "m.room.name").at("name").as_string(), "old");
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(after)), bob).status, 404);
}

TEST_F(Reading, gives_the_context_of_an_event) {
    std::vector<std::string> ids;
    for (int i = 0; i < 9; ++i) ids.push_back(house.say(alice, room, std::to_string(i)));
    const auto context = house.get(rooms_path(room, "context/" + in_path(ids[4]) + "?limit=4"), alice);
    ASSERT_EQ(context.status, 200) << context.body;
    EXPECT_EQ(context.object().at("event").at("content").at("body").as_string(), "4");
    EXPECT_EQ(bodies(context.object().at("events_before")), (std::vector<std::string>{"3", "2"}));
    EXPECT_EQ(bodies(context.object().at("events_after")), (std::vector<std::string>{"5", "6"}));
    EXPECT_GE(context.object().at("state").as_array().size(), 6u);
    const auto earlier =
        house.get(rooms_path(room, "messages?dir=b&limit=1&from=" + context.text("start")), alice);
    EXPECT_EQ(bodies(earlier.object().at("chunk")), std::vector<std::string>{"1"});
    const auto later =
        house.get(rooms_path(room, "messages?dir=f&limit=1&from=" + context.text("end")), alice);
    EXPECT_EQ(bodies(later.object().at("chunk")), std::vector<std::string>{"7"});
    const auto alone = house.get(rooms_path(room, "context/" + in_path(ids[4]) + "?limit=0"), alice);
    EXPECT_TRUE(alone.object().at("events_before").as_array().empty());
    EXPECT_TRUE(alone.object().at("events_after").as_array().empty());
}

TEST_F(Reading, gives_state_in_all_its_forms) {
    EXPECT_EQ(house.put(rooms_path(room, "state/t.x/"), alice, {{"a", 1}}).status, 200);
    EXPECT_EQ(house.put(rooms_path(room, "state/t.x/k%2Fey"), alice, {{"a", 2}}).status, 200);
    EXPECT_EQ(house.get(rooms_path(room, "state/t.x"), alice).object().at("a").as_int64(), 1);
    EXPECT_EQ(house.get(rooms_path(room, "state/t.x/"), alice).object().at("a").as_int64(), 1);
    EXPECT_EQ(house.get(rooms_path(room, "state/t.x/k%2Fey"), alice).object().at("a").as_int64(), 2);
    EXPECT_EQ(house.get(rooms_path(room, "state/t.y"), alice).errcode(), "M_NOT_FOUND");
    const auto whole = house.get(rooms_path(room, "state/t.x?format=event"), alice);
    EXPECT_EQ(whole.text("type"), "t.x");
    EXPECT_EQ(house.get(rooms_path(room, "state/t.x?format=x"), alice).errcode(), "M_INVALID_PARAM");
    EXPECT_EQ(house.get(rooms_path(room, "state"), alice).body.as_array().size(), 8u);
    EXPECT_EQ(
        house.put(rooms_path(room, "state/m.room.canonical_alias"), alice, {{"alias", "#none:x"}}).errcode(),
        "M_BAD_ALIAS");
    EXPECT_EQ(
        house.put(rooms_path(room, "state/m.room.canonical_alias"), alice, {{"alias", "none"}}).errcode(),
        "M_INVALID_PARAM");
    EXPECT_EQ(
        house.put(rooms_path(room, "state/im.lingxi.consent/@bob:x"), alice, {{"agreed", true}}).errcode(),
        "M_FORBIDDEN");
}

TEST_F(Reading, lists_members_as_they_are_and_were) {
    house.join(bob, room);
    const auto token = house.get(rooms_path(room, "messages?dir=b&limit=1"), alice).text("start");
    EXPECT_EQ(house.post(rooms_path(room, "leave"), bob).status, 200);
    const auto count = [&](const std::string& query) {
        return house.get(rooms_path(room, "members" + query), alice).object().at("chunk").as_array().size();
    };
    EXPECT_EQ(count(""), 2u);
    EXPECT_EQ(count("?membership=join"), 1u);
    EXPECT_EQ(count("?not_membership=leave"), 1u);
    EXPECT_EQ(count("?membership=join&at=" + token), 2u);
    EXPECT_EQ(house.get(rooms_path(room, "members?membership=x"), alice).errcode(), "M_INVALID_PARAM");
    const auto joined =
        house.get(rooms_path(room, "joined_members"), alice).object().at("joined").as_object();
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_EQ(joined.at("@alice:x").at("display_name").as_string(), "Name of alice");
}

TEST_F(Reading, finds_the_event_nearest_to_a_time) {
    house.clock().advance(std::chrono::hours(1));
    const auto first = house.say(alice, room, "a");
    const auto at = house.clock().now_ms();
    house.clock().advance(std::chrono::hours(1));
    const auto second = house.say(alice, room, "b");
    const auto near = [&](std::int64_t ts, const std::string& direction) {
        return house.get("/_matrix/client/v1/rooms/" + in_path(room) +
                             "/timestamp_to_event?ts=" + std::to_string(ts) + "&dir=" + direction,
                         alice);
    };
    EXPECT_EQ(near(at + 1000, "b").text("event_id"), first);
    EXPECT_EQ(near(at + 1000, "f").text("event_id"), second);
    EXPECT_EQ(near(at, "f").text("event_id"), first);
    EXPECT_EQ(near(house.clock().now_ms() + 1000, "f").errcode(), "M_NOT_FOUND");
    EXPECT_EQ(near(1, "b").errcode(), "M_NOT_FOUND");
}

TEST_F(Reading, lists_relations_page_by_page_and_recursively) {
    const auto root = house.say(alice, room, "root");
    std::vector<std::string> reactions;
    for (int i = 0; i < 5; ++i) {
        reactions.push_back(
            house
                .put(rooms_path(room, "send/m.reaction/r" + std::to_string(i)), alice,
                     {{"m.relates_to",
                       {{"rel_type", "m.annotation"}, {"event_id", root}, {"key", std::to_string(i)}}}})
                .text("event_id"));
    }
    const auto reply =
        house
            .put(rooms_path(room, "send/m.room.message/th"), alice,
                 {{"body", "r"}, {"m.relates_to", {{"rel_type", "m.thread"}, {"event_id", root}}}})
            .text("event_id");
    const auto indirect =
        house
            .put(rooms_path(room, "send/m.reaction/in"), alice,
                 {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", reply}, {"key", "x"}}}})
            .text("event_id");
    const auto path = "/_matrix/client/v1/rooms/" + in_path(room) + "/relations/" + in_path(root);
    const auto ids = [&](const Reply& page) {
        std::vector<std::string> found;
        for (const auto& event : page.object().at("chunk").as_array())
            found.emplace_back(event.at("event_id").as_string());
        return found;
    };
    const auto first = house.get(path + "/m.annotation?limit=3", alice);
    EXPECT_EQ(ids(first), (std::vector<std::string>{reactions[4], reactions[3], reactions[2]}));
    const auto second = house.get(path + "/m.annotation?limit=3&from=" + first.text("next_batch"), alice);
    EXPECT_EQ(ids(second), (std::vector<std::string>{reactions[1], reactions[0]}));
    EXPECT_EQ(second.text("next_batch"), "");
    EXPECT_EQ(ids(house.get(path + "/m.annotation/m.reaction?dir=f&limit=1", alice)),
              std::vector<std::string>{reactions[0]});
    EXPECT_EQ(ids(house.get(path, alice)).size(), 6u);
    const auto deep = house.get(path + "?recurse=true", alice);
    EXPECT_EQ(ids(deep).front(), indirect);
    EXPECT_EQ(ids(deep).size(), 7u);
    EXPECT_EQ(house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/relations/" + in_path("$none"), alice)
                  .errcode(),
              "M_NOT_FOUND");
    const auto threads =
        house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/threads?include=participated", alice);
    EXPECT_EQ(ids(threads), std::vector<std::string>{root});
    // The last place that there is, though no event will ever stand there.
    EXPECT_EQ(ids(house.get(path + "?dir=f&to=t1_9223372036854775807", alice)).size(), 6u);
}

TEST_F(Reading, pages_through_all_that_relates_to_an_event_however_much_it_is) {
    constexpr int kReplies = 1'100;
    const auto root = house.say(alice, room, "root");
    const auto elsewhere = house.say(alice, room, "elsewhere");
    // To some of the replies something relates in turn, three steps deep and four; and the latest are
    // relations to another event, more than one page looks at.
    std::vector<std::string> expected;
    const auto written = house.write([&](storage::Transaction& tx) -> base::Result<void> {
        RoomWriter writer(tx, load_rules(tx, find_room(tx, room).value()), 1'000);
        const auto relate = [&](const std::string& to, std::string_view how, std::string_view type) {
            base::json::object relation{{"rel_type", how}, {"event_id", to}};
            if (how == "m.annotation") relation["key"] = "k";
            const auto content =
                prepare_content(type, {{"body", "r"}, {"m.relates_to", std::move(relation)}}).value();
            return writer
                .append({.type = type,
                         .state_key = {},
                         .sender = alice.user,
                         .sender_id = alice.user_id,
                         .content = content,
                         .now_ms = 1'000})
                .value()
                .id.value;
        };
        const auto other = relate(root, "m.reference", "m.room.message");
        expected.push_back(other);
        for (int i = 0; i < kReplies; ++i) {
            const auto reply = relate(root, "m.thread", "m.room.message");
            expected.push_back(reply);
            if (i == 3 || i == kReplies - 3) {
                const auto second = relate(reply, "m.reference", "m.room.message");
                const auto third = relate(second, "m.reference", "m.room.message");
                relate(third, "m.reference", "m.room.message");
                expected.insert(expected.end(), {second, third});
            }
        }
        expected.push_back(relate(expected.at(1), "m.annotation", "m.reaction"));
        const auto beside = find_event(tx, elsewhere).value();
        for (int i = 1; i <= 4'500; ++i) {
            insert_relation(tx, {.room = beside.room,
                                 .parent = beside.position,
                                 .rel_type = "m.reference",
                                 .child = Position{last_position(tx, Stream::events) + i},
                                 .sender = alice.user,
                                 .type = "m.room.message"});
        }
        return {};
    });
    ASSERT_TRUE(written);
    const auto path = "/_matrix/client/v1/rooms/" + in_path(room) + "/relations/" + in_path(root);
    const auto all = [&](const std::string& where, const std::string& how) {
        std::vector<std::string> found;
        std::string from;
        for (int page = 0; page < 40; ++page) {
            const auto answer = house.get(path + where + "?limit=100&" + how + from, alice);
            const auto& chunk = answer.object().at("chunk").as_array();
            EXPECT_LE(chunk.size(), 100U);
            for (const auto& event : chunk) found.emplace_back(event.at("event_id").as_string());
            if (answer.text("next_batch").empty()) return found;
            from = "&from=" + answer.text("next_batch");
        }
        ADD_FAILURE() << "the pages do not end";
        return found;
    };
    EXPECT_EQ(all("", "recurse=true&dir=f"), expected);
    std::ranges::reverse(expected);
    EXPECT_EQ(all("", "recurse=true&dir=b"), expected);
    EXPECT_EQ(all("/m.thread", "recurse=true&dir=b").size(), static_cast<std::size_t>(kReplies));
    EXPECT_EQ(all("/m.thread/m.room.message", "dir=f").size(), static_cast<std::size_t>(kReplies));
    EXPECT_EQ(all("/m.reference", "recurse=true&dir=f").size(), 1U);
}

TEST_F(Reading, leaves_out_what_those_say_whom_one_ignores) {
    house.join(bob, room);
    const auto said = house.say(alice, room, "a");
    const auto ignored = house.say(bob, room, "b");
    ASSERT_EQ(house
                  .put(rooms_path(room, "send/m.reaction/r"), bob,
                       {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", said}, {"key", "k"}}}})
                  .status,
              200);
    house.say(alice, room, "c");
    const auto messages = [&] {
        return bodies(house.get(rooms_path(room, "messages?dir=b&limit=4"), alice).object().at("chunk"));
    };
    const auto around = [&] {
        return bodies(
            house.get(rooms_path(room, "context/" + in_path(said)), alice).object().at("events_after"));
    };
    const auto relations = [&] {
        return house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/relations/" + in_path(said), alice)
            .object()
            .at("chunk")
            .as_array()
            .size();
    };
    EXPECT_EQ(messages(), (std::vector<std::string>{"c", "-", "b", "a"}));
    EXPECT_EQ(around(), (std::vector<std::string>{"b", "-", "c"}));
    EXPECT_EQ(relations(), 1u);
    ASSERT_TRUE(house.write([&](storage::Transaction& tx) -> base::Result<std::int64_t> {
        return put_account_data(tx, alice.user, kNoRoom, "m.ignored_user_list",
                                R"({"ignored_users":{"@bob:x":{}}})");
    }));
    // Bob's coming is state: that stays.
    EXPECT_EQ(messages(), (std::vector<std::string>{"c", "a", "-", "-"}));
    EXPECT_EQ(around(), std::vector<std::string>{"c"});
    EXPECT_EQ(relations(), 0u);
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(ignored)), alice).status, 200);
}

TEST_F(Reading, lists_threads_of_those_whom_one_ignores_without_their_words) {
    house.join(bob, room);
    const auto answer = [&](const Actor& who, const std::string& to) {
        EXPECT_EQ(house
                      .put(rooms_path(room, "send/m.room.message/a" + to.substr(1)), who,
                           {{"body", "r"}, {"m.relates_to", {{"rel_type", "m.thread"}, {"event_id", to}}}})
                      .status,
                  200);
    };
    const auto of_bob = house.say(bob, room, "bob's");
    answer(alice, of_bob);
    answer(bob, house.say(alice, room, "answered by bob alone"));
    ASSERT_TRUE(house.write([&](storage::Transaction& tx) -> base::Result<std::int64_t> {
        return put_account_data(tx, alice.user, kNoRoom, "m.ignored_user_list",
                                R"({"ignored_users":{"@bob:x":{}}})");
    }));
    const auto threads = house.get("/_matrix/client/v1/rooms/" + in_path(room) + "/threads", alice);
    const auto& chunk = threads.object().at("chunk").as_array();
    ASSERT_EQ(chunk.size(), 1u);
    EXPECT_EQ(chunk.at(0).at("event_id").as_string(), of_bob);
    EXPECT_TRUE(chunk.at(0).at("content").as_object().empty());
    EXPECT_EQ(chunk.at(0).at("unsigned").at("m.relations").at("m.thread").at("count").as_int64(), 1);
}

TEST_F(Reading, a_directory_of_published_rooms) {
    std::vector<std::string> rooms;
    for (int i = 0; i < 5; ++i) {
        rooms.push_back(house.room(alice, {{"visibility", "public"}, {"name", "Room " + std::to_string(i)}}));
    }
    house.join(bob, rooms[2]);
    const auto first = house.get("/_matrix/client/v3/publicRooms?limit=2", bob);
    ASSERT_EQ(first.object().at("chunk").as_array().size(), 2u);
    EXPECT_EQ(first.object().at("chunk").at(0).at("room_id").as_string(), rooms[2]);
    EXPECT_EQ(first.object().at("chunk").at(0).at("num_joined_members").as_int64(), 2);
    EXPECT_EQ(first.object().at("total_room_count_estimate").as_int64(), 5);
    const auto second =
        house.get("/_matrix/client/v3/publicRooms?limit=2&since=" + first.text("next_batch"), bob);
    const auto third =
        house.get("/_matrix/client/v3/publicRooms?limit=2&since=" + second.text("next_batch"), bob);
    EXPECT_EQ(third.object().at("chunk").as_array().size(), 1u);
    EXPECT_EQ(third.text("next_batch"), "");
    const auto back =
        house.get("/_matrix/client/v3/publicRooms?limit=2&since=" + third.text("prev_batch"), bob);
    EXPECT_EQ(back.object().at("chunk"), second.object().at("chunk"));
    const auto found =
        house.post("/_matrix/client/v3/publicRooms", bob, {{"filter", {{"generic_search_term", "room 3"}}}});
    ASSERT_EQ(found.object().at("chunk").as_array().size(), 1u);
    EXPECT_EQ(found.object().at("chunk").at(0).at("name").as_string(), "Room 3");
    EXPECT_EQ(house.get("/_matrix/client/v3/publicRooms?since=nonsense", bob).errcode(), "M_INVALID_PARAM");
    const auto own = std::string("?server=") + bob.user_id.substr(bob.user_id.find(':') + 1);
    EXPECT_EQ(house.get("/_matrix/client/v3/publicRooms" + own, bob).object().at("chunk").as_array().size(),
              5u);
    EXPECT_EQ(house.post("/_matrix/client/v3/publicRooms" + own, bob).status, 200);
    for (const std::string path : {"/_matrix/client/v3/publicRooms?server=far.example"}) {
        EXPECT_EQ(house.get(path, bob).errcode(), "M_NOT_FOUND");
        EXPECT_EQ(house.post(path, bob).errcode(), "M_NOT_FOUND");
    }
    const auto list = "/_matrix/client/v3/directory/list/room/" + in_path(rooms[0]);
    EXPECT_EQ(house.put(list, bob, {{"visibility", "private"}}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.put(list, alice, {{"visibility", "private"}}).status, 200);
    EXPECT_EQ(house.get(list, bob).text("visibility"), "private");
    EXPECT_EQ(house.get("/_matrix/client/v1/room_summary/" + in_path(rooms[1]), bob).text("name"), "Room 1");
    const auto closed = house.room(alice);
    EXPECT_EQ(house.get("/_matrix/client/v1/room_summary/" + in_path(closed), bob).errcode(), "M_NOT_FOUND");
    // Whoever may join a restricted room may see what it is.
    const auto restricted = house.restricted_room(alice, rooms[1]);
    const auto summary = "/_matrix/client/v1/room_summary/" + in_path(restricted);
    EXPECT_EQ(house.get(summary, bob).errcode(), "M_NOT_FOUND");
    house.join(bob, rooms[1]);
    EXPECT_EQ(house.get(summary, bob).text("join_rule"), "restricted");
}

TEST_F(Reading, gives_and_takes_aliases) {
    const auto path = "/_matrix/client/v3/directory/room/" + in_path("#some:x");
    EXPECT_EQ(house.put(path, mallory, {{"room_id", room}}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.put(path, alice, {{"room_id", room}}).status, 200);
    const auto taken = house.put(path, alice, {{"room_id", room}});
    EXPECT_EQ(taken.status, 409);
    EXPECT_EQ(taken.errcode(), "M_UNKNOWN");
    EXPECT_EQ(house
                  .put("/_matrix/client/v3/directory/room/" + in_path("#some:elsewhere"), alice,
                       {{"room_id", room}})
                  .errcode(),
              "M_INVALID_PARAM");
    EXPECT_EQ(house.get(rooms_path(room, "aliases"), alice).object().at("aliases").at(0).as_string(),
              "#some:x");
    EXPECT_EQ(
        house.put(rooms_path(room, "state/m.room.canonical_alias"), alice, {{"alias", "#some:x"}}).status,
        200);
    house.join(bob, "#some:x");
    EXPECT_EQ(house.del(path, bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.del(path, alice).status, 200);
    EXPECT_EQ(house.del(path, alice).errcode(), "M_NOT_FOUND");
    EXPECT_FALSE(house.state(alice, room, "m.room.canonical_alias").as_object().contains("alias"));
    EXPECT_EQ(house.get(path, bob).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(house.get("/_matrix/client/v3/directory/room/nonsense", bob).errcode(), "M_INVALID_PARAM");
}

}  // namespace
}  // namespace chat
