#include "sync/account_data_store.h"
#include "sync/answer.h"
#include "sync/receipt_store.h"
#include "test_room.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

using Json = base::json::value;

/// A client that syncs, on the same database as the people who write.
struct Client {
    Client(TestServer& server_in, const Actor& actor_in, std::string_view filter_text = "{}")
        : server(server_in), actor(actor_in) {
        filter = std::make_shared<const SyncFilter>(SyncFilter::parse_text(filter_text).value());
    }

    SyncQuery query() {
        SyncQuery made;
        made.user = actor.user;
        made.user_id = actor.user_id;
        made.device = actor.device;
        made.since = since;
        for (const auto stream : {Stream::events, Stream::receipts, Stream::account_data})
            made.now[stream] = last_position(server.tx(), stream);
        made.filter = filter;
        made.state_mode = state_mode;
        made.full_state = full_state;
        made.now_ms = server.now_ms;
        made.account_data_position = made.now[Stream::account_data];
        made.settings = settings;
        made.unread = unread;
        for (const auto& [room, members] : members_sent)
            made.members_sent.emplace(room, std::make_shared<const UserIds>(members));
        return made;
    }
    Json sync() { return sync(query()); }
    Json sync(const SyncQuery& made) {
        RoomReads reads(server.tx(), shares_reads);
        auto answer = make_answer(reads, made);
        has_news = answer.has_news;
        since = made.now;
        settings = answer.settings;
        for (auto& [room, counts] : answer.unread) unread.insert_or_assign(room, counts);
        for (auto& [room, members] : answer.members_sent)
            members_sent[room].insert(members.begin(), members.end());
        return base::parse_json(answer.body, 10'000'000).value();
    }

    TestServer& server;
    Actor actor;
    std::shared_ptr<const SyncFilter> filter;
    std::optional<StreamToken> since;
    StateMode state_mode;
    bool full_state = false;
    bool shares_reads = false;
    bool has_news = false;
    std::shared_ptr<const NotificationSettings> settings;
    std::unordered_map<RoomNumber, Unread> unread;
    std::unordered_map<RoomNumber, UserIds> members_sent;
};

const base::json::object* section(const Json& answer, std::string_view kind, const RoomWriter& writer) {
    const auto& rooms = answer.at("rooms").at(kind).as_object();
    return base::get_object(rooms, writer.room().id.value);
}
const base::json::object& joined(const Json& answer, const RoomWriter& writer) {
    const auto* room = section(answer, "join", writer);
    if (room == nullptr) throw std::runtime_error("the room is not among those joined");
    return *room;
}
std::string bodies(const base::json::object& room) {
    std::string out;
    for (const auto& event : room.at("timeline").at("events").as_array()) {
        const auto& content = event.at("content").as_object();
        if (const auto body = base::get_string(content, "body")) out.append(*body).push_back(' ');
    }
    return out;
}
/// "type|state_key" of the events of a list, in order of the alphabet.
std::set<std::string> keys(const Json& events) {
    std::set<std::string> out;
    for (const auto& event : events.as_array())
        out.insert(std::string(event.at("type").as_string()) + "|" +
                   std::string(event.at("state_key").as_string()));
    return out;
}
std::set<std::string> state_keys(const base::json::object& room, std::string_view list = "state") {
    return keys(room.at(list).at("events"));
}
std::int64_t count(const base::json::object& room, std::string_view which = "notification_count") {
    return room.at("unread_notifications").at(which).as_int64();
}

class SyncAnswers : public testing::Test {
  protected:
    TestServer server;
    Actor ann = server.person("ann");
    Actor bob = server.person("bob");
};

TEST_F(SyncAnswers, begin_with_the_latest_events_and_the_state_before_them) {
    auto room = server.room(ann);
    for (int i = 0; i < 12; ++i) server.say(room, ann, std::to_string(i));
    Client client(server, ann, R"({"room":{"timeline":{"limit":3}}})");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_EQ(bodies(seen), "9 10 11 ");
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(state_keys(seen), (std::set<std::string>{"m.room.create|", "m.room.join_rules|",
                                                       "m.room.member|@ann:x", "m.room.power_levels|"}));
    EXPECT_EQ(seen.at("summary").at("m.joined_member_count"), 1);
    EXPECT_EQ(answer.at("account_data").at("events").at(0).at("type"), "m.push_rules");
}

TEST_F(SyncAnswers, of_a_short_room_hold_its_state_in_the_timeline_alone) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":50}}})");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_FALSE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(seen.at("timeline").at("events").as_array().size(), 4U);
    EXPECT_TRUE(state_keys(seen).empty());
}

TEST_F(SyncAnswers, later_tell_only_what_is_new) {
    auto room = server.room(ann);
    auto other = server.room(ann);
    Client client(server, ann);
    client.sync();
    server.say(room, ann, "new");
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "new ");
    EXPECT_TRUE(state_keys(joined(answer, room)).empty());
    EXPECT_EQ(section(answer, "join", other), nullptr);
    EXPECT_TRUE(client.has_news);

    EXPECT_TRUE(client.sync().at("rooms").at("join").as_object().empty());
    EXPECT_FALSE(client.has_news);
}

TEST_F(SyncAnswers, tell_across_a_gap_which_state_changed_in_it) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":2}}})");
    client.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "first"}}));
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "second"}}));
    server.say(room, ann, "a");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "third"}}));
    server.say(room, ann, "b");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    ASSERT_EQ(state_keys(seen), (std::set<std::string>{"m.room.name|"}));
    EXPECT_EQ(seen.at("state").at("events").at(0).at("content").at("name"), "second");
}

TEST_F(SyncAnswers, tell_the_state_after_the_timeline_where_that_is_asked_for) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":2}}})");
    client.state_mode = {.after = true, .after_unstable = true};
    client.sync();
    server.say(room, ann, "a");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "third"}}));
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_FALSE(seen.contains("state"));
    EXPECT_EQ(state_keys(seen, "state_after"), (std::set<std::string>{"m.room.name|"}));
    EXPECT_EQ(seen.at("org.matrix.msc4222.state_after"), seen.at("state_after"));
}

TEST_F(SyncAnswers, tell_state_that_the_timeline_filter_leaves_out) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"types":["m.room.message"]}}})");
    client.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    server.say(room, ann, "a");
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "a ");
    EXPECT_EQ(state_keys(joined(answer, room)), (std::set<std::string>{"m.room.name|"}));
}

TEST_F(SyncAnswers, give_a_newly_joined_room_whole) {
    auto room = server.room(ann);
    for (int i = 0; i < 12; ++i) server.say(room, ann, std::to_string(i));
    Client client(server, bob, R"({"room":{"timeline":{"limit":2},"state":{"lazy_load_members":false}}})");
    client.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(state_keys(seen), (std::set<std::string>{"m.room.create|", "m.room.join_rules|",
                                                       "m.room.member|@ann:x", "m.room.power_levels|"}));
    EXPECT_EQ(seen.at("summary").at("m.heroes").at(0), "@ann:x");
}

TEST_F(SyncAnswers, keep_what_was_said_before_a_join_from_those_who_may_not_see_it) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.history_visibility", "", {{"history_visibility", "joined"}}));
    server.say(room, ann, "secret");
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    server.say(room, ann, "hello");
    Client client(server, bob, R"({"room":{"timeline":{"limit":50}}})");
    EXPECT_EQ(bodies(joined(client.sync(), room)), "hello ");
}

TEST_F(SyncAnswers, load_members_lazily) {
    auto room = server.room(ann);
    for (const auto name : {"c", "d", "e", "f", "g", "h", "i"}) {
        const auto person = server.person(name);
        ASSERT_TRUE(server.member(room, person, person, "join"));
    }
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    server.say(room, ann, "1");
    const auto members = [](const base::json::object& seen) {
        std::string out;
        for (const auto& key : state_keys(seen))
            if (key.starts_with("m.room.member|")) out += key.substr(14) + " ";
        return out;
    };
    Client client(server, bob, R"({"room":{"timeline":{"limit":1},"state":{"lazy_load_members":true}}})");
    EXPECT_EQ(members(joined(client.sync(), room)), "@ann:x @bob:x ");

    server.say(room, ann, "2");
    EXPECT_EQ(members(joined(client.sync(), room)), "") << "the client has got it";

    Client redundant(server, bob, R"({"room":{"timeline":{"limit":1},
        "state":{"lazy_load_members":true,"include_redundant_members":true}}})");
    redundant.sync();
    server.say(room, ann, "3");
    EXPECT_EQ(members(joined(redundant.sync(), room)), "@ann:x ");
}

TEST_F(SyncAnswers, tell_invitations_by_stripped_state_but_not_those_of_the_ignored) {
    auto room = server.room(ann);
    Client client(server, bob);
    client.sync();
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    const auto answer = client.sync();
    const auto* invited = section(answer, "invite", room);
    ASSERT_NE(invited, nullptr);
    EXPECT_EQ(keys(invited->at("invite_state").at("events")),
              (std::set<std::string>{"m.room.create|", "m.room.join_rules|", "m.room.member|@ann:x",
                                     "m.room.member|@bob:x"}));
    EXPECT_TRUE(client.sync().at("rooms").at("invite").as_object().empty());

    Client second(server, bob);
    put_account_data(server.tx(), bob.user, kNoRoom, "m.ignored_user_list",
                     R"({"ignored_users":{"@ann:x":{}}})");
    EXPECT_EQ(section(second.sync(), "invite", room), nullptr);
}

TEST_F(SyncAnswers, tell_that_one_has_left_once) {
    auto room = server.room(ann, {bob});
    Client client(server, bob);
    client.sync();
    server.say(room, ann, "last words");
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    server.say(room, ann, "not for bob");
    const auto answer = client.sync();
    EXPECT_EQ(section(answer, "join", room), nullptr);
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    EXPECT_EQ(bodies(*left), "last words ");
    EXPECT_EQ(section(client.sync(), "leave", room), nullptr);

    Client fresh(server, bob);
    EXPECT_EQ(section(fresh.sync(), "leave", room), nullptr);
    Client with_left(server, bob, R"({"room":{"include_leave":true}})");
    EXPECT_NE(section(with_left.sync(), "leave", room), nullptr);
}

TEST_F(SyncAnswers, tell_that_an_invitation_was_taken_back) {
    auto room = server.room(ann);
    server.say(room, ann, "among us");
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    Client client(server, bob);
    client.sync();
    ASSERT_TRUE(server.member(room, ann, bob, "leave"));
    const auto answer = client.sync();
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    ASSERT_EQ(left->at("timeline").at("events").as_array().size(), 1U);
    EXPECT_TRUE(left->at("state").at("events").as_array().empty());
}

TEST_F(SyncAnswers, tell_the_end_of_an_invitation_in_the_state_after_too) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "among us"}}));
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    Client client(server, bob);
    client.state_mode.after = true;
    client.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    const auto answer = client.sync();
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    EXPECT_EQ(left->at("timeline").at("events").as_array().size(), 1U);
    EXPECT_EQ(state_keys(*left, "state_after"), (std::set<std::string>{"m.room.member|@bob:x"}));
}

std::string names(const base::json::object& room, std::string_view list) {
    std::string out;
    for (const auto& event : room.at(list).at("events").as_array()) {
        if (const auto name = base::get_string(event.at("content").as_object(), "name"))
            out.append(*name).push_back(' ');
    }
    return out;
}

TEST_F(SyncAnswers, tell_a_former_member_no_state_of_after_they_left) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "then"}}));
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    Client before(server, bob);
    before.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    Client after(server, bob);
    after.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "now"}}));
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    const auto banned = server.member(room, ann, bob, "ban");
    ASSERT_TRUE(banned);
    Client fresh(server, bob, R"({"room":{"include_leave":true}})");
    Client with_state_after(server, bob, R"({"room":{"include_leave":true,"timeline":{"limit":1}}})");
    with_state_after.state_mode.after = true;

    // The end of the stay was told, and what came later is not theirs.
    const auto told_before = after.sync();
    ASSERT_NE(section(told_before, "leave", room), nullptr);
    EXPECT_TRUE(section(told_before, "leave", room)->at("state").at("events").as_array().empty());
    // It was not, or all is asked for anew: the state is that of the end.
    const auto told_since = before.sync();
    ASSERT_NE(section(told_since, "leave", room), nullptr);
    EXPECT_EQ(names(*section(told_since, "leave", room), "state"), "");
    const auto told_fresh = fresh.sync();
    EXPECT_EQ(names(*section(told_fresh, "leave", room), "state"), "");
    EXPECT_EQ(names(*section(told_fresh, "leave", room), "timeline"), "then ");
    const auto told_after = with_state_after.sync();
    EXPECT_EQ(names(*section(told_after, "leave", room), "state_after"), "then ");
    bool is_told_of_the_ban = false;
    for (const auto& event : section(told_after, "leave", room)->at("state_after").at("events").as_array())
        is_told_of_the_ban = is_told_of_the_ban || event.at("event_id").as_string() == banned->id.value;
    EXPECT_TRUE(is_told_of_the_ban);
}

TEST_F(SyncAnswers, leave_out_messages_of_the_ignored_but_not_their_state) {
    auto room = server.room(ann, {bob});
    put_account_data(server.tx(), bob.user, kNoRoom, "m.ignored_user_list",
                     R"({"ignored_users":{"@ann:x":{}}})");
    Client client(server, bob);
    client.sync();
    server.say(room, ann, "spam");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "");
    EXPECT_EQ(joined(answer, room).at("timeline").at("events").as_array().size(), 1U);
    EXPECT_EQ(count(joined(answer, room)), 0);
}

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

TEST_F(SyncAnswers, tell_account_data_that_changed) {
    auto room = server.room(ann);
    put_account_data(server.tx(), ann.user, kNoRoom, "a", R"({"v":1})");
    Client client(server, ann);
    EXPECT_EQ(client.sync().at("account_data").at("events").as_array().size(), 2U);
    put_account_data(server.tx(), ann.user, room.room().number, "m.tag", R"({"tags":{}})");
    put_account_data(server.tx(), bob.user, kNoRoom, "a", R"({"v":2})");
    const auto answer = client.sync();
    EXPECT_TRUE(answer.at("account_data").at("events").as_array().empty());
    EXPECT_EQ(joined(answer, room).at("account_data").at("events").at(0).at("type"), "m.tag");
}

TEST_F(SyncAnswers, tell_nothing_beyond_the_position_that_they_answer_for) {
    auto room = server.room(ann);
    Client client(server, ann);
    client.sync();
    auto early = client.query();
    server.say(room, ann, "later");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "later"}}));
    EXPECT_TRUE(client.sync(early).at("rooms").at("join").as_object().empty());
    EXPECT_EQ(joined(client.sync(), room).at("timeline").at("events").as_array().size(), 2U);

    Client fresh(server, ann, R"({"room":{"timeline":{"limit":1}}})");
    auto before = fresh.query();
    before.now[Stream::events] -= 1;
    EXPECT_FALSE(state_keys(joined(fresh.sync(before), room)).contains("m.room.name|"));
}

TEST_F(SyncAnswers, give_only_the_fields_that_are_asked_for) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"event_fields":["content.body","type"]})");
    client.sync();
    server.say(room, ann, "a");
    const auto answer = client.sync();
    const auto& event = joined(answer, room).at("timeline").at("events").at(0).as_object();
    EXPECT_EQ(event, base::json::parse(R"({"type":"m.room.message","content":{"body":"a"}})").as_object());
}

TEST_F(SyncAnswers, repeat_all_state_when_asked_to) {
    auto room = server.room(ann);
    Client client(server, ann);
    client.sync();
    client.full_state = true;
    const auto answer = client.sync();
    EXPECT_EQ(state_keys(joined(answer, room)).size(), 4U);
    EXPECT_TRUE(joined(answer, room).at("timeline").at("events").as_array().empty());
}

TEST_F(SyncAnswers, name_the_heroes_of_a_room_whose_name_was_redacted) {
    for (const std::string_view type : {"m.room.name", "m.room.canonical_alias"}) {
        for (const std::string_view filter :
             {R"({"room":{"state":{"lazy_load_members":true}}})",
              R"({"room":{"state":{"lazy_load_members":true},"timeline":{"limit":1}}})",
              R"({"room":{"state":{"lazy_load_members":true},"timeline":{"types":["m.room.message"]}}})"}) {
            auto room = server.room(ann);
            ASSERT_TRUE(server.member(room, bob, bob, "join"));
            const auto named =
                room.append_state(ann, type, "", {{"name", "n"}, {"alias", "#a:x"}}).value().id.value;
            Client client(server, bob, filter);
            EXPECT_FALSE(joined(client.sync(), room).at("summary").as_object().contains("m.heroes"));
            const auto word = server.say(room, ann, "a word");
            ASSERT_TRUE(server.say(room, ann, {{"redacts", word.id.value}}, "m.room.redaction"));
            server.say(room, ann, "more");
            EXPECT_FALSE(joined(client.sync(), room).contains("summary")) << "another's redaction";
            ASSERT_TRUE(server.say(room, ann, {{"redacts", named}}, "m.room.redaction"));
            server.say(room, ann, "more");
            const auto answer = client.sync();
            const auto* summary = base::get_object(joined(answer, room), "summary");
            ASSERT_NE(summary, nullptr) << type << filter;
            EXPECT_EQ(summary->at("m.heroes").as_array(), (base::json::array{"@ann:x"}));
            server.say(room, ann, "even more");
            server.say(room, ann, "even more");
            EXPECT_FALSE(joined(client.sync(), room).contains("summary")) << "it was told";
        }
    }
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

TEST_F(SyncAnswers, tell_the_account_data_of_rooms_that_were_left) {
    auto room = server.room(ann);
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    const auto put = [&](std::string_view type) {
        put_account_data(server.tx(), bob.user, room.room().number, type, "{}");
    };
    const auto data = [&](const Json& answer) {
        const auto* left = section(answer, "leave", room);
        if (left == nullptr) return std::string("no room");
        std::string types;
        for (const auto& event : left->at("account_data").at("events").as_array())
            types.append(event.at("type").as_string()).push_back(' ');
        return types;
    };
    put("a");
    const std::string asking = R"({"room":{"include_leave":true,"account_data":{"not_types":["hidden"]}}})";
    Client was_there(server, bob, asking);
    Client does_not_ask(server, bob);
    was_there.sync();
    does_not_ask.sync();
    Client missed_it(server, bob);
    missed_it.since = StreamToken{};
    put("b");
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    EXPECT_EQ(data(was_there.sync()), "b ");
    EXPECT_EQ(data(does_not_ask.sync()), "b ");
    EXPECT_EQ(data(missed_it.sync()), "a b ");
    EXPECT_EQ(data(Client(server, bob, asking).sync()), "a b ");

    put("c");
    const auto later = was_there.sync();
    ASSERT_EQ(data(later), "c ");
    EXPECT_TRUE(was_there.has_news);
    EXPECT_TRUE(section(later, "leave", room)->at("timeline").at("events").as_array().empty());
    EXPECT_TRUE(section(later, "leave", room)->at("state").at("events").as_array().empty());
    EXPECT_EQ(data(does_not_ask.sync()), "no room");
    put("hidden");
    EXPECT_EQ(data(was_there.sync()), "no room");
    EXPECT_FALSE(was_there.has_news);

    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    EXPECT_EQ(joined(does_not_ask.sync(), room).at("account_data").at("events").as_array().size(), 4U);
}

TEST(SyncAnswer, says_the_same_from_a_snapshot_that_others_read_too) {
    TestServer server;
    const auto ann = server.person("ann");
    const auto bob = server.person("bob");
    const auto eve = server.person("eve");
    auto room = server.room(ann, {bob});
    Client one(server, ann);
    Client other(server, bob);
    one.sync();
    other.sync();
    server.say(room, bob, "hello");
    ASSERT_TRUE(server.member(room, eve, eve, "join"));
    ASSERT_TRUE(room.append_state(ann, "m.room.history_visibility", "", {{"history_visibility", "joined"}}));
    RoomReads shared(server.tx(), true);
    for (auto* client : {&one, &other}) {
        const auto query = client->query();
        RoomReads own(server.tx());
        EXPECT_EQ(make_answer(shared, query).body, make_answer(own, query).body);
    }
}

}  // namespace
}  // namespace chat
