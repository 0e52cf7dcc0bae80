#include "sync/account_data_store.h"
#include "test_room.h"
#include "timeline/relation_store.h"
#include "timeline/transaction_store.h"

#include <chat/reading.h>

namespace chat {
namespace {

struct Visit {
    Appended before_invite, invited, joined, left, after;
};

/// Bob is invited, joins and leaves a room of this visibility; something is said at each stage.
Visit visit(TestServer& server, RoomWriter& room, const Actor& alice, const Actor& bob,
            std::string_view visibility) {
    EXPECT_TRUE(
        room.append_state(alice, "m.room.history_visibility", "", {{"history_visibility", visibility}}));
    Visit said;
    said.before_invite = server.say(room, alice, "before");
    EXPECT_TRUE(server.member(room, alice, bob, "invite"));
    said.invited = server.say(room, alice, "invited");
    EXPECT_TRUE(server.member(room, bob, bob, "join"));
    said.joined = server.say(room, alice, "joined");
    EXPECT_TRUE(server.member(room, bob, bob, "leave"));
    said.left = server.say(room, alice, "left");
    return said;
}

TEST(HistoryVisibility, decides_at_the_time_of_each_event) {
    struct Case {
        std::string_view visibility;
        bool before, invited, joined, left;
    };
    for (const auto& expected :
         {Case{"world_readable", true, true, true, true}, Case{"shared", true, true, true, false},
          Case{"invited", false, true, true, false}, Case{"joined", false, false, true, false},
          Case{"nonsense", true, true, true, false}}) {
        TestServer server;
        const auto alice = server.person("alice");
        const auto bob = server.person("bob");
        auto room = server.room(alice);
        const auto said = visit(server, room, alice, bob, expected.visibility);
        const auto view = server.view(room, bob);
        const auto sees = [&](const Appended& appended) {
            return view.may_see(find_event(server.tx(), appended.room, appended.position).value());
        };
        EXPECT_EQ(sees(said.before_invite), expected.before) << expected.visibility;
        EXPECT_EQ(sees(said.invited), expected.invited) << expected.visibility;
        EXPECT_EQ(sees(said.joined), expected.joined) << expected.visibility;
        EXPECT_EQ(sees(said.left), expected.left) << expected.visibility;
        const auto stranger = server.view(room, server.person("carol"));
        const auto event = find_event(server.tx(), said.joined.room, said.joined.position).value();
        EXPECT_EQ(stranger.may_see(event), expected.visibility == "world_readable");
    }
}

TEST(HistoryVisibility, of_an_invited_person_who_never_joined_hides_what_is_shared) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice);
    const auto said = server.say(room, alice, "x");
    ASSERT_TRUE(server.member(room, alice, bob, "invite"));
    EXPECT_FALSE(server.view(room, bob).may_see(find_event(server.tx(), said.room, said.position).value()));
}

TEST(HistoryVisibility, shows_a_person_their_own_leave) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto kicked = server.member(room, alice, bob, "leave");
    ASSERT_TRUE(kicked);
    const auto view = server.view(room, bob);
    EXPECT_TRUE(view.may_see(find_event(server.tx(), kicked->room, kicked->position).value()));
    EXPECT_EQ(view.sees_up_to(), kicked->position);
    EXPECT_EQ(view.reads_state_at(), kicked->position);
}

TEST(HistoryVisibility, shows_the_event_that_hides_what_follows) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice);
    const auto open =
        room.append_state(alice, "m.room.history_visibility", "", {{"history_visibility", "world_readable"}});
    const auto closed =
        room.append_state(alice, "m.room.history_visibility", "", {{"history_visibility", "joined"}});
    const auto said = server.say(room, alice, "x");
    const auto view = server.view(room, bob);
    EXPECT_TRUE(view.may_see(find_event(server.tx(), said.room, open->position).value()));
    EXPECT_TRUE(view.may_see(find_event(server.tx(), said.room, closed->position).value()));
    EXPECT_FALSE(view.may_see(find_event(server.tx(), said.room, said.position).value()));
}

base::json::object edit_of(const Appended& original, std::string_view body) {
    return {{"msgtype", "m.text"},
            {"body", "* " + std::string(body)},
            {"m.new_content", {{"body", body}}},
            {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", original.id.value}}}};
}

const base::json::object* relations_in(const base::json::object& event) {
    return base::get_object(event.at("unsigned").as_object(), "m.relations");
}

TEST(Relations, bundle_the_latest_valid_edit) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "one");
    EXPECT_EQ(relations_in(server.shown(room, alice, said.position)), nullptr);
    ASSERT_TRUE(server.say(room, alice, edit_of(said, "two")));
    const auto latest = server.say(room, alice, edit_of(said, "three"));
    ASSERT_TRUE(latest);
    ASSERT_TRUE(server.say(room, bob, edit_of(said, "not yours")));
    ASSERT_TRUE(server.say(room, alice, edit_of(*latest, "an edit of an edit")));
    auto no_content = edit_of(said, "x");
    no_content.erase("m.new_content");
    ASSERT_TRUE(server.say(room, alice, no_content));
    const auto shown = server.shown(room, bob, said.position);
    ASSERT_NE(relations_in(shown), nullptr);
    EXPECT_EQ(relations_in(shown)->at("m.replace").at("event_id").as_string(), latest->id.value);
    EXPECT_EQ(shown.at("content").at("body").as_string(), "one");

    ASSERT_TRUE(server.redact(room, alice, *latest));
    EXPECT_EQ(relations_in(server.shown(room, bob, said.position))
                  ->at("m.replace")
                  .at("content")
                  .at("body")
                  .as_string(),
              "* two");
    ASSERT_TRUE(server.redact(room, alice, said));
    EXPECT_EQ(relations_in(server.shown(room, bob, said.position)), nullptr);
}

TEST(Relations, take_the_words_of_all_edits_with_those_of_the_redacted_original) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "one");
    const auto second = server.say(room, alice, edit_of(said, "two"));
    const auto third = server.say(room, alice, edit_of(said, "three"));
    const auto of_bob = server.say(room, bob, edit_of(said, "not an edit, for it is another's"));
    ASSERT_TRUE(second && third && of_bob);

    ASSERT_TRUE(server.redact(room, alice, said));

    for (const Position position : {said.position, second->position, third->position}) {
        const auto shown = server.shown(room, bob, position);
        EXPECT_TRUE(shown.at("content").as_object().empty()) << base::json::serialize(shown);
        EXPECT_TRUE(shown.at("unsigned").as_object().contains("redacted_because"));
    }
    EXPECT_FALSE(server.shown(room, bob, of_bob->position).at("content").as_object().empty());
}

TEST(Relations, refuse_the_same_reaction_twice_until_it_is_redacted) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "x");
    const auto react = [&](const Actor& who, std::string_view key) {
        return server.say(
            room, who,
            {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", said.id.value}, {"key", key}}}},
            "m.reaction");
    };
    const auto first = react(alice, "👍");
    ASSERT_TRUE(first);
    EXPECT_EQ(react(alice, "👍").error().code, "M_DUPLICATE_ANNOTATION");
    EXPECT_TRUE(react(alice, "👎"));
    EXPECT_TRUE(react(bob, "👍"));
    ASSERT_TRUE(server.redact(room, alice, *first));
    EXPECT_TRUE(react(alice, "👍"));
    EXPECT_EQ(relations_in(server.shown(room, alice, said.position)),
              nullptr);  // annotations are not aggregated
    EXPECT_EQ(children_of(server.tx(), {.room = said.room,
                                        .parent = said.position,
                                        .rel_type = "m.annotation",
                                        .type = {},
                                        .after = {},
                                        .before = kEndOfTime})
                  .size(),
              3u);
}

TEST(Relations, count_a_thread_and_who_took_part) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    const auto carol = server.person("carol");
    auto room = server.room(alice, {bob, carol});
    const auto root = server.say(room, alice, "root");
    const auto reply = [&](const Actor& who, const Appended& to) {
        return server.say(
            room, who,
            {{"body", "r"}, {"m.relates_to", {{"rel_type", "m.thread"}, {"event_id", to.id.value}}}});
    };
    const auto first = reply(bob, root);
    const auto second = reply(bob, root);
    ASSERT_TRUE(first && second);
    const auto thread_for = [&](const Actor& who) {
        return relations_in(server.shown(room, who, root.position))->at("m.thread").as_object();
    };
    EXPECT_EQ(thread_for(alice).at("count").as_int64(), 2);
    EXPECT_TRUE(thread_for(alice).at("current_user_participated").as_bool());
    EXPECT_TRUE(thread_for(bob).at("current_user_participated").as_bool());
    EXPECT_FALSE(thread_for(carol).at("current_user_participated").as_bool());
    EXPECT_EQ(thread_for(carol).at("latest_event").at("event_id").as_string(), second->id.value);
    EXPECT_EQ(reply(carol, *first).error().code, "M_UNKNOWN");

    ASSERT_TRUE(server.redact(room, bob, *second));
    EXPECT_EQ(thread_for(carol).at("count").as_int64(), 1);
    EXPECT_EQ(thread_for(carol).at("latest_event").at("event_id").as_string(), first->id.value);
    ASSERT_TRUE(server.redact(room, bob, *first));
    EXPECT_EQ(relations_in(server.shown(room, carol, root.position)), nullptr);
    EXPECT_FALSE(has_participated(server.tx(), root.room, root.position, bob.user));
}

TEST(Relations, list_references_and_ignore_other_rooms) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    auto other = server.room(alice);
    const auto said = server.say(room, alice, "x");
    const base::json::object reference{
        {"m.relates_to", {{"rel_type", "m.reference"}, {"event_id", said.id.value}}}};
    const auto child = server.say(room, alice, reference, "t");
    ASSERT_TRUE(child);
    ASSERT_TRUE(server.say(other, alice, reference, "t"));
    const auto shown = server.shown(room, alice, said.position);
    const auto& chunk = relations_in(shown)->at("m.reference").at("chunk").as_array();
    ASSERT_EQ(chunk.size(), 1u);
    EXPECT_EQ(chunk.at(0).at("event_id").as_string(), child->id.value);
}

base::json::object related(const Appended& to, std::string_view rel_type) {
    return {{"body", "r"}, {"m.relates_to", {{"rel_type", rel_type}, {"event_id", to.id.value}}}};
}

void ignore(TestServer& server, const Actor& who, const Actor& whom) {
    put_account_data(
        server.tx(), who.user, kNoRoom, "m.ignored_user_list",
        base::json::serialize(base::json::value{{"ignored_users", {{whom.user_id, base::json::object{}}}}}));
}

TEST(Relations, leave_out_those_whom_the_reader_ignores) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    const auto carol = server.person("carol");
    auto room = server.room(alice, {bob, carol});
    const auto root = server.say(room, alice, "root");
    const auto kept = server.say(room, carol, related(root, "m.thread"));
    ASSERT_TRUE(kept && server.say(room, bob, related(root, "m.thread")) &&
                server.say(room, bob, related(root, "m.reference")));
    const auto other = server.say(room, alice, "other");
    ASSERT_TRUE(server.say(room, bob, related(other, "m.thread")));
    ignore(server, alice, bob);

    const auto shown = server.shown(room, alice, root.position);
    const auto& thread = relations_in(shown)->at("m.thread").as_object();
    EXPECT_EQ(thread.at("count").as_int64(), 1);
    EXPECT_EQ(thread.at("latest_event").at("event_id").as_string(), kept->id.value);
    EXPECT_FALSE(relations_in(shown)->contains("m.reference"));
    EXPECT_EQ(relations_in(server.shown(room, alice, other.position)), nullptr);
    const auto to_carol = server.shown(room, carol, root.position);
    EXPECT_EQ(relations_in(to_carol)->at("m.thread").at("count").as_int64(), 2);
    EXPECT_TRUE(relations_in(to_carol)->contains("m.reference"));
    // Nobody can hide their own words from themselves.
    ignore(server, bob, bob);
    EXPECT_EQ(relations_in(server.shown(room, bob, root.position))->at("m.thread").at("count").as_int64(), 2);
}

TEST(Relations, are_of_what_the_reader_may_see) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto root = server.say(room, alice, "root");
    const auto edit = server.say(room, alice, edit_of(root, "while bob was there"));
    const auto reply = server.say(room, alice, related(root, "m.thread"));
    ASSERT_TRUE(edit && reply && server.member(room, bob, bob, "leave"));
    ASSERT_TRUE(server.say(room, alice, edit_of(root, "later")) &&
                server.say(room, alice, related(root, "m.thread")) &&
                server.say(room, alice, related(root, "m.reference")));

    const auto shown = server.shown(room, bob, root.position);
    ASSERT_NE(relations_in(shown), nullptr);
    EXPECT_EQ(relations_in(shown)->at("m.replace").at("event_id").as_string(), edit->id.value);
    const auto& thread = relations_in(shown)->at("m.thread").as_object();
    EXPECT_EQ(thread.at("count").as_int64(), 1);
    EXPECT_EQ(thread.at("latest_event").at("event_id").as_string(), reply->id.value);
    EXPECT_FALSE(relations_in(shown)->contains("m.reference"));
}

TEST(RoomView, tells_those_who_left_that_something_was_redacted_and_not_why) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "x");
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    ASSERT_TRUE(
        server.say(room, alice, {{"redacts", said.id.value}, {"reason", "said since"}}, "m.room.redaction"));
    const auto because = [&](const Actor& who) {
        return server.shown(room, who, said.position)
            .at("unsigned")
            .at("redacted_because")
            .at("content")
            .as_object();
    };
    EXPECT_EQ(because(alice).at("reason").as_string(), "said since");
    EXPECT_FALSE(because(bob).contains("reason"));
    EXPECT_EQ(because(bob).at("redacts").as_string(), said.id.value);
}

TEST(RoomView, tells_what_stood_before_to_those_who_may_know_it) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice);
    ASSERT_TRUE(
        room.append_state(alice, "m.room.history_visibility", "", {{"history_visibility", "joined"}}));
    ASSERT_TRUE(room.append_state(alice, "m.room.topic", "", {{"topic", "of the closed circle"}}));
    const auto second = room.append_state(alice, "m.room.topic", "", {{"topic", "of all"}});
    ASSERT_TRUE(second && server.member(room, alice, bob, "invite"));
    const auto joined = server.member(room, bob, bob, "join");
    const auto third = room.append_state(alice, "m.room.topic", "", {{"topic", "the next"}});
    ASSERT_TRUE(joined && third);
    const auto before = [&](const Actor& who, const Appended& event) {
        return server.shown(room, who, event.position).at("unsigned").as_object().contains("prev_content");
    };
    EXPECT_FALSE(before(bob, *second));
    EXPECT_TRUE(
        server.shown(room, bob, second->position).at("unsigned").as_object().contains("replaces_state"));
    EXPECT_TRUE(before(alice, *second));
    EXPECT_TRUE(before(bob, *third));
    EXPECT_TRUE(before(bob, *joined));  // what became of their own invitation
}

TEST(RoomView, tells_a_transaction_id_to_the_device_that_sent_it_alone) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto said = server.say(room, alice, "x");
    insert_transaction(server.tx(), {.position = said.position,
                                     .room = said.room,
                                     .device = alice.device,
                                     .scope_key = 1,
                                     .txn_id = "m1",
                                     .sent_at_ms = server.now_ms});
    EXPECT_EQ(server.shown(room, alice, said.position).at("unsigned").at("transaction_id").as_string(), "m1");
    auto other = alice;
    other.device = identity::DeviceNumber{999};
    EXPECT_FALSE(
        server.shown(room, other, said.position).at("unsigned").as_object().contains("transaction_id"));
}

TEST(Transactions, are_pruned_from_the_front) {
    TestServer server;
    for (std::int64_t i = 1; i <= 10; ++i) {
        insert_transaction(server.tx(), {.position = Position{i},
                                         .room = RoomNumber{1},
                                         .device = identity::DeviceNumber{1},
                                         .scope_key = i,
                                         .txn_id = "t",
                                         .sent_at_ms = i * 100});
    }
    EXPECT_EQ(prune_transactions(server.tx(), 550, 3), Position{3});
    EXPECT_EQ(prune_transactions(server.tx(), 550, 100), Position{5});
    EXPECT_EQ(prune_transactions(server.tx(), 550, 100), Position{});
    EXPECT_EQ(transaction_keys(server.tx(), {}, 100).size(), 5u);
}

TEST(RoomReading, reads_who_came_and_went_once_however_many_events_are_looked_at) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice);
    EXPECT_TRUE(server.member(room, alice, bob, "invite"));
    EXPECT_TRUE(server.member(room, bob, bob, "join"));
    const auto reading = RoomReading::open(server.tx(), room.room().number, bob.user);
    ASSERT_TRUE(reading);
    const auto invitation = reading->invitation();
    ASSERT_TRUE(invitation);
    EXPECT_EQ(invitation->inviter, alice.user);
    EXPECT_FALSE(reading->others_changed(invitation->position, invitation->accepted));
    EXPECT_TRUE(reading->others_changed({}, invitation->position));
    EXPECT_EQ(reading->members_changed_at(), invitation->accepted);
    // What is gone is not missed: nothing is read once more.
    server.tx().execute("DELETE FROM membership_history");
    server.tx().execute("DELETE FROM event");
    const auto again = reading->invitation();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->position, invitation->position);
    EXPECT_EQ(reading->members_changed_at(), invitation->accepted);
}

}  // namespace
}  // namespace chat
