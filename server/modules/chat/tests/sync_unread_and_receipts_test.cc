#include "sync_client.h"

namespace chat {
namespace {

TEST_F(SyncAnswers, count_unread_messages_from_where_one_has_read_to) {
    auto room = server.room(ann, {bob});
    Client client(server, bob);
    EXPECT_EQ(count(joined(client.sync(), room)), 0);
    const auto first = server.say(room, ann, "one");
    server.say(room, ann, "two");
    EXPECT_EQ(count(joined(client.sync(), room)), 2);
    ASSERT_TRUE(server.say(room, ann, {{"body", "bob!"}, {"m.mentions", {{"user_ids", {"@bob:x"}}}}}));
    const auto answer = client.sync();
    EXPECT_EQ(count(joined(answer, room)), 3);
    EXPECT_EQ(count(joined(answer, room), "highlight_count"), 1);

    ASSERT_TRUE(put_receipt(server.tx(), {.room = room.room().number,
                                          .user = bob.user,
                                          .kind = ReceiptKind::read_private,
                                          .event_position = first.position,
                                          .event_id = first.id.value,
                                          .ts_ms = 5}));
    const auto read = client.sync();
    EXPECT_EQ(count(joined(read, room)), 2);
    EXPECT_EQ(joined(read, room)
                  .at("ephemeral")
                  .at("events")
                  .at(0)
                  .at("content")
                  .at(first.id.value)
                  .at("m.read.private")
                  .at("@bob:x")
                  .at("ts"),
              5);
    server.say(room, bob, "mine");
    EXPECT_EQ(count(joined(client.sync(), room)), 0) << "who writes has read";
}

TEST_F(SyncAnswers, count_anew_what_was_read_elsewhere_also_for_who_asks_for_no_receipts) {
    auto room = server.room(ann, {bob});
    server.say(room, ann, "one");
    const auto last = server.say(room, ann, "two");
    Client client(server, bob, R"({"room":{"ephemeral":{"not_types":["m.receipt"]}}})");
    EXPECT_EQ(count(joined(client.sync(), room)), 2);
    ASSERT_TRUE(put_receipt(server.tx(), {.room = room.room().number,
                                          .user = bob.user,
                                          .kind = ReceiptKind::read_private,
                                          .event_position = last.position,
                                          .event_id = last.id.value}));
    const auto read = client.sync();
    EXPECT_EQ(count(joined(read, room)), 0);
    EXPECT_TRUE(joined(read, room).at("ephemeral").at("events").as_array().empty());
    ASSERT_TRUE(put_receipt(server.tx(), {.room = room.room().number,
                                          .user = ann.user,
                                          .kind = ReceiptKind::read,
                                          .event_position = last.position,
                                          .event_id = last.id.value}));
    EXPECT_EQ(section(client.sync(), "join", room), nullptr) << "what others read changes nothing here";
}

TEST_F(SyncAnswers, count_every_unread_message_however_many) {
    auto room = server.room(ann, {bob});
    server.say(room, ann, "read");
    server.say(room, bob, "mine");
    for (int unread = 1; unread <= 100; ++unread) {
        server.say(room, ann, "unread");
        Client fresh(server, bob);
        ASSERT_EQ(count(joined(fresh.sync(), room)), unread);
    }
}

TEST_F(SyncAnswers, count_the_same_whether_or_not_they_remember) {
    auto room = server.room(ann, {bob});
    Client client(server, bob);
    client.sync();
    const auto root = server.say(room, ann, "root");
    const base::json::object threaded{
        {"body", "in it"}, {"m.relates_to", {{"rel_type", "m.thread"}, {"event_id", root.id.value}}}};
    const auto in_thread = server.say(room, ann, threaded);
    ASSERT_TRUE(in_thread);
    client.sync();
    server.say(room, bob, "mine");
    const auto gone = server.say(room, ann, "later");
    const auto remembered = joined(client.sync(), room);
    Client fresh(server, bob, R"({"room":{"timeline":{"unread_thread_notifications":true}}})");
    const auto anew = joined(fresh.sync(), room);
    EXPECT_EQ(count(remembered), 2);
    EXPECT_EQ(count(anew), 1);
    EXPECT_EQ(anew.at("unread_thread_notifications").at(root.id.value).at("notification_count"), 1);

    ASSERT_TRUE(put_receipt(server.tx(), {.room = room.room().number,
                                          .user = bob.user,
                                          .kind = ReceiptKind::read,
                                          .thread_id = root.id.value,
                                          .event_position = in_thread->position,
                                          .event_id = in_thread->id.value}));
    EXPECT_EQ(count(joined(client.sync(), room)), 1);
}

TEST_F(SyncAnswers, count_by_a_rule_that_asks_whether_the_sender_may_notify_all) {
    auto room = server.room(ann);
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    put_account_data(server.tx(), bob.user, kNoRoom, "m.push_rules",
                     R"({"global":{"override":[{"rule_id":"loud","enabled":true,"default":false,
                         "actions":["notify",{"set_tweak":"highlight"}],
                         "conditions":[{"kind":"sender_notification_permission","key":"room"}]}]}})");
    put_account_data(server.tx(), ann.user, kNoRoom, "m.push_rules",
                     find_account_data(server.tx(), bob.user, kNoRoom, "m.push_rules")->json);
    server.say(room, ann, "all of you");
    Client client(server, bob);
    EXPECT_EQ(count(joined(client.sync(), room), "highlight_count"), 1);
    server.say(room, bob, "and you");
    Client other(server, ann);
    const auto answer = other.sync();
    EXPECT_EQ(count(joined(answer, room)), 1);
    EXPECT_EQ(count(joined(answer, room), "highlight_count"), 0);
}

TEST_F(SyncAnswers, tell_others_of_public_receipts_only) {
    auto room = server.room(ann, {bob});
    const auto said = server.say(room, ann, "one");
    Client client(server, ann);
    client.sync();
    const Receipt receipt{.room = room.room().number,
                          .user = bob.user,
                          .kind = ReceiptKind::read_private,
                          .event_position = said.position,
                          .event_id = said.id.value};
    ASSERT_TRUE(put_receipt(server.tx(), receipt));
    EXPECT_EQ(section(client.sync(), "join", room), nullptr);
    auto open = receipt;
    open.kind = ReceiptKind::read;
    ASSERT_TRUE(put_receipt(server.tx(), open));
    EXPECT_NE(section(client.sync(), "join", room), nullptr);
    EXPECT_FALSE(put_receipt(server.tx(), open)) << "a receipt does not go back";
    auto threaded = open;
    threaded.thread_id = "main";
    ASSERT_TRUE(put_receipt(server.tx(), threaded));
    Client fresh(server, ann);
    EXPECT_EQ(joined(fresh.sync(), room).at("ephemeral").at("events").as_array().size(), 2U)
        << "two receipts of one person on one event";
}

}  // namespace
}  // namespace chat
