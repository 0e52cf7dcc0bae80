// What becomes of a message's words, however many events hold them.
#include "house.h"
#include "test_room.h"
#include "timeline/redact_stored.h"
#include "timeline/redaction_store.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

constexpr int kManyEdits = 620;

base::json::object edit_of(std::string_view event_id, std::string_view body) {
    return {{"msgtype", "m.text"},
            {"body", body},
            {"m.new_content", {{"msgtype", "m.text"}, {"body", body}}},
            {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", event_id}}}};
}

base::json::object redaction_of(std::string_view event_id) {
    return {{"redacts", event_id}};
}

std::int64_t count(storage::Transaction& tx, std::string_view sql) {
    auto row = tx.prepare(sql);
    return row.step() ? row.integer(0) : -1;
}
std::int64_t secrets(storage::Transaction& tx) {
    return count(tx, "SELECT count(*) FROM event WHERE json LIKE '%secret%'");
}
std::int64_t redacted(storage::Transaction& tx) {
    return count(tx, "SELECT count(*) FROM event WHERE redacted_by IS NOT NULL");
}

TEST(RedactionOfManyEdits, goes_on_in_small_jobs_until_no_words_are_left) {
    TestServer server;
    const auto alice = server.person("alice");
    auto room = server.room(alice);
    const auto said = server.say(room, alice, "secret");
    for (int i = 0; i < kManyEdits; ++i)
        ASSERT_TRUE(server.say(room, alice, edit_of(said.id.value, "secret " + std::to_string(i))));
    ASSERT_TRUE(server.say(room, alice, redaction_of(said.id.value), "m.room.redaction"));
    EXPECT_FALSE(server.shown(room, alice, said.position).at("content").as_object().contains("body"));
    const auto limit = static_cast<std::int64_t>(kRedactedRowsAJob);
    std::int64_t before = 0;
    do {
        EXPECT_LE(redacted(server.tx()) - before, limit);
        before = redacted(server.tx());
    } while (redact_some_left(server.tx()));
    EXPECT_EQ(redacted(server.tx()), 1 + kManyEdits);
    EXPECT_EQ(secrets(server.tx()), 0);
    EXPECT_EQ(count(server.tx(), "SELECT count(*) FROM relation"), 0);
}

TEST(RedactionOfManyEdits, is_finished_after_a_crash) {
    House house;
    const auto alice = house.person("alice");
    const auto room_id = house.room(alice);
    const auto said = house.say(alice, room_id, "secret");
    // Nobody is told of it, as if the server had ended with the commit.
    ASSERT_TRUE(house.write([&](storage::Transaction& tx) -> base::Result<void> {
        RoomWriter writer(tx, load_rules(tx, find_room(tx, room_id).value()), 1);
        const auto say = [&](std::string_view type, base::json::object content) {
            const auto prepared = prepare_content(type, std::move(content)).value();
            EXPECT_TRUE(writer.append({.type = type,
                                       .state_key = {},
                                       .sender = alice.user,
                                       .sender_id = alice.user_id,
                                       .content = prepared,
                                       .now_ms = 1}));
        };
        for (int i = 0; i < kManyEdits; ++i)
            say("m.room.message", edit_of(said, "secret " + std::to_string(i)));
        say("m.room.redaction", redaction_of(said));
        return {};
    }));
    const auto left = [&] {
        return house.read([](storage::Transaction& tx) -> base::Result<std::int64_t> { return secrets(tx); })
            .value();
    };
    EXPECT_GT(left(), 0);
    house.restart();
    while (left() > 0) house.runtime().io().run_one();
}

TEST(RedactionOfManyEdits, is_finished_while_the_server_runs) {
    House house;
    const auto alice = house.person("alice");
    const auto room_id = house.room(alice);
    const auto path = "/_matrix/client/v3/rooms/" + in_path(room_id);
    const auto said = house.say(alice, room_id, "secret");
    for (int i = 0; i < 150; ++i)
        ASSERT_EQ(house
                      .put(path + "/send/m.room.message/e" + std::to_string(i), alice,
                           edit_of(said, "secret " + std::to_string(i)))
                      .status,
                  200);
    ASSERT_EQ(house.put(path + "/redact/" + in_path(said) + "/r", alice).status, 200);
    while (house.read([](storage::Transaction& tx) -> base::Result<bool> { return secrets(tx) > 0; }).value())
        house.runtime().io().run_one();
}

TEST(Redaction, refuses_edits_that_come_after_it) {
    TestServer server;
    const auto alice = server.person("alice");
    const auto bob = server.person("bob");
    auto room = server.room(alice, {bob});
    const auto said = server.say(room, alice, "secret");
    ASSERT_TRUE(server.say(room, alice, redaction_of(said.id.value), "m.room.redaction"));
    const auto late = server.say(room, alice, edit_of(said.id.value, "secret again"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, "M_FORBIDDEN");
    EXPECT_EQ(secrets(server.tx()), 0);
    // What is no edit, being another's, is a message like any other.
    EXPECT_TRUE(server.say(room, bob, edit_of(said.id.value, "not an edit")));
}

TEST(Redaction, of_what_is_redacted_takes_the_edits_that_older_versions_let_through) {
    for (const bool is_upgrade : {false, true}) {
        TestServer server;
        const auto alice = server.person("alice");
        auto room = server.room(alice);
        const auto said = server.say(room, alice, "words");
        const auto edit = server.say(room, alice, edit_of(said.id.value, "secret"));
        ASSERT_TRUE(edit);
        server.tx()
            .prepare("UPDATE event SET redacted_by = position + 1 WHERE position = ?1")
            .bind(said.position)
            .run();
        if (is_upgrade) {
            server.tx().execute("DROP TABLE redaction_rest");
            server.tx().execute(migrations()[4].sql);
            EXPECT_TRUE(redact_some_left(server.tx()));
        } else {
            ASSERT_TRUE(server.say(room, alice, redaction_of(said.id.value), "m.room.redaction"));
        }
        EXPECT_EQ(secrets(server.tx()), 0);
        EXPECT_FALSE(redact_some_left(server.tx()));
    }
}

TEST(Erasure, redacts_a_hundred_events_a_job) {
    House house;
    const auto alice = house.person("alice");
    const auto bob = house.person("bob");
    const auto room_id = house.room(alice, {{"preset", "public_chat"}});
    house.join(bob, room_id);
    for (int i = 0; i < 250; ++i) house.say(bob, room_id, "secret");
    const auto jobs = house.database().statistics().jobs;
    ASSERT_TRUE(house.await(house.chat().hooks().account_deactivated(bob.user, true)));
    EXPECT_GE(house.database().statistics().jobs - jobs, 1 + 3U);  // leaving the room is one
    EXPECT_EQ(house.read([](storage::Transaction& tx) -> base::Result<std::int64_t> { return secrets(tx); })
                  .value(),
              0);
}

}  // namespace
}  // namespace chat
