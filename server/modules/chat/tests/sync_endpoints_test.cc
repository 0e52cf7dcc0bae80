#include "test_house.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace chat {
namespace {

using Json = base::json::value;
using runtime::Task;

TEST(SyncEndpoints, who_comes_into_a_room_learns_who_is_there) {
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

TEST(SyncEndpoints, typing_is_told_and_ends) {
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

TEST(SyncEndpoints, receipts_move_the_count_and_are_told) {
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

TEST(SyncEndpoints, account_data_and_tags_reach_the_other_device) {
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

TEST(SyncEndpoints, push_rules_are_not_kept_without_end) {
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

TEST(SyncEndpoints, muting_a_room_silences_it) {
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

TEST(SyncEndpoints, presence_is_shared_with_those_who_share_a_room) {
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

TEST(SyncEndpoints, lists_what_notified) {
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

TEST(SyncEndpoints, pushers_are_kept_and_move_with_the_phone) {
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

TEST(SyncEndpoints, filters_are_stored_and_named_in_requests) {
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

TEST(SyncEndpoints, a_person_of_whom_much_is_kept_is_erased_in_jobs_that_hold_up_nobody) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const auto count = [&h](std::string_view sql) -> Task<std::int64_t> {
            const auto rows =
                co_await h.database->read([sql](storage::Transaction& tx) -> base::Result<std::int64_t> {
                    auto statement = tx.prepare(sql);
                    statement.step();
                    return statement.integer(0);
                });
            co_return rows.value();
        };
        // Whoever reads in threads has a receipt for each.
        const auto kept = co_await h.database->write(
            {"test"}, [user = ann.user](storage::Transaction& tx) -> base::Result<void> {
                for (int i = 0; i < 30; ++i) {
                    tx.prepare(
                          "INSERT INTO receipt (room_number, user_number, kind, thread_id, event_position, "
                          "event_id, ts_ms, position) VALUES (1, ?1, 1, ?2, 1, '$e', 1, 1)")
                        .bind(user, std::to_string(i))
                        .run();
                    tx.prepare(
                          "INSERT INTO account_data (user_number, room_number, type, position, json) "
                          "VALUES (?1, 0, ?2, ?3, '{}')")
                        .bind(user, std::to_string(i), i + 1)
                        .run();
                }
                return {};
            });
        EXPECT_TRUE(kept);
        for (int jobs = 0; jobs < 3; ++jobs) {
            const auto is_all = co_await h.database->write(
                {"test"}, [user = ann.user](storage::Transaction& tx) -> base::Result<bool> {
                    return erase_some_of(tx, user, 20);
                });
            EXPECT_FALSE(is_all.value());
            const auto left =
                co_await count("SELECT (SELECT count(*) FROM receipt) + count(*) FROM account_data");
            EXPECT_EQ(left, 60 - 20 * (jobs + 1));
        }
        EXPECT_TRUE(co_await h.sync->erase_user(ann.user)) << "one goes on where another stopped";
    });
}

TEST(SyncEndpoints, an_erased_person_leaves_nothing_behind) {
    TestHouse house;
    house.run([](TestHouse& h) -> Task<void> {
        const auto ann = co_await h.person("ann");
        const TestHouse::Values mine{{"userId", "@ann:x"}, {"type", "a"}};
        co_await h.call(ann, "setAccountData", mine, {}, "{}");
        co_await h.call(ann, "defineFilter", mine, {}, "{}");
        co_await h.call(ann, "setPresence", mine, {}, R"({"presence":"online","status_msg":"在忙"})");
        const auto left = co_await h.database->write(
            {"test"}, [user = ann.user](storage::Transaction& tx) -> base::Result<std::int64_t> {
                EXPECT_TRUE(erase_some_of(tx, user));
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
        h.sync->forget(ann.user);
        const auto presence = co_await h.call(ann, "getPresence", mine);
        EXPECT_FALSE(presence.body.as_object().contains("status_msg"));
        EXPECT_FALSE(presence.body.as_object().contains("last_active_ago"));
    });
}

}  // namespace
}  // namespace chat
