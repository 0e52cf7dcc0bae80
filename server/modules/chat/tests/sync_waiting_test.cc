#include "test_house.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

using Json = base::json::value;
using runtime::Task;

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

TEST(SyncWaiting, wakes_who_waits_in_the_room_and_nobody_else) {
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

TEST(SyncWaiting, an_invitation_wakes_whom_it_is_for) {
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

TEST(SyncWaiting, tells_of_the_tag_of_a_room_that_was_left) {
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

TEST(SyncWaiting, two_devices_that_differ_in_presence_leave_each_other_waiting) {
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

TEST(SyncWaiting, a_crowd_that_wakes_at_once_is_answered_by_few_reads) {
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

TEST(SyncWaiting, goes_on_from_a_token_of_before_a_restart) {
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

TEST(SyncWaiting, news_that_come_while_it_starts_are_told) {
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

TEST(SyncWaiting, the_end_of_a_room_that_was_forgotten_at_once_is_told_to_the_other_device) {
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

}  // namespace
}  // namespace chat
