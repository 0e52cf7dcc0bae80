#include "world.h"

#include <chrono>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include <identity/users.h>

namespace identity {
namespace {

using test::Answer;
using test::with_password;
using test::World;

const std::string kRegister = "/_matrix/client/v3/register";
const std::string kInvitations = "/_lingxi/client/v1/invitations";

Options by_invitation() {
    auto options = World::default_options();
    options.registration = Registration::invitation;
    return options;
}

Options unnamed() {
    auto options = by_invitation();
    options.server_name.clear();
    return options;
}

std::string setup_token(World& world) {
    const auto link = world.await(world.identity().make_setup_link());
    EXPECT_TRUE(link.has_value());
    return link->substr(std::string("https://here.example/setup#").size());
}

Answer set_up(World& world, const std::string& token, base::json::object more = {}) {
    base::json::object body{{"token", token},         {"server_name", "my.example"},
                            {"localpart", "zhang"},   {"password", "long enough"},
                            {"display_name", "张伟"}, {"room_name", "家"},
                            {"language", "zh"},       {"time_zone", "Asia/Shanghai"}};
    for (const auto& [key, value] : more) body[key] = value;
    return world.post("/_lingxi/client/v1/setup", std::move(body));
}

base::json::object with_invitation(const std::string& token, const std::string& session,
                                   base::json::object body) {
    base::json::object auth{{"type", "m.login.registration_token"}, {"token", token}};
    if (!session.empty()) auth["session"] = session;
    body["auth"] = std::move(auth);
    return body;
}

TEST(Registration, asks_for_its_stage_then_makes_the_account) {
    World world;
    const auto asked = world.post(kRegister, {});
    ASSERT_EQ(asked.status, 401);
    EXPECT_EQ(asked.body.at("flows").as_array().at(0).at("stages").as_array().at(0), "m.login.dummy");

    const auto made = world.post(
        kRegister,
        {{"username", "Alice"},
         {"password", "correct horse"},
         {"auth", base::json::object{{"type", "m.login.dummy"}, {"session", asked.text("session")}}}});

    ASSERT_EQ(made.status, 200);
    EXPECT_EQ(made.text("user_id"), "@alice:here.example");
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", made.text("access_token")).status, 200);
}

TEST(Registration, refuses_taken_illegal_and_reserved_names_before_any_stage) {
    World world;
    world.join("alice");
    const auto answer = [&](const char* name) {
        return world.post(kRegister, {{"username", name}, {"password", "long enough"}});
    };

    EXPECT_EQ(answer("alice").status, 400);
    EXPECT_EQ(answer("alice").errcode(), "M_USER_IN_USE");
    EXPECT_EQ(answer("张伟").errcode(), "M_INVALID_USERNAME");
    EXPECT_EQ(answer("assistant").errcode(), "M_INVALID_USERNAME");
    EXPECT_EQ(answer("admin").errcode(), "M_INVALID_USERNAME");
    EXPECT_EQ(answer("@bob:there.example").errcode(), "M_INVALID_USERNAME");
    EXPECT_EQ(answer("bob").status, 401);
    EXPECT_EQ(world.post(kRegister, {{"username", "bob"}, {"password", "short"}}).errcode(),
              "M_WEAK_PASSWORD");
    EXPECT_EQ(world.get("/_matrix/client/v3/register/available?username=alice").errcode(), "M_USER_IN_USE");
    EXPECT_TRUE(
        world.get("/_matrix/client/v3/register/available?username=bob").body.at("available").as_bool());
}

TEST(Registration, without_a_login_gives_no_token_and_without_a_name_chooses_one) {
    World world;
    const auto made = world.post(kRegister, {{"password", "correct horse"},
                                             {"inhibit_login", true},
                                             {"auth", base::json::object{{"type", "m.login.dummy"}}}});
    ASSERT_EQ(made.status, 200);
    EXPECT_TRUE(made.text("user_id").starts_with("@u"));
    EXPECT_FALSE(made.body.contains("access_token"));
    EXPECT_FALSE(made.body.contains("device_id"));
}

TEST(Registration, of_guests_and_on_a_closed_server_is_refused) {
    World world;
    EXPECT_EQ(world.post(kRegister + "?kind=guest", {}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world.post(kRegister + "?kind=robot", {}).errcode(), "M_INVALID_PARAM");
    const auto token = world.join("alice");

    auto options = World::default_options();
    options.registration = Registration::closed;
    ASSERT_TRUE(world.restart(options).has_value());

    EXPECT_EQ(world.post(kRegister, {}).status, 403);
    EXPECT_EQ(world.post(kRegister, {}).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world.get("/_matrix/client/v1/register/m.login.registration_token/validity?token=x").status,
              403);
    EXPECT_EQ(world.post(kInvitations, {}, token).status, 403);
}

TEST(Registration, that_a_restart_interrupted_starts_again_cleanly) {
    World world;
    const auto session = world.post(kRegister, {}).text("session");
    ASSERT_TRUE(world.restart().has_value());

    const auto answer = world.post(
        kRegister, {{"username", "alice"},
                    {"password", "correct horse"},
                    {"auth", base::json::object{{"type", "m.login.dummy"}, {"session", session}}}});

    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.errcode(), "M_UNKNOWN");
    EXPECT_NE(answer.text("session"), session);
    EXPECT_EQ(answer.body.at("flows").as_array().size(), 2);
}

TEST(Setup, waits_then_names_the_server_and_makes_its_administrator_once) {
    World world(unnamed());
    std::vector<AccountCreated> created;
    int named = 0;
    world.hooks.account_created =
        [&](AccountCreated news) -> runtime::Task<base::Result<std::optional<std::string>>> {
        created.push_back(std::move(news));
        co_return std::optional<std::string>("!first:my.example");
    };
    world.hooks.server_named = [&](storage::Transaction& tx) -> base::Result<void> {
        ++named;
        const auto made = ensure_system_account(tx, "assistant", "灵犀", 1);
        if (!made) return base::fail(made.error());
        return {};
    };
    ASSERT_TRUE(world.restart(unnamed()).has_value());
    EXPECT_FALSE(world.identity().is_set_up());
    EXPECT_TRUE(world.get("/_lingxi/client/v1/server").body.at("setup_needed").as_bool());
    EXPECT_TRUE(world.get("/_lingxi/client/v1/server").body.at("server_name").is_null());
    const auto token = setup_token(world);
    const auto check = world.post("/_lingxi/client/v1/setup/check", {{"token", token}});
    EXPECT_EQ(check.text("server_name"), "here.example");  // the public URL's host
    EXPECT_FALSE(check.body.at("server_name_fixed").as_bool());

    EXPECT_EQ(set_up(world, "wrong").errcode(), "IM.LINGXI.BAD_SETUP_TOKEN");
    EXPECT_EQ(set_up(world, "wrong").status, 403);
    EXPECT_EQ(set_up(world, token, {{"server_name", "not a name"}}).errcode(), "IM.LINGXI.BAD_SERVER_NAME");
    EXPECT_EQ(set_up(world, token, {{"localpart", "Zhang!"}}).errcode(), "M_INVALID_USERNAME");
    EXPECT_EQ(set_up(world, token, {{"password", "short"}}).errcode(), "M_WEAK_PASSWORD");
    const auto made = set_up(world, token);

    ASSERT_EQ(made.status, 200) << base::json::serialize(made.body);
    EXPECT_EQ(made.text("user_id"), "@zhang:my.example");
    EXPECT_EQ(made.text("home_server"), "my.example");
    EXPECT_EQ(made.text("room_id"), "!first:my.example");
    EXPECT_TRUE(world.identity().is_set_up());
    EXPECT_TRUE(world.identity().has_admin());
    EXPECT_EQ(named, 1);
    ASSERT_EQ(created.size(), 1);
    EXPECT_EQ(created[0].first_steps->room_name, "家");
    EXPECT_EQ(set_up(world, token).errcode(), "IM.LINGXI.BAD_SETUP_TOKEN");
    EXPECT_FALSE(world.await(world.identity().make_setup_link()).has_value());
    EXPECT_EQ(
        world.get("/_lingxi/admin/v1/users", made.text("access_token")).body.at("users").as_array().size(),
        1);
}

TEST(Setup, a_renewed_link_ends_the_earlier_one_and_a_day_ends_both) {
    World world(unnamed());
    const auto first = setup_token(world);
    const auto second = setup_token(world);
    EXPECT_EQ(world.post("/_lingxi/client/v1/setup/check", {{"token", first}}).status, 403);
    EXPECT_EQ(world.post("/_lingxi/client/v1/setup/check", {{"token", second}}).status, 200);

    world.clock().advance(std::chrono::hours(25));

    EXPECT_EQ(world.post("/_lingxi/client/v1/setup/check", {{"token", second}}).status, 403);
}

TEST(Setup, the_link_ends_when_somebody_else_became_administrator) {
    World world;
    const auto token = setup_token(world);
    ASSERT_TRUE(
        world
            .await(world.identity().add_person(
                {.localpart = "boss", .password = "long enough", .display_name = "", .is_admin = true}))
            .has_value());

    EXPECT_EQ(set_up(world, token, {{"server_name", nullptr}}).errcode(), "IM.LINGXI.BAD_SETUP_TOKEN");
}

TEST(Setup, of_a_server_that_is_open_already_still_makes_the_administrator) {
    World world;
    world.join("alice");
    EXPECT_FALSE(world.identity().has_admin());
    const auto token = setup_token(world);
    EXPECT_TRUE(world.post("/_lingxi/client/v1/setup/check", {{"token", token}})
                    .body.at("server_name_fixed")
                    .as_bool());

    EXPECT_EQ(set_up(world, token, {{"server_name", "other.example"}}).errcode(),
              "IM.LINGXI.BAD_SERVER_NAME");
    EXPECT_EQ(set_up(world, token, {{"server_name", nullptr}, {"localpart", "alice"}}).errcode(),
              "M_USER_IN_USE");
    EXPECT_EQ(set_up(world, token, {{"server_name", nullptr}}).text("user_id"), "@zhang:here.example");
    EXPECT_TRUE(world.identity().has_admin());
}

TEST(ServerName, is_immutable_from_the_first_account_on) {
    World world;
    auto other = World::default_options();
    other.server_name = "other.example";
    ASSERT_TRUE(world.restart(other).has_value());  // nobody is here yet
    world.join("alice");

    auto differs = world.restart(World::default_options());

    ASSERT_FALSE(differs.has_value());
    EXPECT_EQ(differs.error().code, "identity.server_name_differs");
    auto none = World::default_options();
    none.server_name.clear();
    ASSERT_TRUE(world.restart(none).has_value());
    EXPECT_EQ(world.identity().server_name(), "other.example");
}

TEST(Invitations, lead_a_person_in_as_often_as_they_say) {
    World world;
    const auto alice = world.join("alice");
    std::vector<AccountCreated> created;
    world.hooks.account_created =
        [&](AccountCreated news) -> runtime::Task<base::Result<std::optional<std::string>>> {
        created.push_back(std::move(news));
        co_return std::optional<std::string>{};
    };
    world.hooks.may_invite_to = [](storage::Transaction&, UserNumber, const std::string& room) {
        return room == "!ours";
    };
    world.hooks.room_names = [](storage::Transaction&, const std::vector<std::string>& rooms) {
        std::vector<RoomName> names;
        for (const auto& room : rooms) names.push_back({room, "Our room"});
        return names;
    };
    ASSERT_TRUE(world.restart(by_invitation()).has_value());
    EXPECT_EQ(world.post(kInvitations, {{"room_ids", base::json::array{"!theirs"}}}, alice).status, 403);

    const auto made = world.post(
        kInvitations, {{"uses", 1}, {"expires_in_seconds", 3600}, {"room_ids", base::json::array{"!ours"}}},
        alice);
    ASSERT_EQ(made.status, 200) << base::json::serialize(made.body);
    const auto token = made.text("token");
    EXPECT_EQ(made.text("url"), "https://here.example/invite#" + token);
    EXPECT_EQ(made.body.at("uses_left").as_int64(), 1);
    EXPECT_EQ(made.text("inviter"), "@alice:here.example");

    const auto preview = world.post(kInvitations + "/preview", {{"token", token}});
    EXPECT_TRUE(preview.body.at("valid").as_bool());
    EXPECT_EQ(preview.body.at("rooms").as_array().at(0).at("name"), "Our room");
    EXPECT_EQ(preview.body.at("inviter").at("user_id"), "@alice:here.example");
    const auto validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token=";
    EXPECT_TRUE(world.get(validity + token).body.at("valid").as_bool());
    EXPECT_FALSE(world.get(validity + std::string("wrong")).body.at("valid").as_bool());

    const auto asked = world.post(kRegister, {});
    EXPECT_EQ(asked.body.at("flows").as_array().size(), 1);
    const base::json::object bob{{"username", "bob"}, {"password", "correct horse"}};
    const auto wrong = world.post(kRegister, with_invitation("wrong", asked.text("session"), bob));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.errcode(), "M_UNAUTHORIZED");
    EXPECT_EQ(world
                  .post(kRegister, {{"username", "bob"},
                                    {"password", "correct horse"},
                                    {"auth", base::json::object{{"type", "m.login.dummy"}}}})
                  .status,
              401);
    EXPECT_EQ(world.post(kRegister, with_invitation(token, asked.text("session"), bob)).status, 200);

    ASSERT_EQ(created.size(), 1);
    EXPECT_EQ(created[0].room_ids, std::vector<std::string>{"!ours"});
    EXPECT_TRUE(created[0].inviter.has_value());
    const auto carol = world.post(
        kRegister, with_invitation(token, "", {{"username", "carol"}, {"password", "correct horse"}}));
    EXPECT_EQ(carol.errcode(), "M_UNAUTHORIZED");
    EXPECT_FALSE(world.post(kInvitations + "/preview", {{"token", token}}).body.at("valid").as_bool());
}

TEST(Invitations, the_last_use_goes_to_one_of_two_who_both_passed_the_stage) {
    World world;
    const auto alice = world.join("alice");
    const auto token = world.post(kInvitations, {{"uses", 1}}, alice).text("token");
    const auto pass = [&](const std::string& session) {
        return world.post(kRegister, with_invitation(token, session, {}));  // no password yet: the stage only
    };
    const auto one = world.post(kRegister, {}).text("session");
    const auto two = world.post(kRegister, {}).text("session");
    EXPECT_EQ(pass(one).errcode(), "M_MISSING_PARAM");
    EXPECT_EQ(pass(two).errcode(), "M_MISSING_PARAM");
    const auto finish = [&](const std::string& name, const std::string& session) {
        return world.post(kRegister, {{"username", name},
                                      {"password", "correct horse"},
                                      {"auth", base::json::object{{"session", session}}}});
    };

    EXPECT_EQ(finish("bob", one).status, 200);
    EXPECT_EQ(finish("carol", two).errcode(), "M_FORBIDDEN");
}

TEST(Invitations, expire_end_and_are_seen_by_their_inviter_and_administrators_only) {
    World world;
    const auto admin = set_up(world, setup_token(world), {{"server_name", nullptr}}).text("access_token");
    const auto alice = world.join("alice");
    const auto bob = world.join("bob");
    const auto token = world.post(kInvitations, {{"expires_in_seconds", 60}}, alice).text("token");
    const auto count = [&](const std::string& target, const std::string& who) {
        return world.get(target, who).body.at("invitations").as_array().size();
    };

    EXPECT_EQ(count(kInvitations, alice), 1);
    EXPECT_EQ(count(kInvitations, bob), 0);
    EXPECT_EQ(world.get(kInvitations + "?all=true", bob).status, 403);
    EXPECT_EQ(count(kInvitations + "?all=true", admin), 1);
    EXPECT_EQ(world.call(net::Method::del, kInvitations + "/" + token, {}, bob).status, 404);
    world.clock().advance(std::chrono::minutes(2));
    EXPECT_FALSE(world.post(kInvitations + "/preview", {{"token", token}}).body.at("valid").as_bool());
    EXPECT_EQ(world.call(net::Method::del, kInvitations + "/" + token, {}, alice).status, 200);
    EXPECT_EQ(count(kInvitations, alice), 0);
    EXPECT_EQ(world.post(kInvitations, {{"uses", 0}}, alice).errcode(), "M_INVALID_PARAM");
    EXPECT_EQ(world.post(kInvitations, {{"uses", "many"}}, alice).errcode(), "M_BAD_JSON");
}

TEST(News, a_fault_of_who_is_told_costs_nobody_the_account) {
    World world;
    world.hooks.account_created =
        [](AccountCreated) -> runtime::Task<base::Result<std::optional<std::string>>> {
        throw std::runtime_error("a bug");
        co_return std::nullopt;
    };
    ASSERT_TRUE(world.restart().has_value());

    EXPECT_FALSE(world.join("alice").empty());
}

TEST(News, that_could_not_be_told_is_told_after_a_restart) {
    World world;
    world.hooks.account_created =
        [](AccountCreated) -> runtime::Task<base::Result<std::optional<std::string>>> {
        co_return base::fail(base::ErrorKind::unavailable, "chat.away", "not now");
    };
    ASSERT_TRUE(world.restart().has_value());
    EXPECT_FALSE(world.join("alice").empty());  // the account stands all the same

    std::vector<AccountCreated> created;
    world.hooks.account_created =
        [&](AccountCreated news) -> runtime::Task<base::Result<std::optional<std::string>>> {
        created.push_back(std::move(news));
        co_return std::optional<std::string>{};
    };
    ASSERT_TRUE(world.restart().has_value());
    for (int turn = 0; turn < 100 && created.empty(); ++turn) world.get("/_matrix/client/v3/login");
    while (created.empty()) world.get("/_matrix/client/v3/profile/@alice:here.example");

    EXPECT_EQ(created[0].user_id.value, "@alice:here.example");
}

TEST(News, that_cannot_be_told_keeps_none_behind_it_waiting) {
    World world;
    bool is_last_told = false;
    bool is_back = false;
    world.hooks.account_created =
        [&](AccountCreated news) -> runtime::Task<base::Result<std::optional<std::string>>> {
        if (is_back && news.user_id.value == "@last:here.example") {
            is_last_told = true;
            co_return std::optional<std::string>{};
        }
        co_return base::fail(base::ErrorKind::unavailable, "chat.away", "not now");
    };
    ASSERT_TRUE(world.restart().has_value());
    for (int i = 0; i < 100; ++i) world.join("person" + std::to_string(i));
    world.join("last");

    is_back = true;
    ASSERT_TRUE(world.restart().has_value());
    for (int turn = 0; turn < 2000 && !is_last_told; ++turn)
        world.get("/_matrix/client/v3/profile/@last:here.example");
    EXPECT_TRUE(is_last_told);
}

}  // namespace
}  // namespace identity
