#include <gtest/gtest.h>

#include <identity/ids.h>

namespace identity {
namespace {

TEST(UserIds, are_a_sigil_a_localpart_and_a_server_name) {
    EXPECT_TRUE(is_user_id("@alice:example.org"));
    EXPECT_TRUE(is_user_id("@alice:localhost:8008"));
    EXPECT_TRUE(is_user_id("@a/b=c.d_e-f+g:[::1]:80"));
    EXPECT_FALSE(is_user_id("alice:example.org"));
    EXPECT_FALSE(is_user_id("@:example.org"));
    EXPECT_FALSE(is_user_id("@alice"));
    EXPECT_FALSE(is_user_id("@alice:"));
    EXPECT_FALSE(is_user_id("@al ice:example.org"));
    EXPECT_FALSE(is_user_id("@张伟:example.org"));
    EXPECT_FALSE(is_user_id("@alice:exa mple"));
    EXPECT_FALSE(is_user_id("@alice:example:"));
    EXPECT_FALSE(is_user_id("@" + std::string(255, 'a') + ":x"));
}

TEST(UserIds, give_their_parts) {
    EXPECT_EQ(server_of("@alice:localhost:8008"), "localhost:8008");
    EXPECT_EQ(localpart_of("@alice:localhost:8008"), "alice");
    EXPECT_EQ(server_of("no id"), "");
}

}  // namespace
}  // namespace identity
