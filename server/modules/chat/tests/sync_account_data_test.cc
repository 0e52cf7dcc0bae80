#include "sync_client.h"

namespace chat {
namespace {

using Json = base::json::value;

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

}  // namespace
}  // namespace chat
