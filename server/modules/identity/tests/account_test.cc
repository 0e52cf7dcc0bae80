#include "world.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include <identity/users.h>

namespace identity {
namespace {

using test::Answer;
using test::with_password;
using test::World;

const std::string kProfile = "/_matrix/client/v3/profile/@alice:here.example";

std::string make_admin(World& world) {
    const auto made = world.await(world.identity().add_person(
        {.localpart = "boss", .password = "long enough", .display_name = "", .is_admin = true}));
    EXPECT_TRUE(made.has_value());
    return world.log_in("boss", "long enough").text("access_token");
}

TEST(Password, is_changed_after_the_old_one_and_ends_other_sessions) {
    World world;
    const auto token = world.join("alice");
    const auto other = world.log_in("alice", "correct horse").text("access_token");
    const std::string path = "/_matrix/client/v3/account/password";

    EXPECT_EQ(world.post(path, {{"new_password", "short"}}, token).errcode(), "M_WEAK_PASSWORD");
    EXPECT_EQ(world.post(path, {{"new_password", "battery staple"}}, token).status, 401);
    EXPECT_EQ(
        world.post(path, with_password("bob", "correct horse", {{"new_password", "battery staple"}}), token)
            .errcode(),
        "M_FORBIDDEN");
    EXPECT_EQ(
        world.post(path, with_password("Alice", "correct horse", {{"new_password", "battery staple"}}), token)
            .status,
        200);

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", token).status, 200);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", other).status, 401);
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 403);
    EXPECT_EQ(world.log_in("alice", "battery staple").status, 200);
}

TEST(Password, can_leave_other_sessions_alone) {
    World world;
    const auto token = world.join("alice");
    const auto other = world.log_in("alice", "correct horse").text("access_token");

    world.post("/_matrix/client/v3/account/password",
               with_password("alice", "correct horse",
                             {{"new_password", "battery staple"}, {"logout_devices", false}}),
               token);

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", other).status, 200);
}

TEST(Password, that_was_changed_ends_what_the_old_one_confirmed_before) {
    World world;
    const auto thief = world.join("alice");
    const auto owner = world.log_in("alice", "correct horse").text("access_token");
    const std::string path = "/_matrix/client/v3/account/deactivate";
    const auto session = world.post(path, {}, thief).text("session");
    ASSERT_EQ(world
                  .call_raw(net::Method::post,
                            "/_matrix/client/v3/auth/m.login.password/fallback/web?session=" + session,
                            "value=correct+horse")
                  .status,
              200);
    ASSERT_EQ(world
                  .post("/_matrix/client/v3/account/password",
                        with_password("alice", "correct horse",
                                      {{"new_password", "battery staple"}, {"logout_devices", false}}),
                        owner)
                  .status,
              200);

    const auto late = world.post(path, {{"auth", base::json::object{{"session", session}}}}, thief);
    EXPECT_EQ(late.status, 403);
    EXPECT_EQ(late.errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", owner).status, 200);
}

TEST(Deactivation, ends_everything_and_is_told) {
    World world;
    std::vector<bool> told;
    world.hooks.account_deactivated = [&](UserNumber, bool erase) -> runtime::Task<base::Result<void>> {
        told.push_back(erase);
        co_return base::Result<void>{};
    };
    ASSERT_TRUE(world.restart().has_value());
    const auto token = world.join("alice");
    const auto bob = world.join("bob");

    const auto answer =
        world.post("/_matrix/client/v3/account/deactivate", with_password("alice", "correct horse"), token);

    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.text("id_server_unbind_result"), "success");
    EXPECT_EQ(told, std::vector<bool>{false});
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", token).status, 401);
    EXPECT_EQ(world.log_in("alice", "correct horse").errcode(), "M_USER_DEACTIVATED");
    EXPECT_EQ(world.log_in("alice", "wrong horse").errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world.get(kProfile).status, 404);
    EXPECT_EQ(world.get("/_matrix/client/v3/register/available?username=alice").errcode(), "M_USER_IN_USE");
    const auto found =
        world.post("/_matrix/client/v3/user_directory/search", {{"search_term", "alice"}}, bob);
    EXPECT_TRUE(found.body.at("results").as_array().empty());
}

TEST(Deactivation, with_erasure_forgets_password_and_profile) {
    World world;
    std::vector<bool> told;
    world.hooks.account_deactivated = [&](UserNumber, bool erase) -> runtime::Task<base::Result<void>> {
        told.push_back(erase);
        co_return base::Result<void>{};
    };
    ASSERT_TRUE(world.restart().has_value());
    const auto token = world.join("alice");
    world.put(kProfile + "/displayname", {{"displayname", "Alice"}}, token);
    world.put(kProfile + "/org.example.x", {{"org.example.x", 1}}, token);

    world.post("/_matrix/client/v3/account/deactivate",
               with_password("alice", "correct horse", {{"erase", true}}), token);

    EXPECT_EQ(told, std::vector<bool>{true});
    EXPECT_EQ(world.log_in("alice", "correct horse").errcode(), "M_FORBIDDEN");
    const auto left = world.read([](storage::Transaction& tx) -> base::Result<bool> {
        return member_profile_of(tx, *find_user(tx, "@alice:here.example")).display_name.has_value() ||
               tx.prepare("SELECT 1 FROM identity_profile_fields").step();
    });
    EXPECT_FALSE(*left);
}

TEST(Profile, holds_names_avatars_and_fields_of_ones_own) {
    World world;
    int changes = 0;
    world.hooks.profile_changed = [&](UserNumber) -> runtime::Task<base::Result<void>> {
        ++changes;
        co_return base::Result<void>{};
    };
    ASSERT_TRUE(world.restart().has_value());
    const auto token = world.join("alice");

    EXPECT_EQ(world.put(kProfile + "/displayname", {{"displayname", "爱丽丝 <b>"}}, token).status, 200);
    EXPECT_EQ(world.put(kProfile + "/displayname", {{"displayname", "爱丽丝 <b>"}}, token).status, 200);
    EXPECT_EQ(world.put(kProfile + "/avatar_url", {{"avatar_url", "mxc://here.example/abc"}}, token).status,
              200);
    EXPECT_EQ(world.put(kProfile + "/m.tz", {{"m.tz", "Asia/Shanghai"}}, token).status, 200);
    EXPECT_EQ(
        world.put(kProfile + "/org.example.likes", {{"org.example.likes", base::json::array{1, "茶"}}}, token)
            .status,
        200);

    base::json::value nested = "deep";
    for (int level = 0; level < 40; ++level) nested = base::json::array{std::move(nested)};
    EXPECT_EQ(world.put(kProfile + "/org.example.deep", {{"org.example.deep", nested}}, token).status, 200);
    EXPECT_EQ(world.get(kProfile).body.at("org.example.deep"), nested);

    EXPECT_EQ(changes, 2);  // the same name again is no news
    const auto all = world.get(kProfile);
    EXPECT_EQ(all.text("displayname"), "爱丽丝 <b>");
    EXPECT_EQ(all.text("avatar_url"), "mxc://here.example/abc");
    EXPECT_EQ(all.text("m.tz"), "Asia/Shanghai");
    EXPECT_EQ(all.body.at("org.example.likes").as_array().at(1), "茶");
    EXPECT_EQ(world.get(kProfile + "/displayname").body.size(), 1);

    EXPECT_EQ(world.call(net::Method::del, kProfile + "/displayname", {}, token).status, 200);
    EXPECT_EQ(world.put(kProfile + "/avatar_url", {{"avatar_url", ""}}, token).status, 200);
    EXPECT_EQ(world.get(kProfile + "/displayname").errcode(), "M_NOT_FOUND");
    EXPECT_EQ(world.get(kProfile + "/avatar_url").errcode(), "M_NOT_FOUND");
    EXPECT_EQ(world.get("/_matrix/client/v3/profile/@nobody:here.example").status, 404);
    EXPECT_EQ(world.get("/_matrix/client/v3/profile/nonsense").status, 404);
}

TEST(Profile, refuses_others_and_what_is_wrong_or_too_large) {
    World world;
    const auto token = world.join("alice");
    const auto bob = world.join("bob");
    const auto put = [&](const std::string& key, base::json::object body) {
        return world.put(kProfile + "/" + key, std::move(body), token).errcode();
    };

    EXPECT_EQ(world.put(kProfile + "/displayname", {{"displayname", "Eve"}}, bob).status, 403);
    EXPECT_EQ(put("displayname", {}), "M_MISSING_PARAM");
    EXPECT_EQ(put("displayname", {{"displayname", 7}}), "M_BAD_JSON");
    EXPECT_EQ(put("displayname", {{"displayname", std::string(300, 'x')}}), "M_INVALID_PARAM");
    EXPECT_EQ(put("avatar_url", {{"avatar_url", "https://evil.example/a.png"}}), "M_INVALID_PARAM");
    EXPECT_EQ(put("avatar_url", {{"avatar_url", "mxc://here.example/../x"}}), "M_INVALID_PARAM");
    EXPECT_EQ(put("m.tz", {{"m.tz", "Mars/Olympus"}}), "M_INVALID_PARAM");
    EXPECT_EQ(put("nodots", {{"nodots", 1}}), "M_INVALID_PARAM");
    EXPECT_EQ(put("org." + std::string(300, 'x'), {}), "M_KEY_TOO_LARGE");
    EXPECT_EQ(put("org.example.big", {{"org.example.big", std::string(65'536, 'x')}}), "M_PROFILE_TOO_LARGE");
    EXPECT_EQ(world.get(kProfile + "/org.example.big").status, 404);
}

TEST(UserDirectory, finds_chinese_names_by_any_part_and_by_pinyin) {
    World world;
    const auto bob = world.join("bob");
    const auto add = [&](const std::string& localpart, const std::string& name) {
        ASSERT_TRUE(world
                        .await(world.identity().add_person(
                            {.localpart = localpart, .password = "long enough", .display_name = name}))
                        .has_value());
    };
    add("u1", "张伟");
    add("u2", "曾小明");
    add("u3", "吕布");
    add("u4", "Zoë Müller");
    const auto find = [&](const std::string& term) {
        std::vector<std::string> ids;
        const auto answer =
            world.post("/_matrix/client/v3/user_directory/search", {{"search_term", term}}, bob);
        for (const auto& row : answer.body.at("results").as_array())
            ids.emplace_back(row.at("user_id").as_string());
        return ids;
    };
    const auto only = [](const std::string& localpart) {
        return std::vector<std::string>{"@" + localpart + ":here.example"};
    };

    for (const auto* term : {"张伟", "伟", "zhangwei", "zw", "ZhangW", "zhang wei", "wei", "zhwei"})
        EXPECT_EQ(find(term), only("u1")) << term;
    for (const auto* term : {"小明", "zengxiaoming", "cengxiaoming", "zxm", "xiaom"})
        EXPECT_EQ(find(term), only("u2")) << term;
    for (const auto* term : {"吕", "lvbu", "lubu", "lb"}) EXPECT_EQ(find(term), only("u3")) << term;
    for (const auto* term : {"zoe", "Zoë", "muller", "@u4", "@u4:here.example"})
        EXPECT_EQ(find(term), only("u4")) << term;
    EXPECT_TRUE(find("bob").empty());  // oneself
    EXPECT_TRUE(find("qqq").empty());
    EXPECT_TRUE(find("  ").empty());
}

TEST(UserDirectory, is_not_slowed_by_names_made_to_slow_it) {
    World world;
    const auto bob = world.join("bob");
    std::string name;
    for (int word = 0; word < 36; ++word) name += "aaaaaa ";
    ASSERT_TRUE(world
                    .await(world.identity().add_person(
                        {.localpart = "eve", .password = "long enough", .display_name = name}))
                    .has_value());

    const auto answer = world.post("/_matrix/client/v3/user_directory/search",
                                   {{"search_term", std::string(62, 'a') + "b"}}, bob);

    EXPECT_TRUE(answer.body.at("results").as_array().empty());  // returning at all is the test
}

TEST(UserDirectory, keeps_its_limit_and_says_so) {
    World world;
    const auto bob = world.join("bob");
    for (const auto* name : {"ann1", "ann2", "ann3"}) world.join(name);

    const auto two =
        world.post("/_matrix/client/v3/user_directory/search", {{"search_term", "ann"}, {"limit", 2}}, bob);
    const auto all =
        world.post("/_matrix/client/v3/user_directory/search", {{"search_term", "ann"}, {"limit", 3}}, bob);

    EXPECT_EQ(two.body.at("results").as_array().size(), 2);
    EXPECT_TRUE(two.body.at("limited").as_bool());
    EXPECT_EQ(all.body.at("results").as_array().size(), 3);
    EXPECT_FALSE(all.body.at("limited").as_bool());
    EXPECT_EQ(world.post("/_matrix/client/v3/user_directory/search", {}, bob).errcode(), "M_MISSING_PARAM");
}

TEST(UserDirectory, of_shared_rooms_shows_whom_chat_says) {
    World world;
    const auto bob = world.join("bob");
    world.join("ann");
    world.join("anton");
    world.hooks.findable_by = [](storage::Transaction& tx, UserNumber) {
        return [&tx](UserNumber candidate) { return user_id_of(tx, candidate).value == "@ann:here.example"; };
    };
    auto options = World::default_options();
    options.directory = Directory::shared_rooms;
    ASSERT_TRUE(world.restart(options).has_value());

    const auto found = world.post("/_matrix/client/v3/user_directory/search", {{"search_term", "an"}}, bob);

    ASSERT_EQ(found.body.at("results").as_array().size(), 1);
    EXPECT_EQ(found.body.at("results").as_array().at(0).at("user_id"), "@ann:here.example");
}

TEST(Localparts, are_offered_in_pinyin_free_and_legal) {
    World world;
    const auto offer = [&](const std::string& name) {
        return world.get("/_lingxi/client/v1/localpart?name=" + name).text("localpart");
    };
    EXPECT_EQ(offer("张伟"), "zhangwei");
    EXPECT_EQ(offer("单田芳"), "shantianfang");
    EXPECT_EQ(offer("吕布"), "lvbu");
    EXPECT_EQ(offer("Zoë+Müller"), "zoemuller");
    EXPECT_EQ(offer("admin"), "admin2");
    EXPECT_EQ(offer("🎉"), "user");
    world.join("zhangwei");
    EXPECT_EQ(offer("张伟"), "zhangwei2");
    EXPECT_EQ(world.get("/_lingxi/client/v1/localpart").errcode(), "M_MISSING_PARAM");
}

TEST(PasswordReset, works_once_by_an_administrators_link_and_ends_every_session) {
    World world;
    const auto boss = make_admin(world);
    const auto alice = world.join("alice");
    const std::string users = "/_lingxi/admin/v1/users/";
    EXPECT_EQ(world.post(users + "@boss:here.example/reset-link", {}, alice).status, 403);
    EXPECT_EQ(world.post(users + "@nobody:here.example/reset-link", {}, boss).status, 404);
    const auto url = world.post(users + "@alice:here.example/reset-link", {}, boss).text("url");
    const std::string start = "https://here.example/reset#";
    ASSERT_TRUE(url.starts_with(start));
    const auto token = url.substr(start.size());

    const std::string path = "/_lingxi/client/v1/password-reset";
    EXPECT_EQ(world.post(path + "/check", {{"token", token}}).text("user_id"), "@alice:here.example");
    EXPECT_EQ(world.post(path, {{"token", token}, {"new_password", "short"}}).errcode(), "M_WEAK_PASSWORD");
    EXPECT_EQ(world.post(path, {{"token", "wrong"}, {"new_password", "battery staple"}}).errcode(),
              "IM.LINGXI.BAD_RESET_TOKEN");
    EXPECT_EQ(world.post(path, {{"token", token}, {"new_password", "battery staple"}}).text("user_id"),
              "@alice:here.example");
    EXPECT_EQ(world.post(path, {{"token", token}, {"new_password", "battery staple"}}).status, 403);

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", alice).status, 401);
    EXPECT_EQ(world.log_in("alice", "battery staple").status, 200);
}

TEST(PasswordReset, stands_against_a_change_that_was_under_way) {
    // Dear enough that the change is still at it when the reset is done: it hashes twice, and behind others.
    auto options = World::default_options();
    options.password_cost = {.operations = 3, .memory_bytes = std::size_t{1} << 20U};
    World world(options);
    const auto boss = make_admin(world);
    const auto thief = world.join("alice");
    const auto url =
        world.post("/_lingxi/admin/v1/users/@alice:here.example/reset-link", {}, boss).text("url");
    const auto token = url.substr(url.find('#') + 1);

    std::vector<World::Call> calls{
        {.target = "/_matrix/client/v3/account/password",
         .body = with_password("alice", "correct horse", {{"new_password", "thief's own"}}),
         .token = thief},
        {.target = "/_lingxi/client/v1/password-reset",
         .body = {{"token", token}, {"new_password", "battery staple"}}}};
    for (int i = 0; i < 20; ++i) {
        calls.push_back({.target = "/_matrix/client/v3/login",
                         .body = {{"type", "m.login.password"},
                                  {"identifier", base::json::object{{"type", "m.id.user"},
                                                                    {"user", "nobody" + std::to_string(i)}}},
                                  {"password", "wrong horse"}}});
    }
    EXPECT_EQ(world.together(std::move(calls))[1].status, 200);

    EXPECT_EQ(world.log_in("alice", "battery staple").status, 200);
    EXPECT_EQ(world.log_in("alice", "thief's own").status, 403);
}

TEST(Administration, lists_people_by_pages_and_by_name) {
    World world;
    const auto boss = make_admin(world);
    world.join("ann");
    world.join("bert");

    const auto first = world.get("/_lingxi/admin/v1/users?limit=2", boss);
    EXPECT_EQ(first.body.at("users").as_array().size(), 2);
    const auto second = world.get("/_lingxi/admin/v1/users?limit=2&from=" + first.text("next"), boss);
    EXPECT_EQ(second.body.at("users").as_array().size(), 1);
    EXPECT_TRUE(second.body.at("next").is_null());
    EXPECT_EQ(world.get("/_lingxi/admin/v1/users?q=ann", boss).body.at("users").as_array().size(), 1);
    EXPECT_EQ(world.get("/_lingxi/admin/v1/users?from=x", boss).errcode(), "M_INVALID_PARAM");
    EXPECT_EQ(world.get("/_lingxi/admin/v1/users", world.log_in("ann", "correct horse").text("access_token"))
                  .status,
              403);
}

TEST(Administration, changes_standing_at_once_and_never_leaves_nobody) {
    World world;
    const auto boss = make_admin(world);
    const auto alice = world.join("alice");
    const std::string path = "/_lingxi/admin/v1/users/@alice:here.example";
    ASSERT_EQ(world.get("/_lingxi/admin/v1/users", alice).status, 403);

    EXPECT_TRUE(world.put(path, {{"is_admin", true}}, boss).body.at("is_admin").as_bool());
    EXPECT_EQ(world.get("/_lingxi/admin/v1/users", alice).status, 200);
    EXPECT_EQ(world.put(path, {{"is_admin", false}, {"display_name", "爱丽丝"}}, boss).text("display_name"),
              "爱丽丝");
    EXPECT_EQ(world.get("/_lingxi/admin/v1/users", alice).status, 403);

    EXPECT_EQ(world.put("/_lingxi/admin/v1/users/@boss:here.example", {{"is_admin", false}}, boss).errcode(),
              "IM.LINGXI.LAST_ADMIN");
    EXPECT_TRUE(world.put(path, {{"deactivated", true}}, boss).body.at("deactivated").as_bool());
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", alice).status, 401);
    EXPECT_FALSE(world.put(path, {{"deactivated", false}}, boss).body.at("deactivated").as_bool());
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
}

TEST(Administration, shows_devices_to_their_owner_and_to_administrators) {
    World world;
    const auto boss = make_admin(world);
    const auto alice = world.join("alice");
    const std::string path = "/_matrix/client/v3/admin/whois/";
    EXPECT_EQ(world.get(path + "@alice:here.example", alice).body.at("devices").as_object().size(), 1);
    EXPECT_EQ(world.get(path + "@alice:here.example", boss).status, 200);
    EXPECT_EQ(world.get(path + "@boss:here.example", alice).status, 403);
    EXPECT_EQ(world.get(path + "@nobody:here.example", boss).status, 404);
}

TEST(Discovery, says_what_holds) {
    World world;
    const auto token = world.join("alice");
    EXPECT_EQ(world.get("/_matrix/client/versions").body.at("versions").as_array().size(), 13);
    EXPECT_EQ(world.get("/.well-known/matrix/client").body.at("m.homeserver").at("base_url"),
              "https://here.example");
    EXPECT_EQ(world.get("/.well-known/matrix/support").status, 404);
    const auto capabilities = world.get("/_matrix/client/v3/capabilities", token).body.at("capabilities");
    EXPECT_EQ(capabilities.at("m.room_versions").at("default"), "12");
    EXPECT_EQ(world.get("/_lingxi/client/v1/server").text("server_name"), "here.example");
    EXPECT_FALSE(world.get("/_lingxi/client/v1/server").body.at("setup_needed").as_bool());
}

TEST(ThirdPartyIds, are_none_and_are_refused) {
    World world;
    const auto token = world.join("alice");
    const std::string path = "/_matrix/client/v3/account/3pid";
    EXPECT_TRUE(world.get(path, token).body.at("threepids").as_array().empty());
    EXPECT_EQ(world.post(path + "/add", {}, token).errcode(), "M_THREEPID_DENIED");
    EXPECT_EQ(world.post(path + "/email/requestToken", {}).errcode(), "M_THREEPID_MEDIUM_NOT_SUPPORTED");
    EXPECT_EQ(world.post("/_matrix/client/v3/account/password/email/requestToken", {}).errcode(),
              "M_THREEPID_NOT_FOUND");
    EXPECT_EQ(world.post(path + "/delete", {{"medium", "email"}, {"address", "a@b.c"}}, token)
                  .text("id_server_unbind_result"),
              "no-support");
}

TEST(OpenId, proves_who_somebody_is) {
    World world;
    const auto token = world.join("alice");
    const auto made =
        world.post("/_matrix/client/v3/user/@alice:here.example/openid/request_token", {}, token);
    ASSERT_EQ(made.status, 200);
    EXPECT_EQ(world.get("/_matrix/federation/v1/openid/userinfo?access_token=" + made.text("access_token"))
                  .text("sub"),
              "@alice:here.example");
    EXPECT_EQ(world.get("/_matrix/federation/v1/openid/userinfo?access_token=wrong").status, 401);
    EXPECT_EQ(world.post("/_matrix/client/v3/user/@bob:here.example/openid/request_token", {}, token).status,
              403);
}

}  // namespace
}  // namespace identity
