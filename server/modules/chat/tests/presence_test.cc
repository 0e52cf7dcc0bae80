#include "sync/presence.h"

#include <chrono>

#include <gtest/gtest.h>

#include <base/clock.h>

namespace chat {
namespace {

using std::chrono::seconds;

class Presences : public testing::Test {
  protected:
    static constexpr identity::UserNumber kAnn{1};
    static constexpr Presence::Speaker kDesk{kAnn, identity::DeviceNumber{10}};
    static constexpr Presence::Speaker kPhone{kAnn, identity::DeviceNumber{11}};

    std::uint64_t begins(Presence::Speaker speaker, PresenceState says) {
        return presence.poll_begins(speaker, "@ann:x", says);
    }
    void ends(std::uint64_t poll) { presence.poll_ends(kAnn, poll); }
    void pass(seconds time) {
        for (seconds passed{0}; passed < time; ++passed) {
            clock.advance(seconds{1});
            presence.expire();
        }
    }
    PresenceState state() { return presence.find(kAnn)->state; }
    /// Whether somebody would be told of something since this was asked last.
    bool has_news() { return !presence.take_news().empty(); }

    base::ManualClock clock;
    Presence presence{clock};
};

TEST_F(Presences, are_those_of_the_most_active_device_and_no_news_while_that_stays) {
    auto desk = begins(kDesk, PresenceState::online);
    auto phone = begins(kPhone, PresenceState::unavailable);
    EXPECT_TRUE(has_news());
    const auto position = presence.last();
    for (int turn = 0; turn < 20; ++turn) {
        pass(seconds{1});
        ends(phone);
        ends(desk);
        pass(seconds{1});
        phone = begins(kPhone, PresenceState::unavailable);
        desk = begins(kDesk, PresenceState::online);
        EXPECT_EQ(state(), PresenceState::online);
    }
    EXPECT_FALSE(has_news());
    EXPECT_EQ(presence.last(), position);

    ends(desk);
    pass(seconds{30});
    EXPECT_EQ(state(), PresenceState::online);
    pass(seconds{30});
    EXPECT_EQ(state(), PresenceState::unavailable) << "the phone is still there";
    ends(phone);
    pass(seconds{60});
    EXPECT_EQ(state(), PresenceState::offline);
    EXPECT_TRUE(has_news());
}

TEST_F(Presences, of_a_device_that_goes_idle_follow_it_soon) {
    ends(begins(kDesk, PresenceState::online));
    const auto idle = begins(kDesk, PresenceState::unavailable);
    pass(seconds{10});
    EXPECT_EQ(state(), PresenceState::unavailable);
    ends(idle);
    begins(kDesk, PresenceState::online);
    EXPECT_EQ(state(), PresenceState::online) << "at once";
}

TEST_F(Presences, are_not_contradicted_by_another_window_of_the_same_device) {
    auto busy = begins(kDesk, PresenceState::online);
    auto idle = begins(kDesk, PresenceState::unavailable);
    EXPECT_TRUE(has_news());
    for (int turn = 0; turn < 20; ++turn) {
        ends(busy);
        ends(idle);
        idle = begins(kDesk, PresenceState::unavailable);
        pass(seconds{2});
        busy = begins(kDesk, PresenceState::online);
        pass(seconds{10});
        EXPECT_EQ(state(), PresenceState::online);
    }
    EXPECT_FALSE(has_news());
}

TEST_F(Presences, are_what_a_device_says_of_itself_outright) {
    const auto poll = begins(kDesk, PresenceState::online);
    presence.set(kDesk, "@ann:x", PresenceState::unavailable, std::nullopt);
    EXPECT_EQ(state(), PresenceState::unavailable) << "though it is asking";
    ends(poll);
    EXPECT_EQ(state(), PresenceState::unavailable);
    EXPECT_TRUE(has_news());
    presence.set(kDesk, "@ann:x", PresenceState::unavailable, std::nullopt);
    EXPECT_FALSE(has_news());
    presence.set(kDesk, "@ann:x", PresenceState::unavailable, "away");
    EXPECT_TRUE(has_news());

    begins(kPhone, PresenceState::online);
    EXPECT_EQ(state(), PresenceState::online);
    presence.set(kDesk, "@ann:x", PresenceState::offline, std::nullopt);
    EXPECT_EQ(state(), PresenceState::online);
}

TEST_F(Presences, of_who_is_forgotten_are_known_to_nobody) {
    const auto poll = begins(kDesk, PresenceState::online);
    presence.set(kDesk, "@ann:x", PresenceState::online, "away");
    presence.forget(kAnn);
    EXPECT_EQ(presence.find(kAnn), nullptr);
    EXPECT_TRUE(presence.changed_since(0, 10).empty());
    ends(poll);
    pass(seconds{60});
    EXPECT_EQ(presence.find(kAnn), nullptr);
    begins(kDesk, PresenceState::online);
    EXPECT_EQ(presence.changed_since(0, 10).size(), 1U);
    EXPECT_EQ(presence.find(kAnn)->status_message, "");
}

TEST_F(Presences, hold_when_devices_come_and_go_without_end) {
    const auto there = begins(kDesk, PresenceState::online);
    for (int i = 0; i < 1'000; ++i)
        ends(begins({kAnn, identity::DeviceNumber{100 + i}}, PresenceState::unavailable));
    EXPECT_EQ(state(), PresenceState::online);
    ends(there);
    pass(seconds{60});
    EXPECT_EQ(state(), PresenceState::offline);
}

}  // namespace
}  // namespace chat
