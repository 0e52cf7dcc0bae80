// Whom presence is told to: nobody misses a change, however many others there are and whatever restarts.
#include "sync/presence.h"
#include "test_house.h"

#include <chrono>
#include <set>

namespace chat {
namespace {

using std::chrono::seconds;

constexpr int kCrowd = 1'100;  // more than one answer looks at

identity::UserNumber user(int number) {
    return identity::UserNumber{number};
}
Presence::Speaker device_of(int number) {
    return {user(number), identity::DeviceNumber{number * 10}};
}
std::string name_of(int number) {
    return "@u" + std::to_string(number) + ":x";
}

/// What somebody hears who asks on from `token`, and where they go on.
std::map<std::string, PresenceState> hear(const Presence& presence, std::int64_t& token) {
    std::map<std::string, PresenceState> heard;
    for (const auto& change : presence.changed_since(token, 100))
        heard[change.known.user_id] = change.known.state;
    token = presence.last();
    return heard;
}
using Heard = std::map<std::string, PresenceState>;

TEST(PresenceTold, in_pages_tells_all) {
    base::ManualClock clock;
    Presence presence(clock);
    const auto start = presence.last();
    for (int i = 1; i <= 2'500; ++i) presence.poll_begins(device_of(i), name_of(i), PresenceState::online);
    for (const auto first : {std::int64_t{0}, start}) {
        std::set<identity::UserNumber> told;
        std::size_t pages = 0;
        for (auto after = first; after != presence.last(); ++pages) {
            const auto end = presence.page_end(after, 1'000);
            for (const auto& change : presence.changed_since(after, 1'000)) {
                EXPECT_LE(change.known.position, end);
                told.insert(change.user);
            }
            after = end;
        }
        EXPECT_EQ(told.size(), 2'500U);
        EXPECT_EQ(pages, 3U);
    }
}

TEST(PresenceTold, after_a_restart_is_that_of_those_who_do_not_come_back) {
    base::ManualClock clock;
    Presence before(clock);
    auto token = before.last();
    clock.advance(seconds{1});
    Presence presence(clock);
    presence.restore(user(1), name_of(1), "", true);
    presence.restore(user(2), name_of(2), "in a meeting", true);
    presence.restore(user(3), name_of(3), "on holiday", false);
    EXPECT_EQ(hear(presence, token), Heard{}) << "they know";
    std::int64_t anew = 0;
    EXPECT_EQ(hear(presence, anew), (Heard{{name_of(1), PresenceState::online},
                                           {name_of(2), PresenceState::online},
                                           {name_of(3), PresenceState::offline}}));
    presence.poll_begins(device_of(2), name_of(2), PresenceState::unavailable);
    EXPECT_EQ(hear(presence, token), (Heard{{name_of(2), PresenceState::unavailable}}));
    clock.advance(seconds{60});
    presence.expire();
    EXPECT_EQ(hear(presence, token), (Heard{{name_of(1), PresenceState::offline}}));
    EXPECT_EQ(hear(presence, anew),
              (Heard{{name_of(1), PresenceState::offline}, {name_of(2), PresenceState::unavailable}}));
}

TEST(PresenceTold, is_stored_where_somebody_has_come_or_gone) {
    base::ManualClock clock;
    Presence presence(clock);
    presence.restore(user(1), name_of(1), "", true);
    EXPECT_TRUE(presence.take_unstored(10).empty());
    const auto poll = presence.poll_begins(device_of(2), name_of(2), PresenceState::online);
    auto taken = presence.take_unstored(10);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken.front().user, user(2));
    EXPECT_TRUE(taken.front().is_here);
    EXPECT_TRUE(presence.take_unstored(10).empty());
    presence.keep_unstored(taken);
    EXPECT_EQ(presence.take_unstored(10).size(), 1U);
    presence.poll_ends(user(2), poll);
    clock.advance(seconds{60});
    presence.expire();
    EXPECT_EQ(presence.take_unstored(1).size(), 1U);
    taken = presence.take_unstored(10);
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_FALSE(taken.front().is_here);
    // Came back before it was known that the storing had failed: nothing is to be stored.
    presence.poll_begins(device_of(1), name_of(1), PresenceState::online);
    presence.poll_begins(device_of(2), name_of(2), PresenceState::online);
    EXPECT_EQ(presence.take_unstored(10).size(), 2U);
}

std::map<std::string, std::string> told_in(const base::json::value& answer) {
    std::map<std::string, std::string> told;
    for (const auto& event : answer.at("presence").at("events").as_array())
        told[std::string(event.at("sender").as_string())] = event.at("content").at("presence").as_string();
    return told;
}
using Told = std::map<std::string, std::string>;

TEST(PresenceTold, of_a_friend_is_not_lost_among_strangers) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        co_await h.room({ann, bob});
        const auto set = [&](const Actor& actor, std::string body) -> runtime::Task<void> {
            const auto answer =
                co_await h.call(actor, "setPresence", {{"userId", actor.user_id}}, {}, std::move(body));
            EXPECT_EQ(answer.status, 200);
        };
        std::string since;
        (void)co_await h.poll(ann, since, "0", {}, "offline");
        co_await set(bob, R"({"presence":"unavailable"})");
        for (int i = 0; i < kCrowd; ++i) {
            const auto number = static_cast<std::int64_t>(i) + 1'000;
            co_await set({user(static_cast<int>(number)), name_of(i), identity::DeviceNumber{number}, false},
                         R"({"presence":"online"})");
        }
        std::string anew;
        EXPECT_EQ(told_in(co_await h.poll(ann, since, "0", {}, "offline")),
                  (Told{{"@bob:x", "unavailable"}}));
        EXPECT_EQ(told_in(co_await h.poll(ann, since, "0", {}, "offline")), Told{});
        auto told = told_in(co_await h.poll(ann, anew, "0", {}, "offline"));
        told.merge(told_in(co_await h.poll(ann, anew, "0", {}, "offline")));
        EXPECT_EQ(told, (Told{{"@bob:x", "unavailable"}}));
    });
}

TEST(PresenceTold, is_kept_over_a_restart) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        co_await h.room({ann, bob});
        std::string bobs;
        (void)co_await h.poll(bob, bobs);
        const auto is_stored = [&]() -> runtime::Task<bool> {
            const auto stored =
                co_await h.database->read([bob](storage::Transaction& tx) -> base::Result<bool> {
                    auto row =
                        tx.prepare("SELECT 1 FROM presence_status WHERE user_number = ?1 AND is_here = 1");
                    row.bind(bob.user);
                    return row.step();
                });
            co_return stored.value();
        };
        while (!co_await is_stored()) co_await runtime::sleep_for(std::chrono::milliseconds(20));
        co_await h.restart();
        std::string since;
        EXPECT_EQ(told_in(co_await h.poll(ann, since, "0", {}, "offline")), (Told{{"@bob:x", "online"}}));
    });
}

}  // namespace
}  // namespace chat
