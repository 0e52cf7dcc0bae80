// The members of a room as they were, for those who may not read all that was.
#include "house.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace chat {
namespace {

class MembersAt : public testing::Test {
  protected:
    MembersAt() {
        const base::json::object visibility{{"type", "m.room.history_visibility"},
                                            {"content", {{"history_visibility", "joined"}}}};
        room_ = house_.room(alice_,
                            {{"preset", "public_chat"}, {"initial_state", base::json::array{visibility}}});
    }

    void change(const std::string& what, const Actor& actor, const base::json::object& body = {}) {
        EXPECT_EQ(house_.post("/_matrix/client/v3/rooms/" + in_path(room_) + "/" + what, actor, body).status,
                  200);
    }
    /// A token of the room's end.
    std::string now() { return "t1_" + std::to_string(house_.news.back().position.value); }
    /// "name:membership" of each.
    std::vector<std::string> members(const Actor& reader, const std::string& at) {
        const auto reply =
            house_.get("/_matrix/client/v3/rooms/" + in_path(room_) + "/members?at=" + at, reader);
        EXPECT_EQ(reply.status, 200) << reply.body;
        std::vector<std::string> found;
        for (const auto& event : reply.object().at("chunk").as_array()) {
            const auto& user_id = event.at("state_key").as_string();
            found.push_back(std::string(user_id, 1, user_id.find(':') - 1) + ":" +
                            std::string(event.at("content").at("membership").as_string()));
        }
        std::ranges::sort(found);
        return found;
    }

    using Names = std::vector<std::string>;
    House house_;
    Actor alice_ = house_.person("alice");
    Actor bob_ = house_.person("bob");
    Actor carol_ = house_.person("carol");
    std::string room_;
};

TEST_F(MembersAt, tells_nobody_what_was_over_before_they_came) {
    house_.join(bob_, room_);
    const auto bob_there = now();
    change("kick", alice_, {{"user_id", bob_.user_id}, {"reason", "for a reason of ours"}});
    const auto bob_kicked = now();
    house_.join(bob_, room_);
    house_.join(carol_, room_);
    EXPECT_EQ(members(carol_, bob_kicked), Names{"alice:join"});
    EXPECT_EQ(members(carol_, bob_there), Names{"alice:join"});
    EXPECT_EQ(members(carol_, now()), (Names{"alice:join", "bob:join", "carol:join"}));
    EXPECT_EQ(members(alice_, bob_kicked), (Names{"alice:join", "bob:leave"}));
    // Of one's own kick one is told; and what held while one was there one has seen.
    EXPECT_EQ(members(bob_, bob_kicked), (Names{"alice:join", "bob:leave"}));
}

TEST_F(MembersAt, tells_all_who_were_there_with_the_reader) {
    house_.join(bob_, room_);
    house_.join(carol_, room_);
    const auto together = now();
    change("leave", bob_);
    const auto bob_left = now();
    change("leave", carol_);
    house_.join(bob_, room_);
    const auto without_carol = now();
    EXPECT_EQ(members(carol_, together), (Names{"alice:join", "bob:join", "carol:join"}));
    EXPECT_EQ(members(carol_, bob_left), (Names{"alice:join", "bob:leave", "carol:join"}));
    // Up to her leave and no further; and again when she is back, without what she missed.
    EXPECT_EQ(members(carol_, without_carol), (Names{"alice:join", "bob:leave", "carol:leave"}));
    change("leave", bob_);
    const auto bob_left_again = now();
    house_.join(bob_, room_);
    house_.join(carol_, room_);
    EXPECT_EQ(members(carol_, bob_left_again), (Names{"alice:join", "carol:leave"}));
    EXPECT_EQ(members(carol_, together), (Names{"alice:join", "bob:join", "carol:join"}));
}

}  // namespace
}  // namespace chat
