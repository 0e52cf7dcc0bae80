#include "test_house.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace chat {
namespace {

using Json = base::json::value;
using runtime::Task;

const base::json::object* joined(const Json& answer, const std::string& room_id) {
    return base::get_object(answer.at("rooms").at("join").as_object(), room_id);
}
std::string types(const Json& events) {
    std::string out;
    for (const auto& event : events.as_array()) out.append(event.at("type").as_string()).push_back(' ');
    return out;
}

/// A request of somebody else, on the way while the test goes on.
struct Parked {
    std::string since;
    Json answer;
    bool is_done = false;
};
Task<void> park(TestHouse& house, Actor actor, std::string since, std::shared_ptr<Parked> parked,
                std::string presence = {}) {
    parked->since = std::move(since);
    parked->answer = co_await house.poll(std::move(actor), parked->since, "30000", {}, std::move(presence));
    parked->is_done = true;
}
Task<void> start(Sync& sync, bool& is_started) {
    EXPECT_TRUE(co_await sync.start());
    is_started = true;
}
Task<void> until(const bool& condition) {
    while (!condition) co_await runtime::sleep_for(std::chrono::milliseconds(2));
}

TEST(SyncService, wakes_who_waits_in_the_room_and_nobody_else) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto eve = co_await h.person("eve");
        const auto room = co_await h.room({ann, bob});
        const auto other = co_await h.room({eve});
        std::string bob_since;
        std::string eve_since;
        co_await h.poll(bob, bob_since);
        co_await h.poll(eve, eve_since);
        runtime::TaskGroup group(h.runtime, "parked");
        auto bobs = std::make_shared<Parked>();
        auto eves = std::make_shared<Parked>();
        group.spawn(park(h, bob, bob_since, bobs));
        group.spawn(park(h, eve, eve_since, eves));
        co_await h.say(room, ann, "hello");
        co_await until(bobs->is_done);
        const auto* seen = joined(bobs->answer, room);
        EXPECT_NE(seen, nullptr);
        if (seen != nullptr) {
            EXPECT_EQ(seen->at("timeline").at("events").as_array().size(), 1U);
            EXPECT_EQ(seen->at("unread_notifications").at("notification_count"), 1);
        }
        EXPECT_FALSE(eves->is_done);
        h.sync->release_all();
        co_await until(eves->is_done);
        EXPECT_TRUE(eves->answer.at("rooms").at("join").as_object().empty());
        co_await group.stop();
    });
}

TEST(SyncService, an_invitation_wakes_whom_it_is_for) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(bob, since);
        runtime::TaskGroup group(h.runtime, "parked");
        auto parked = std::make_shared<Parked>();
        group.spawn(park(h, bob, since, parked));
        co_await h.set_member(room, ann, bob, "invite");
        co_await until(parked->is_done);
        EXPECT_TRUE(parked->answer.at("rooms").at("invite").as_object().contains(room));
        since = parked->since;
        co_await h.set_member(room, bob, bob, "join");
        const auto answer = co_await h.poll(bob, since);
        const auto* seen = joined(answer, room);
        EXPECT_NE(seen, nullptr);
        co_await h.say(room, ann, "welcome");
        EXPECT_NE(joined(co_await h.poll(bob, since), room), nullptr);
        co_await group.stop();
    });
}

TEST(SyncService, goes_on_from_a_token_of_before_a_restart) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto quiet = co_await h.room({ann});
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        co_await h.say(room, ann, "one");
        // Another service over the same database: nothing of the first's memory is there.
        News news;
        Sync second(h.runtime, *h.database, h.clock, h.random, news);
        EXPECT_TRUE(co_await second.start());
        h.routes = second.routes();
        const auto answer = co_await h.poll(ann, since);
        EXPECT_NE(joined(answer, room), nullptr);
        EXPECT_EQ(joined(answer, quiet), nullptr);
        co_await second.stop();
    });
}

TEST(SyncService, news_that_come_while_it_starts_are_told) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        const auto next = co_await h.next_event(room);
        News news;
        Sync second(h.runtime, *h.database, h.clock, h.random, news);
        runtime::TaskGroup group(h.runtime, "start");
        bool is_started = false;
        group.spawn(start(second, is_started));
        // Heard before the read of the positions, which knows nothing of it, can have come back.
        news.publish(next);
        co_await until(is_started);
        co_await h.say(room, ann, "meanwhile");
        h.routes = second.routes();
        const auto answer = co_await h.poll(ann, since);
        EXPECT_NE(joined(answer, room), nullptr);
        co_await group.stop();
        co_await second.stop();
    });
}

TEST(SyncService, a_crowd_that_wakes_at_once_is_answered_by_few_reads) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        constexpr int kCrowd = 300;
        std::vector<Actor> people;
        for (int i = 0; i < kCrowd; ++i) people.push_back(co_await h.person("p" + std::to_string(i)));
        const auto room = co_await h.room(people);
        std::vector<std::shared_ptr<Parked>> crowd;
        for (const auto& person : people) {
            crowd.push_back(std::make_shared<Parked>());
            co_await h.poll(person, crowd.back()->since, "0", {}, "offline");
        }
        runtime::TaskGroup group(h.runtime, "crowd");
        for (std::size_t i = 0; i < people.size(); ++i)
            group.spawn(park(h, people[i], crowd[i]->since, crowd[i], "offline"));
        co_await h.next_event(room);  // by now all of them wait
        const auto count = [&](std::string_view name) {
            return h.runtime.metrics().counter(name, "").value();
        };
        const auto answers = count("chat_sync_answers_total");
        const auto reads = count("chat_sync_reads_total");
        co_await h.say(room, people.front(), "hello, all");
        for (const auto& parked : crowd) co_await until(parked->is_done);
        for (std::size_t i = 0; i < crowd.size(); ++i) {
            const auto* seen = joined(crowd[i]->answer, room);
            EXPECT_NE(seen, nullptr);
            if (seen == nullptr) continue;
            const auto& events = seen->at("timeline").at("events").as_array();
            EXPECT_EQ(events.size(), 1U);
            EXPECT_EQ(events.at(0).at("content").at("body"), "hello, all");
            EXPECT_EQ(seen->at("unread_notifications").at("notification_count"), i == 0 ? 0 : 1);
        }
        EXPECT_EQ(count("chat_sync_answers_total") - answers, kCrowd);
        EXPECT_LE(count("chat_sync_reads_total") - reads, kCrowd / 4);
        EXPECT_LE(h.runtime.metrics().gauge("chat_sync_reads_peak", "").value(), 16);
        co_await group.stop();
    });
}

TEST(SyncService, who_comes_into_a_room_learns_who_is_there) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann});
        std::string ann_since;
        std::string bob_since;
        co_await h.poll(ann, ann_since);
        co_await h.poll(bob, bob_since);
        co_await h.poll(ann, ann_since);
        co_await h.poll(bob, bob_since);
        co_await h.set_member(room, bob, bob, "join");
        const auto seen_by = [](const Json& answer, std::string_view sender) {
            const auto& events = answer.at("presence").at("events").as_array();
            return std::ranges::any_of(
                events, [&](const Json& event) { return event.at("sender").as_string() == sender; });
        };
        EXPECT_TRUE(seen_by(co_await h.poll(bob, bob_since), "@ann:x"));
        EXPECT_TRUE(seen_by(co_await h.poll(ann, ann_since), "@bob:x"));
        EXPECT_FALSE(seen_by(co_await h.poll(bob, bob_since), "@ann:x"));
    });
}

TEST(SyncService, the_end_of_a_room_that_was_forgotten_at_once_is_told_to_the_other_device) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        co_await h.set_member(room, ann, ann, "leave");
        co_await h.forget(room, ann);
        const auto before = since;
        auto answer = co_await h.poll(ann, since);
        EXPECT_TRUE(answer.at("rooms").at("leave").as_object().contains(room));
        EXPECT_FALSE((co_await h.poll(ann, since)).at("rooms").at("leave").as_object().contains(room));
        // Also where nothing is in memory any more.
        News news;
        Sync second(h.runtime, *h.database, h.clock, h.random, news);
        EXPECT_TRUE(co_await second.start());
        h.routes = second.routes();
        since = before;
        answer = co_await h.poll(ann, since);
        EXPECT_TRUE(answer.at("rooms").at("leave").as_object().contains(room));
        co_await second.stop();
    });
}

TEST(SyncService, typing_is_told_and_ends) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto eve = co_await h.person("eve");
        const auto room = co_await h.room({ann, bob});
        std::string since;
        co_await h.poll(bob, since);
        const TestHouse::Values path{{"roomId", room}, {"userId", "@ann:x"}};
        const auto typing = [&](std::string body) {
            return h.call(ann, "setTyping", path, {}, std::move(body));
        };
        EXPECT_EQ((co_await typing(R"({"typing":true,"timeout":60000})")).status, 200);
        auto answer = co_await h.poll(bob, since, "1000");
        const auto* seen = joined(answer, room);
        EXPECT_NE(seen, nullptr);
        if (seen != nullptr)
            EXPECT_EQ(seen->at("ephemeral").at("events").at(0).at("content").at("user_ids").at(0), "@ann:x");
        EXPECT_EQ((co_await typing(R"({"typing":true,"timeout":1})")).status, 200);
        answer = co_await h.poll(bob, since, "20000");
        seen = joined(answer, room);
        EXPECT_NE(seen, nullptr) << "the end of the time is told";
        if (seen != nullptr)
            EXPECT_TRUE(
                seen->at("ephemeral").at("events").at(0).at("content").at("user_ids").as_array().empty());
        EXPECT_EQ((co_await typing(R"({"typing":1})")).errcode(), "M_BAD_JSON");
        EXPECT_EQ((co_await h.call(eve, "setTyping", {{"roomId", room}, {"userId", "@eve:x"}}, {},
                                   R"({"typing":true})"))
                      .errcode(),
                  "M_FORBIDDEN");
        EXPECT_EQ((co_await h.call(eve, "setTyping", path, {}, R"({"typing":true})")).errcode(),
                  "M_FORBIDDEN");
    });
}

TEST(SyncService, receipts_move_the_count_and_are_told) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann, bob});
        std::string bob_since;
        std::string ann_since;
        co_await h.poll(bob, bob_since);
        co_await h.say(room, ann, "one");
        auto answer = co_await h.poll(bob, bob_since);
        const std::string event(
            joined(answer, room)->at("timeline").at("events").at(0).at("event_id").as_string());
        co_await h.poll(ann, ann_since);
        const auto receipt = [&](std::string type, std::string id, std::string body = "{}") {
            return h.call(bob, "postReceipt", {{"roomId", room}, {"receiptType", type}, {"eventId", id}}, {},
                          body);
        };
        EXPECT_EQ((co_await receipt("m.read", event, R"({"thread_id":"main"})")).status, 200);
        answer = co_await h.poll(bob, bob_since);
        EXPECT_EQ(joined(answer, room)->at("unread_notifications").at("notification_count"), 0);
        answer = co_await h.poll(ann, ann_since, "1000");
        const auto* seen = joined(answer, room);
        EXPECT_NE(seen, nullptr);
        if (seen != nullptr) {
            const auto& told =
                seen->at("ephemeral").at("events").at(0).at("content").at(event).at("m.read").at("@bob:x");
            EXPECT_EQ(told.at("thread_id"), "main");
        }
        EXPECT_EQ((co_await receipt("m.fully_read", event)).status, 200);
        answer = co_await h.poll(bob, bob_since);
        EXPECT_EQ(types(joined(answer, room)->at("account_data").at("events")), "m.fully_read ");

        EXPECT_EQ((co_await receipt("m.odd", event)).errcode(), "M_INVALID_PARAM");
        EXPECT_EQ((co_await receipt("m.read", event, R"({"thread_id":""})")).errcode(), "M_INVALID_PARAM");
        EXPECT_EQ((co_await receipt("m.read", event, R"({"thread_id":1})")).errcode(), "M_INVALID_PARAM");
        EXPECT_EQ((co_await receipt("m.read", event, R"({"thread_id":"$x"})")).errcode(), "M_INVALID_PARAM");
        EXPECT_EQ((co_await receipt("m.fully_read", event, R"({"thread_id":"main"})")).errcode(),
                  "M_INVALID_PARAM");
        EXPECT_EQ((co_await receipt("m.read", "$none")).errcode(), "M_NOT_FOUND");
        const auto markers =
            co_await h.call(bob, "setReadMarker", {{"roomId", room}}, {},
                            R"({"m.fully_read":")" + event + R"(","m.read.private":")" + event + "\"}");
        EXPECT_EQ(markers.status, 200);
    });
}

TEST(SyncService, account_data_and_tags_reach_the_other_device) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann});
        std::string since;
        co_await h.poll(ann, since);
        const auto put = [&](std::string type, std::string body) {
            return h.call(ann, "setAccountData", {{"userId", "@ann:x"}, {"type", type}}, {}, std::move(body));
        };
        EXPECT_EQ((co_await put("im.lingxi.remarks", R"({"@bob:x":"小鲍"})")).status, 200);
        auto answer = co_await h.poll(ann, since, "1000");
        EXPECT_EQ(types(answer.at("account_data").at("events")), "im.lingxi.remarks ");
        EXPECT_EQ((co_await put("m.fully_read", "{}")).status, 405);
        EXPECT_EQ((co_await put("m.push_rules", "{}")).errcode(), "M_BAD_JSON");
        EXPECT_EQ((co_await put("a", "[]")).errcode(), "M_BAD_JSON");
        EXPECT_EQ((co_await put("a", "{")).errcode(), "M_NOT_JSON");
        EXPECT_EQ((co_await put("a", "")).errcode(), "M_NOT_JSON");
        const TestHouse::Values mine{{"userId", "@ann:x"}, {"type", "im.lingxi.remarks"}};
        EXPECT_EQ((co_await h.call(ann, "getAccountData", mine)).body.at("@bob:x"), "小鲍");
        EXPECT_EQ((co_await h.call(bob, "getAccountData", mine)).errcode(), "M_FORBIDDEN");
        EXPECT_EQ(
            (co_await h.call(ann, "getAccountData", {{"userId", "@ann:x"}, {"type", "none"}})).errcode(),
            "M_NOT_FOUND");
        EXPECT_TRUE((co_await h.call(ann, "getAccountData", {{"userId", "@ann:x"}, {"type", "m.push_rules"}}))
                        .body.as_object()
                        .contains("global"));

        const TestHouse::Values tag{{"userId", "@ann:x"}, {"roomId", room}, {"tag", "m.favourite"}};
        EXPECT_EQ((co_await h.call(ann, "setRoomTag", tag, {}, R"({"order":0.25})")).status, 200);
        answer = co_await h.poll(ann, since, "1000");
        EXPECT_EQ(types(joined(answer, room)->at("account_data").at("events")), "m.tag ");
        auto tags = co_await h.call(ann, "getRoomTags", tag);
        EXPECT_EQ(tags.body.at("tags").at("m.favourite").at("order"), 0.25);
        EXPECT_EQ((co_await h.call(ann, "setRoomTag", tag, {}, R"({"order":"first"})")).errcode(),
                  "M_BAD_JSON");
        EXPECT_EQ((co_await h.call(ann, "deleteRoomTag", tag)).status, 200);
        tags = co_await h.call(ann, "getRoomTags", tag);
        EXPECT_TRUE(tags.body.at("tags").as_object().empty());

        const TestHouse::Values draft{{"userId", "@ann:x"}, {"roomId", "room"}, {"type", "t"}};
        EXPECT_EQ((co_await h.call(ann, "setAccountDataPerRoom", draft, {}, "{}")).errcode(),
                  "M_INVALID_PARAM");
        const TestHouse::Values strange{{"userId", "@bob:x"}, {"roomId", room}, {"type", "t"}};
        EXPECT_EQ((co_await h.call(bob, "setAccountDataPerRoom", strange, {}, "{}")).errcode(),
                  "M_FORBIDDEN");
        EXPECT_EQ((co_await h.call(bob, "getAccountDataPerRoom", strange)).errcode(), "M_NOT_FOUND");
    });
}

TEST(SyncService, push_rules_are_not_kept_without_end) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto put = [&](int number) {
            return h.call(ann, "setPushRule", {{"kind", "override"}, {"ruleId", std::to_string(number)}}, {},
                          R"({"actions":[],"conditions":[{"kind":")" + std::string(60'000, 'k') + R"("}]})");
        };
        for (int i = 0; i < 4; ++i) EXPECT_EQ((co_await put(i)).status, 200);
        const auto beyond = co_await put(4);
        EXPECT_EQ(beyond.status, 403);
        EXPECT_EQ(beyond.errcode(), "M_RESOURCE_LIMIT_EXCEEDED");
        EXPECT_EQ((co_await h.call(ann, "deletePushRule", {{"kind", "override"}, {"ruleId", "0"}})).status,
                  200);
        EXPECT_EQ((co_await put(4)).status, 200);
    });
}

TEST(SyncService, muting_a_room_silences_it) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann, bob});
        std::string since;
        co_await h.poll(bob, since);
        const TestHouse::Values rule{{"kind", "room"}, {"ruleId", room}};
        EXPECT_EQ((co_await h.call(bob, "getPushRule", rule)).errcode(), "M_NOT_FOUND");
        EXPECT_EQ((co_await h.call(bob, "setPushRule", rule, {}, R"({"actions":[]})")).status, 200);
        auto answer = co_await h.poll(bob, since, "1000");
        EXPECT_EQ(types(answer.at("account_data").at("events")), "m.push_rules ");
        co_await h.say(room, ann, "psst");
        answer = co_await h.poll(bob, since);
        EXPECT_EQ(joined(answer, room)->at("unread_notifications").at("notification_count"), 0);

        EXPECT_EQ((co_await h.call(bob, "setPushRuleEnabled", rule, {}, R"({"enabled":false})")).status, 200);
        EXPECT_EQ((co_await h.call(bob, "isPushRuleEnabled", rule)).body.at("enabled"), false);
        EXPECT_EQ((co_await h.call(bob, "setPushRuleActions", rule, {}, R"({"actions":["notify"]})")).status,
                  200);
        EXPECT_EQ((co_await h.call(bob, "getPushRuleActions", rule)).body.at("actions").at(0), "notify");
        EXPECT_EQ((co_await h.call(bob, "deletePushRule", rule)).status, 200);
        EXPECT_EQ((co_await h.call(bob, "deletePushRule", rule)).errcode(), "M_NOT_FOUND");
        EXPECT_EQ(
            (co_await h.call(bob, "setPushRule", {{"kind", "odd"}, {"ruleId", "a"}}, {}, "{}")).errcode(),
            "M_INVALID_PARAM");
        const auto all = co_await h.call(bob, "getPushRules");
        EXPECT_EQ(all.body.at("global").at("override").at(0).at("rule_id"), ".m.rule.master");
        EXPECT_EQ(
            (co_await h.call(bob, "getPushRulesOfKind", {{"kind", "underride"}})).body.as_array().size(), 5U);
    });
}

TEST(SyncService, presence_is_shared_with_those_who_share_a_room) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto eve = co_await h.person("eve");
        const auto room = co_await h.room({ann, bob});
        std::string since;
        std::string eve_since;
        co_await h.poll(bob, since);
        co_await h.poll(eve, eve_since);
        const TestHouse::Values anns{{"userId", "@ann:x"}};
        EXPECT_EQ((co_await h.call(bob, "getPresence", anns)).body.at("presence"), "offline");
        EXPECT_EQ(
            (co_await h.call(ann, "setPresence", anns, {}, R"({"presence":"online","status_msg":"在忙"})"))
                .status,
            200);
        const auto answer = co_await h.poll(bob, since, "20000");
        EXPECT_EQ(answer.at("presence").at("events").at(0).at("content").at("status_msg"), "在忙");
        EXPECT_TRUE((co_await h.poll(eve, eve_since)).at("presence").at("events").as_array().empty());
        EXPECT_EQ((co_await h.call(bob, "getPresence", anns)).body.at("presence"), "online");
        EXPECT_EQ((co_await h.call(eve, "getPresence", anns)).errcode(), "M_FORBIDDEN");
        EXPECT_EQ((co_await h.call(eve, "getPresence", {{"userId", "@nobody:x"}})).errcode(), "M_NOT_FOUND");
        EXPECT_EQ((co_await h.call(eve, "setPresence", anns, {}, R"({"presence":"online"})")).errcode(),
                  "M_FORBIDDEN");
        EXPECT_EQ((co_await h.call(ann, "setPresence", anns, {}, R"({"presence":"busy"})")).errcode(),
                  "M_BAD_JSON");
    });
}

TEST(SyncService, two_devices_that_differ_in_presence_leave_each_other_waiting) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        auto phone = ann;
        phone.device = identity::DeviceNumber{ann.device.value + 1};
        const auto room = co_await h.room({ann});
        std::string desk_since;
        co_await h.poll(ann, desk_since);
        runtime::TaskGroup group(h.runtime, "parked");
        auto desk = std::make_shared<Parked>();
        group.spawn(park(h, ann, desk_since, desk));
        std::string phone_since;
        co_await h.poll(phone, phone_since, "0", {}, "unavailable");
        // What was told of before the two were there; then nothing happens.
        const auto told = co_await h.poll(phone, phone_since, "0", {}, "unavailable");
        EXPECT_TRUE(told.at("presence").at("events").as_array().empty());
        const auto waited = co_await h.poll(phone, phone_since, "2500", {}, "unavailable");
        EXPECT_TRUE(waited.at("presence").at("events").as_array().empty());
        EXPECT_FALSE(desk->is_done);
        co_await h.say(room, ann, "hello");
        co_await until(desk->is_done);
        co_await group.stop();
    });
}

TEST(SyncService, tells_of_the_tag_of_a_room_that_was_left) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann, bob});
        co_await h.set_member(room, bob, bob, "leave");
        std::string since;
        co_await h.poll(bob, since);
        runtime::TaskGroup group(h.runtime, "parked");
        auto parked = std::make_shared<Parked>();
        group.spawn(park(h, bob, since, parked));
        const std::string filter = R"({"room":{"include_leave":true}})";
        std::string archive;
        co_await h.poll(bob, archive, "0", filter);
        EXPECT_EQ(
            (co_await h.call(bob, "setRoomTag",
                             {{"userId", "@bob:x"}, {"roomId", room}, {"tag", "m.favourite"}}, {}, "{}"))
                .status,
            200);
        const auto answer = co_await h.poll(bob, archive, "20000", filter);
        const auto* left = base::get_object(answer.at("rooms").at("leave").as_object(), room);
        EXPECT_NE(left, nullptr);
        if (left != nullptr) {
            EXPECT_EQ(types(left->at("account_data").at("events")), "m.tag ");
        }
        EXPECT_FALSE(parked->is_done) << "who asks for no rooms that were left is not woken";
        h.sync->release_all();
        co_await group.stop();
    });
}

TEST(SyncService, lists_what_notified) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto one = co_await h.room({ann, bob});
        const auto two = co_await h.room({ann, bob});
        for (int i = 0; i < 40; ++i) co_await h.say(i % 2 == 0 ? one : two, ann, std::to_string(i));
        co_await h.say(one, bob, "mine");
        std::string from;
        std::string seen;
        for (int page = 0; page < 10; ++page) {
            TestHouse::Values query{{"limit", "15"}};
            if (!from.empty()) query.emplace_back("from", from);
            const auto answer = co_await h.call(bob, "getNotifications", {}, query);
            for (const auto& item : answer.body.at("notifications").as_array())
                seen.append(item.at("event").at("content").at("body").as_string()).push_back(' ');
            const auto* next = answer.body.as_object().if_contains("next_token");
            if (next == nullptr) break;
            from = next->as_string();
        }
        std::string expected;
        for (int i = 39; i >= 0; --i) expected.append(std::to_string(i)).push_back(' ');
        EXPECT_EQ(seen, expected);
        const auto none = co_await h.call(bob, "getNotifications", {}, {{"only", "highlight"}});
        EXPECT_TRUE(none.body.at("notifications").as_array().empty());
        EXPECT_EQ((co_await h.call(bob, "getNotifications", {}, {{"from", "x"}})).errcode(),
                  "M_INVALID_PARAM");
    });
}

TEST(SyncService, pushers_are_kept_and_move_with_the_phone) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const std::string pusher =
            R"({"app_id":"a","pushkey":"k","kind":"http","app_display_name":"A","device_display_name":"D",)"
            R"("lang":"zh","data":{"url":"https://p.example/_matrix/push/v1/notify"}})";
        EXPECT_EQ((co_await h.call(ann, "postPusher", {}, {}, pusher)).status, 200);
        EXPECT_EQ((co_await h.call(ann, "getPushers")).body.at("pushers").at(0).at("pushkey"), "k");
        EXPECT_EQ((co_await h.call(bob, "postPusher", {}, {}, pusher)).status, 200);
        EXPECT_TRUE((co_await h.call(ann, "getPushers")).body.at("pushers").as_array().empty());
        EXPECT_EQ((co_await h.call(bob, "postPusher", {}, {}, R"({"app_id":"a","pushkey":"k","kind":null})"))
                      .status,
                  200);
        EXPECT_TRUE((co_await h.call(bob, "getPushers")).body.at("pushers").as_array().empty());
        EXPECT_EQ((co_await h.call(bob, "postPusher", {}, {}, R"({"app_id":"a","kind":"http"})")).errcode(),
                  "M_MISSING_PARAM");
        EXPECT_EQ((co_await h.call(bob, "getTurnServer")).body.at("uris").as_array().size(), 0U);
    });
}

TEST(SyncService, filters_are_stored_and_named_in_requests) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({ann});
        const TestHouse::Values mine{{"userId", "@ann:x"}};
        const auto made =
            co_await h.call(ann, "defineFilter", mine, {}, R"({"room":{"timeline":{"limit":1}}})");
        const std::string id(made.body.at("filter_id").as_string());
        const auto again =
            co_await h.call(ann, "defineFilter", mine, {}, R"({"room":{"timeline":{"limit":1}}})");
        EXPECT_EQ(again.body.at("filter_id").as_string(), id);
        std::string since;
        const auto answer = co_await h.poll(ann, since, "0", id);
        EXPECT_EQ(joined(answer, room)->at("timeline").at("events").as_array().size(), 1U);
        const auto read = co_await h.call(ann, "getFilter", {{"userId", "@ann:x"}, {"filterId", id}});
        EXPECT_EQ(read.body.at("room").at("timeline").at("limit"), 1);
        EXPECT_EQ((co_await h.call(ann, "getFilter", {{"userId", "@ann:x"}, {"filterId", "99"}})).errcode(),
                  "M_NOT_FOUND");
        EXPECT_EQ((co_await h.call(bob, "defineFilter", mine, {}, "{}")).errcode(), "M_FORBIDDEN");
        for (const auto& [name, value] : TestHouse::Values{{"filter", "99"},
                                                           {"filter", "{"},
                                                           {"since", "nonsense"},
                                                           {"timeout", "-1"},
                                                           {"timeout", "soon"},
                                                           {"full_state", "maybe"},
                                                           {"set_presence", "asleep"}}) {
            const auto refused = co_await h.call(ann, "sync", {}, {{name, value}});
            EXPECT_EQ(refused.status, 400) << name << "=" << value;
        }
    });
}

TEST(SyncService, an_erased_person_leaves_nothing_behind) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const TestHouse::Values mine{{"userId", "@ann:x"}, {"type", "a"}};
        co_await h.call(ann, "setAccountData", mine, {}, "{}");
        co_await h.call(ann, "defineFilter", mine, {}, "{}");
        const auto left = co_await h.database->write(
            {"test"}, [user = ann.user](storage::Transaction& tx) -> base::Result<std::int64_t> {
                erase_user(tx, user);
                std::int64_t rows = 0;
                for (const auto sql : {"SELECT count(*) FROM account_data", "SELECT count(*) FROM receipt",
                                       "SELECT count(*) FROM sync_filter", "SELECT count(*) FROM pusher",
                                       "SELECT count(*) FROM presence_status"}) {
                    auto statement = tx.prepare(sql);
                    statement.step();
                    rows += statement.integer(0);
                }
                return rows;
            });
        EXPECT_EQ(left.value(), 0);
    });
}

}  // namespace
}  // namespace chat
