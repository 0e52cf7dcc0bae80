#include "sync/account_data_store.h"
#include "sync/answer.h"
#include "sync_oracle.h"
#include "test_house.h"
#include "test_room.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include <base/random.h>

namespace chat {
namespace {

using runtime::Task;

template <class T>
const T& pick(base::Random& random, const std::vector<T>& from) {
    return from[random.below(from.size())];
}

/// Every kind of client, so that each seed meets all of them.
std::vector<SyncWish> all_wishes() {
    return {{.limit = 1},
            {.limit = 20, .include_leave = true},
            {.limit = 3, .is_after = true, .include_leave = true},
            {.limit = 4, .is_lazy = true, .include_leave = true},
            {.limit = 2, .is_lazy = true, .is_after = true},
            {.limit = 3, .only_messages = true, .include_leave = true},
            {.limit = 5, .is_after = true, .only_messages = true}};
}

/// Something that happens in a room; what its rules refuse does not happen.
void act(base::Random& random, RoomWriter& writer, const std::vector<Actor>& people) {
    const auto& actor = pick(random, people);
    const auto& other = pick(random, people);
    const auto member = [&](const Actor& target, std::string_view membership) {
        (void)writer.append_state(actor, "m.room.member", target.user_id,
                                  {{"membership", membership}, {"displayname", random.alphanumeric(2)}});
    };
    const auto say = [&] {
        const auto content =
            prepare_content("m.room.message", {{"msgtype", "m.text"}, {"body", random.alphanumeric(5)}})
                .value();
        (void)writer.append({.type = "m.room.message",
                             .state_key = {},
                             .sender = actor.user,
                             .sender_id = actor.user_id,
                             .content = content,
                             .now_ms = writer.now_ms()});
    };
    static constexpr std::array kVisibilities{"shared", "joined", "invited", "world_readable"};
    static constexpr std::array kRules{"public", "invite", "knock"};
    switch (random.below(20)) {
        case 0:
        case 1:
            return member(actor, "join");
        case 2:
            return member(actor, "leave");
        case 3:
        case 4:
            return member(other, "invite");
        case 5:
            return member(other, random.below(2) == 0 ? "leave" : "ban");
        case 6:
            return member(actor, "knock");
        case 7:
            return void(writer.append_state(actor, "m.room.name", "", {{"name", random.alphanumeric(4)}}));
        case 8:
            return void(writer.append_state(actor, "im.lingxi.test", random.alphanumeric(1),
                                            {{"value", random.alphanumeric(4)}}));
        case 9:
            return void(writer.append_state(actor, "m.room.history_visibility", "",
                                            {{"history_visibility", kVisibilities.at(random.below(4))}}));
        case 10:
            return void(writer.append_state(actor, "m.room.join_rules", "",
                                            {{"join_rule", kRules.at(random.below(3))}}));
        case 11:
            for (int i = 0; i < 6; ++i) say();
            return;
        default:
            return say();
    }
}

/// A device and all that it heard.
struct Device {
    Actor actor;
    SyncWish wish;
    std::vector<Heard> heard;
    std::optional<StreamToken> since;
};

/// Answers are made from a snapshot that is ahead of what they may tell, as it is with many writers.
TEST(SyncModel, no_event_is_lost_doubled_or_disordered_however_far_the_snapshot_is_ahead) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        base::SeededRandom random(seed);
        TestServer server;
        std::vector<Actor> people;
        for (const auto* name : {"ann", "bob", "eve", "zoe"}) people.push_back(server.person(name));
        std::vector<RoomWriter> rooms;
        for (int i = 0; i < 3; ++i)
            rooms.push_back(server.room(people[static_cast<std::size_t>(i)], {},
                                        i == 0 ? RoomVersion::v11 : RoomVersion::v12));
        std::vector<Device> devices;
        for (const auto& wish : all_wishes()) devices.push_back({pick(random, people), wish, {}, {}});
        put_account_data(server.tx(), people.back().user, kNoRoom, "m.ignored_user_list",
                         R"({"ignored_users":{"@bob:x":{}}})");
        for (auto& device : devices) {
            if (device.actor.user == people.back().user) device.wish.ignored = {"@bob:x"};
        }

        const auto ask = [&](Device& device, std::size_t actions_meanwhile) {
            SyncQuery query;
            query.user = device.actor.user;
            query.user_id = device.actor.user_id;
            if (random.below(12) == 0) device.since.reset();  // it has lost all and begins anew
            query.since = device.since;
            query.now[Stream::events] = last_position(server.tx(), Stream::events);
            query.filter =
                std::make_shared<const SyncFilter>(SyncFilter::parse_text(device.wish.filter()).value());
            query.state_mode.after = device.wish.is_after;
            query.full_state = random.below(10) == 0;
            for (std::size_t i = 0; i < actions_meanwhile; ++i)
                act(random, rooms[random.below(rooms.size())], people);
            RoomReads reads(server.tx());
            const auto answer = make_answer(reads, query);
            if (random.below(8) == 0) return;  // lost on the way: it asks again from where it was
            device.heard.push_back(
                {device.since, query.full_state, base::parse_json(answer.body, 10'000'000).value()});
            device.since = query.now;
        };
        for (int step = 0; step < 400; ++step) {
            act(random, rooms[random.below(rooms.size())], people);
            if (random.below(3) == 0) ask(devices[random.below(devices.size())], random.below(4));
        }
        for (auto& device : devices) ask(device, 0);

        const SyncOracle oracle(server.tx());
        for (const auto& device : devices)
            ASSERT_EQ(oracle.check(device.actor.user_id, device.wish, device.heard), "");
    }
}

/// The service itself, with its memory, its parked requests and its threads.
struct World {
    TestHouse& house;
    std::vector<Actor> people;
    std::vector<std::string> rooms;
    bool is_over = false;
    bool is_pausing = false;
    int asking = 0;
};

Task<void> live(World& world, Device& device, std::uint64_t seed) {
    base::SeededRandom random(seed);
    bool was_over = false;
    while (!was_over) {
        was_over = world.is_over;
        while (world.is_pausing) co_await runtime::sleep_for(std::chrono::milliseconds(1));
        const bool full_state = random.below(15) == 0;
        if (random.below(20) == 0) device.since.reset();  // it has lost all and begins anew
        TestHouse::Values query{{"filter", device.wish.filter()},
                                {"timeout", std::to_string(was_over ? 0 : random.below(15))},
                                {"full_state", full_state ? "true" : "false"},
                                {"set_presence", "offline"},
                                {device.wish.is_after ? "use_state_after" : "x", "true"}};
        if (device.since) query.emplace_back("since", device.since->text());
        ++world.asking;
        auto answer = co_await world.house.call(device.actor, "sync", {}, std::move(query));
        --world.asking;
        EXPECT_EQ(answer.status, 200);
        if (!was_over && random.below(10) == 0) continue;  // the answer is lost
        const auto next = StreamToken::parse(std::string(answer.body.at("next_batch").as_string())).value();
        device.heard.push_back({device.since, full_state, std::move(answer.body)});
        device.since = next;
        if (random.below(3) == 0) co_await runtime::sleep_for(std::chrono::milliseconds(random.below(12)));
    }
}

Task<void> act_in(World& world, base::Random& random) {
    const auto room_id = pick(random, world.rooms);
    const auto seed = random.next_u64();
    (void)co_await world.house.write(
        [&world, room_id, seed](storage::Transaction& tx) -> base::Result<RoomWriter> {
            base::SeededRandom inner(seed);
            RoomWriter writer(tx, load_rules(tx, find_room(tx, room_id).value()), 2000);
            act(inner, writer, world.people);
            return writer;
        });
}

/// A new service takes the old one's place, whose memory is gone; events go on meanwhile.
Task<void> restart(World& world, base::Random& random, std::vector<std::unique_ptr<Sync>>& old) {
    world.is_pausing = true;
    world.house.sync->release_all();
    while (world.asking > 0) co_await runtime::sleep_for(std::chrono::milliseconds(1));
    co_await world.house.sync->stop();
    old.push_back(std::move(world.house.sync));
    auto& house = world.house;
    house.sync =
        std::make_unique<Sync>(house.runtime, *house.database, house.clock, house.random, house.news);
    runtime::TaskGroup group(house.runtime, "meanwhile");
    for (int i = 0; i < 5; ++i) group.spawn(act_in(world, random));
    EXPECT_TRUE(co_await house.sync->start());
    house.routes = house.sync->routes();
    world.is_pausing = false;
    EXPECT_TRUE(co_await group.wait(std::chrono::seconds(60)));
}

TEST(SyncModel, clients_that_come_and_go_hear_all_across_restarts_of_the_service) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::vector<Device> devices;
        TestHouse house;
        std::vector<std::unique_ptr<Sync>> old;  // they listen to the news as long as those are told
        house.run([&](TestHouse& h) -> Task<void> {
            base::SeededRandom random(seed);
            World world{.house = h, .people = {}, .rooms = {}};
            for (const auto* name : {"ann", "bob", "eve", "zoe"})
                world.people.push_back(co_await h.person(name));
            for (int i = 0; i < 3; ++i)
                world.rooms.push_back(co_await h.room({world.people[static_cast<std::size_t>(i)]}));
            for (const auto& wish : all_wishes()) {
                auto actor = pick(random, world.people);
                actor.device = identity::DeviceNumber{1000 + static_cast<std::int64_t>(devices.size())};
                devices.push_back({actor, wish, {}, {}});
            }
            runtime::TaskGroup group(h.runtime, "devices");
            for (std::size_t i = 0; i < devices.size(); ++i)
                group.spawn(live(world, devices[i], seed * 100 + i));
            for (int step = 0; step < 250; ++step) {
                co_await act_in(world, random);
                if (random.below(4) == 0)
                    co_await runtime::sleep_for(std::chrono::milliseconds(random.below(6)));
                if (step % 80 == 79) co_await restart(world, random, old);
            }
            world.is_over = true;
            EXPECT_TRUE(co_await group.wait(std::chrono::seconds(120)));
            auto oracle = co_await h.database->read(
                [](storage::Transaction& tx) -> base::Result<SyncOracle> { return SyncOracle(tx); });
            std::size_t answers = 0;
            for (const auto& device : devices) {
                EXPECT_EQ(oracle.value().check(device.actor.user_id, device.wish, device.heard), "");
                answers += device.heard.size();
            }
            EXPECT_GT(answers, devices.size() * 5);
        });
    }
}

}  // namespace
}  // namespace chat
