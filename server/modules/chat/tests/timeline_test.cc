#include "event/hashes.h"
#include "event/signing.h"
#include "rooms/state_store.h"
#include "test_room.h"
#include "timeline/event_json.h"
#include "timeline/federation_format.h"
#include "timeline/relation_store.h"

#include <algorithm>

namespace chat {
namespace {

TEST(Timeline, is_a_line_of_events_that_can_be_signed_and_verified) {
    for (const auto version : {RoomVersion::v11, RoomVersion::v12}) {
        TestServer server;
        const auto alice = server.person("alice");
        const auto bob = server.person("bob");
        auto room = server.room(alice, {bob}, version);
        const auto last = server.say(room, bob, "hello 世界");
        const ServerKey key{base::SigningKey::from_seed({7}), "ed25519:t"};

        std::string previous;
        const auto events = events_after(server.tx(), room.room().number, {}, last.position, 100);
        ASSERT_EQ(events.size(), 6u);
        std::int64_t depth = 0;
        for (const auto& event : events) {
            const auto whole = federation_event(server.tx(), room.room(), event, key);
            ASSERT_TRUE(whole);
            EXPECT_TRUE(verify_event(*whole, "x", "ed25519:t", key.key.public_key()));
            EXPECT_EQ(event_id_of(*reference_hash(*whole)).value, event.event_id());
            EXPECT_EQ(whole->at("depth").as_int64(), ++depth);
            const auto& before = whole->at("prev_events").as_array();
            EXPECT_EQ(before.empty() ? "" : std::string(before.at(0).as_string()), previous);
            previous = event.event_id();
        }
        const auto create = *federation_event(server.tx(), room.room(), events.front(), key);
        const auto join = *federation_event(server.tx(), room.room(), events.at(4), key);
        if (version == RoomVersion::v12) {
            EXPECT_FALSE(create.contains("room_id"));
            EXPECT_EQ(room.room().id.value, "!" + std::string(events.front().event_id().substr(1)));
            EXPECT_EQ(join.at("auth_events").as_array().size(), 2u);  // power levels, join rules
        } else {
            EXPECT_EQ(create.at("room_id").as_string(), room.room().id.value);
            EXPECT_EQ(join.at("auth_events").as_array().size(), 3u);
        }
    }
}

TEST(Timeline, an_event_names_its_senders_member_event_as_it_is_now) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob}, RoomVersion::v11);
    const auto renamed = room.append_state(bob, "m.room.member", bob.user_id,
                                           {{"membership", "join"}, {"displayname", "Bob"}});
    ASSERT_TRUE(renamed);
    const auto said = server.say(room, bob, "hello");
    const ServerKey key{base::SigningKey::from_seed({7}), "ed25519:t"};
    const auto event = find_event(server.tx(), room.room().number, said.position);
    const auto whole = federation_event(server.tx(), room.room(), *event, key);
    ASSERT_TRUE(whole);
    EXPECT_EQ(event_id_of(*reference_hash(*whole)).value, said.id.value);
    EXPECT_EQ(std::ranges::count(whole->at("auth_events").as_array(), base::json::value(renamed->id.value)),
              1);
}

TEST(Timeline, refuses_what_the_rules_refuse_and_changes_nothing) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto mallory = server.person("mallory");
    auto room = server.room(alice);
    const auto before = last_event_position(server.tx(), room.room().number);
    const auto said = server.say(room, mallory, {{"body", "x"}});
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, "M_FORBIDDEN");
    EXPECT_FALSE(server.member(room, mallory, alice, "leave"));
    EXPECT_EQ(last_event_position(server.tx(), room.room().number), before);
    EXPECT_FALSE(find_membership(server.tx(), room.room().number, mallory.user));
}

TEST(Timeline, finds_an_event_by_its_id) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto said = server.say(room, alice, "x");
    const auto found = find_event(server.tx(), said.id.value);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->position, said.position);
    EXPECT_EQ(found->event_id(), said.id.value);
    auto other = said.id.value;
    other.back() = other.back() == 'A' ? 'E' : 'A';  // the same first bytes, another id
    EXPECT_FALSE(find_event(server.tx(), other));
    EXPECT_FALSE(find_event(server.tx(), "$nonsense"));
}

TEST(Timeline, finds_what_relates_to_an_event_without_a_walk_over_the_room) {
    TestServer server;
    for (const bool newest_first : {false, true}) {
        const auto text = "EXPLAIN QUERY PLAN " + std::string(children_text(newest_first));
        auto plan = server.tx().prepare(text);
        plan.step();
        EXPECT_NE(plan.text(3).find("PRIMARY KEY (room_number=? AND parent_position=?)"), std::string::npos)
            << plan.text(3);
    }
}

TEST(Timeline, follows_the_power_levels_that_change_within_a_job) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    EXPECT_FALSE(room.append_state(bob, "m.room.name", "", {{"name", "Bob's"}}));
    ASSERT_TRUE(room.append_state(alice, "m.room.power_levels", "", {{"users", {{bob.user_id, 50}}}}));
    EXPECT_TRUE(room.append_state(bob, "m.room.name", "", {{"name", "Bob's"}}));
}

TEST(State, that_says_the_same_again_is_the_event_that_there_is) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto first = room.append_state(alice, "m.room.name", "", {{"name", "A"}});
    const auto again = room.append_state(alice, "m.room.name", "", {{"name", "A"}});
    const auto other = room.append_state(alice, "m.room.name", "", {{"name", "B"}});
    ASSERT_TRUE(first && again && other);
    EXPECT_TRUE(first->is_new);
    EXPECT_FALSE(again->is_new);
    EXPECT_EQ(again->id, first->id);
    EXPECT_TRUE(other->is_new);
}

TEST(State, is_kept_as_it_was_at_every_position) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto number = room.room().number;
    const auto first = room.append_state(alice, "m.room.name", "", {{"name", "A"}});
    const auto between = server.say(room, alice, "x");
    const auto second = room.append_state(alice, "m.room.name", "", {{"name", "B"}});
    EXPECT_EQ(state_position(server.tx(), number, "m.room.name", ""), second->position);
    EXPECT_EQ(state_position_at(server.tx(), number, "m.room.name", "", between.position), first->position);
    EXPECT_EQ(state_position_at(server.tx(), number, "m.room.name", "", Position{first->position.value - 1}),
              Position{});
    EXPECT_EQ(current_state(server.tx(), number, Members::include).size(), 5u);
    EXPECT_EQ(current_state(server.tx(), number, Members::leave_out).size(), 4u);
    EXPECT_EQ(state_at(server.tx(), number, between.position, Members::include).size(), 5u);
    EXPECT_EQ(state_at(server.tx(), number, between.position, Members::leave_out).size(), 4u);
    const auto changes =
        state_changes(server.tx(), number, Position{first->position.value - 1}, second->position);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes.front().position, second->position);
    const auto shown = server.shown(room, alice, second->position);
    EXPECT_EQ(shown.at("unsigned").at("prev_content").at("name").as_string(), "A");
    EXPECT_EQ(shown.at("unsigned").at("replaces_state").as_string(), first->id.value);
}

TEST(Membership, is_counted_and_remembered_when_it_changed) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice);
    const auto number = room.room().number;
    const auto invited = server.member(room, alice, bob, "invite");
    EXPECT_EQ(find_room(server.tx(), number)->invited_count, 1);
    const auto joined = server.member(room, bob, bob, "join");
    ASSERT_TRUE(invited && joined);
    EXPECT_EQ(joined->membership_before, Membership::invite);
    EXPECT_EQ(find_room(server.tx(), number)->joined_count, 2);
    EXPECT_EQ(find_room(server.tx(), number)->invited_count, 0);
    ASSERT_TRUE(
        room.append_state(bob, "m.room.member", bob.user_id, {{"membership", "join"}, {"displayname", "B"}}));
    EXPECT_EQ(membership_changes(server.tx(), number, bob.user).size(), 2u);
    const auto now = find_membership(server.tx(), number, bob.user);
    EXPECT_EQ(now->since, joined->position);
    EXPECT_GT(now->position, joined->position);
    EXPECT_EQ(membership_at(server.tx(), number, bob.user, invited->position), Membership::invite);
    EXPECT_EQ(rooms_of(server.tx(), bob.user, Membership::join), std::vector{number});
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    set_forgotten(server.tx(), number, bob.user);
    EXPECT_TRUE(memberships_of(server.tx(), bob.user).empty());
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    EXPECT_EQ(memberships_of(server.tx(), bob.user).size(), 1u);
}

TEST(Redaction, takes_the_words_out_of_the_database_and_keeps_the_id_valid) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto said = server.say(room, alice, "secret-words");
    const auto redaction =
        server.say(room, alice, {{"redacts", said.id.value}, {"reason", "oops"}}, "m.room.redaction");
    ASSERT_TRUE(redaction);
    const auto event = find_event(server.tx(), said.id.value);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->json.find("secret-words"), std::string::npos);
    EXPECT_EQ(content_text(*event), "{}");
    EXPECT_EQ(event->redacted_by, redaction->position);
    const auto shown = server.shown(room, alice, said.position);
    const auto& because = shown.at("unsigned").at("redacted_because").as_object();
    EXPECT_EQ(because.at("event_id").as_string(), redaction->id.value);
    EXPECT_EQ(because.at("redacts").as_string(), said.id.value);
    EXPECT_EQ(because.at("content").at("redacts").as_string(), said.id.value);
    const ServerKey key{base::SigningKey::from_seed({7}), "ed25519:t"};
    const auto whole = federation_event(server.tx(), room.room(), *event, key);
    EXPECT_EQ(event_id_of(*reference_hash(*whole)).value, said.id.value);
}

TEST(Redaction, needs_the_level_for_the_words_of_others) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "x");
    const auto bobs = server.say(room, bob, "y");
    EXPECT_EQ(server.redact(room, bob, said).error().code, "M_FORBIDDEN");
    EXPECT_TRUE(server.redact(room, bob, bobs));
    const auto more = server.say(room, bob, "z");
    EXPECT_TRUE(server.redact(room, alice, more));
    EXPECT_EQ(server.say(room, alice, {{"redacts", "$nothing"}}, "m.room.redaction").error().code,
              "M_NOT_FOUND");
    EXPECT_EQ(server.say(room, alice, base::json::object{}, "m.room.redaction").error().code,
              "M_INVALID_PARAM");
    const auto create = event_id_at(server.tx(), room.room().number,
                                    state_position(server.tx(), room.room().number, "m.room.create", ""));
    EXPECT_EQ(server.say(room, alice, {{"redacts", create}}, "m.room.redaction").error().code, "M_FORBIDDEN");
}

}  // namespace
}  // namespace chat
