#include "core.h"
#include "world.h"

#include <chrono>
#include <future>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <identity/users.h>

namespace identity {
namespace {

using test::with_password;
using test::World;

TEST(Login, gives_a_token_that_says_who_one_is) {
    World world;
    world.join("alice");

    const auto session = world.log_in("alice", "correct horse", {{"device_id", "PHONE"}});

    ASSERT_EQ(session.status, 200);
    EXPECT_EQ(session.text("user_id"), "@alice:here.example");
    EXPECT_EQ(session.text("device_id"), "PHONE");
    EXPECT_FALSE(session.body.contains("refresh_token"));
    const auto who = world.get("/_matrix/client/v3/account/whoami", session.text("access_token"));
    EXPECT_EQ(who.text("user_id"), "@alice:here.example");
    EXPECT_EQ(who.text("device_id"), "PHONE");
    EXPECT_FALSE(who.body.at("is_guest").as_bool());
}

TEST(Login, takes_a_whole_id_the_legacy_field_and_capital_letters) {
    World world;
    world.join("alice");

    EXPECT_EQ(world.log_in("@alice:here.example", "correct horse").status, 200);
    EXPECT_EQ(world.log_in("Alice", "correct horse").status, 200);
    EXPECT_EQ(world
                  .post("/_matrix/client/r0/login",
                        {{"type", "m.login.password"}, {"user", "alice"}, {"password", "correct horse"}})
                  .status,
              200);
}

TEST(Login, refuses_a_wrong_password_and_an_unknown_person_alike) {
    World world;
    world.join("alice");

    const auto wrong = world.log_in("alice", "wrong horse");
    const auto unknown = world.log_in("nobody", "wrong horse");
    const auto elsewhere = world.log_in("@alice:there.example", "correct horse");

    for (const auto& answer : {wrong, unknown, elsewhere}) {
        EXPECT_EQ(answer.status, 403);
        EXPECT_EQ(answer.errcode(), "M_FORBIDDEN");
        EXPECT_EQ(answer.body, wrong.body);
    }
}

TEST(Login, waits_for_no_other_work) {
    World world;
    world.join("alice");
    // All threads of the pool that messages and pictures need are taken, as a flood of logins would take
    // them.
    std::promise<void> release;
    const auto released = release.get_future().share();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(world.runtime().cpu().post([released] { released.wait(); }));
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    release.set_value();
}

TEST(Login, refuses_what_is_malformed) {
    World world;
    const std::string path = "/_matrix/client/v3/login";

    EXPECT_EQ(world.call_raw(net::Method::post, path, "{").errcode(), "M_NOT_JSON");
    EXPECT_EQ(world.call_raw(net::Method::post, path, "[]").errcode(), "M_BAD_JSON");
    EXPECT_EQ(world.post(path, {}).errcode(), "M_MISSING_PARAM");
    EXPECT_EQ(world.post(path, {{"type", 7}}).errcode(), "M_BAD_JSON");
    EXPECT_EQ(world.post(path, {{"type", "m.login.magic"}}).errcode(), "M_UNKNOWN");
    EXPECT_EQ(world.post(path, {{"type", "m.login.password"}, {"user", "a"}}).errcode(), "M_MISSING_PARAM");
    EXPECT_EQ(world.log_in("alice", "x", {{"device_id", std::string(300, 'd')}}).errcode(),
              "M_INVALID_PARAM");
}

TEST(Login, on_a_known_device_ends_its_earlier_token) {
    World world;
    world.join("alice");
    const auto first = world.log_in("alice", "correct horse", {{"device_id", "PHONE"}}).text("access_token");
    ASSERT_EQ(world.get("/_matrix/client/v3/account/whoami", first).status, 200);

    const auto second = world.log_in("alice", "correct horse", {{"device_id", "PHONE"}}).text("access_token");

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", first).errcode(), "M_UNKNOWN_TOKEN");
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", second).status, 200);
}

TEST(Login, of_one_device_too_many_ends_the_session_that_was_seen_longest_ago) {
    World world;
    int removed = 0;
    world.hooks.device_removed = [&removed](storage::Transaction&, UserNumber, DeviceNumber) { ++removed; };
    ASSERT_TRUE(world.restart().has_value());
    const auto first = world.join("alice");
    world.clock().advance(std::chrono::minutes(1));
    const auto second = world.log_in("alice", "correct horse", {{"device_id", "PHONE"}}).text("access_token");
    const auto filled = world.write([](storage::Transaction& tx) -> base::Result<void> {
        tx.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 498) "
            "INSERT INTO identity_devices (user_number, device_id, created_at_ms, last_seen_at_ms) "
            "SELECT d.user_number, 'D' || n.i, d.created_at_ms, d.last_seen_at_ms FROM n, identity_devices d "
            "WHERE d.device_id = 'PHONE'");
        return {};
    });
    ASSERT_TRUE(filled.has_value());

    world.log_in("alice", "correct horse", {{"device_id", "PHONE"}});
    EXPECT_EQ(removed, 0) << "a device that is known takes no place";
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", second).status, 401);
    const auto third = world.log_in("alice", "correct horse").text("access_token");

    EXPECT_EQ(removed, 1);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", first).status, 401);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices", third).body.at("devices").as_array().size(), 500U);
}

TEST(Login, by_token_works_once_and_only_in_time) {
    World world;
    const auto token = world.join("alice");
    const auto make = [&] {
        return world
            .post("/_matrix/client/v1/login/get_token", with_password("alice", "correct horse"), token)
            .text("login_token");
    };
    const auto use = [&](const std::string& login_token) {
        return world.post("/_matrix/client/v3/login", {{"type", "m.login.token"}, {"token", login_token}});
    };

    const auto good = make();
    EXPECT_EQ(use(good).text("user_id"), "@alice:here.example");
    EXPECT_EQ(use(good).errcode(), "M_FORBIDDEN");

    const auto late = make();
    world.clock().advance(std::chrono::minutes(3));
    EXPECT_EQ(use(late).errcode(), "M_FORBIDDEN");
}

TEST(Login, by_the_link_of_a_demonstration) {
    World world;
    const auto user = world.await(world.identity().add_person(
        {.localpart = "xiaoming", .password = "long enough", .display_name = "小明", .is_admin = false}));
    ASSERT_TRUE(user.has_value());
    const auto link = world.await(world.identity().make_login_link(*user, 60'000));
    ASSERT_TRUE(link.has_value());
    const std::string start = "https://here.example/login#token=";
    ASSERT_TRUE(link->starts_with(start));

    const auto session = world.post("/_matrix/client/v3/login",
                                    {{"type", "m.login.token"}, {"token", link->substr(start.size())}});
    EXPECT_EQ(session.text("user_id"), "@xiaoming:here.example");
}

TEST(Logout, ends_the_token_and_forgets_the_device_only) {
    World world;
    const auto kept = world.join("alice");
    const auto session = world.log_in("alice", "correct horse", {{"device_id", "PHONE"}});
    const auto token = session.text("access_token");

    EXPECT_EQ(world.post("/_matrix/client/v3/logout", {}, token).status, 200);

    const auto after = world.get("/_matrix/client/v3/account/whoami", token);
    EXPECT_EQ(after.status, 401);
    EXPECT_EQ(after.errcode(), "M_UNKNOWN_TOKEN");
    EXPECT_FALSE(after.body.contains("soft_logout"));
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/PHONE", kept).errcode(), "M_NOT_FOUND");
}

TEST(Logout, of_all_ends_every_token_and_tells_of_each_device) {
    World world;
    int removed = 0;
    world.hooks.device_removed = [&removed](storage::Transaction&, UserNumber, DeviceNumber) { ++removed; };
    ASSERT_TRUE(world.restart().has_value());
    const auto first = world.join("alice");
    const auto second = world.log_in("alice", "correct horse").text("access_token");
    ASSERT_EQ(world.get("/_matrix/client/v3/account/whoami", first).status, 200);

    EXPECT_EQ(world.post("/_matrix/client/v3/logout/all", {}, second).status, 200);

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", first).status, 401);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", second).status, 401);
    EXPECT_EQ(removed, 2);
}

TEST(Refresh, trades_a_token_and_ends_the_old_ones_at_first_use) {
    World world;
    world.join("alice");
    const auto session = world.log_in("alice", "correct horse", {{"refresh_token", true}});
    const auto old_access = session.text("access_token");
    const auto old_refresh = session.text("refresh_token");
    ASSERT_EQ(session.body.at("expires_in_ms").as_int64(), 3'600'000);

    const auto fresh = world.post("/_matrix/client/v3/refresh", {{"refresh_token", old_refresh}});
    ASSERT_EQ(fresh.status, 200);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", old_access).status, 200);

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", fresh.text("access_token")).status, 200);
    const auto late = world.get("/_matrix/client/v3/account/whoami", old_access);
    EXPECT_EQ(late.status, 401);
    EXPECT_TRUE(late.body.contains("soft_logout"))
        << "the session is not gone: a client would forget all of it";
    const auto again = world.post("/_matrix/client/v3/refresh", {{"refresh_token", old_refresh}});
    EXPECT_EQ(again.status, 401);
    EXPECT_EQ(again.errcode(), "M_UNKNOWN_TOKEN");
}

TEST(Refresh, leaves_few_tokens_of_a_device_that_renews_and_never_asks) {
    World world;
    world.join("alice");
    auto refresh = world.log_in("alice", "correct horse", {{"refresh_token", true}}).text("refresh_token");
    std::string access;
    for (int turn = 0; turn < 6; ++turn) {
        const auto answer = world.post("/_matrix/client/v3/refresh", {{"refresh_token", refresh}});
        ASSERT_EQ(answer.status, 200);
        refresh = answer.text("refresh_token");
        access = answer.text("access_token");
    }
    const auto kept = world.read([](storage::Transaction& tx) -> base::Result<std::int64_t> {
        auto row = tx.prepare("SELECT count(*) FROM identity_access_tokens WHERE expires_at_ms IS NOT NULL");
        row.step();
        return row.integer(0);
    });
    EXPECT_EQ(*kept, 2);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", access).status, 200);
}

TEST(Refresh, can_be_repeated_while_its_answer_may_have_been_lost) {
    World world;
    world.join("alice");
    const auto refresh =
        world.log_in("alice", "correct horse", {{"refresh_token", true}}).text("refresh_token");

    const auto lost = world.post("/_matrix/client/v3/refresh", {{"refresh_token", refresh}});
    const auto arrived = world.post("/_matrix/client/v3/refresh", {{"refresh_token", refresh}});

    ASSERT_EQ(arrived.status, 200);
    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", lost.text("access_token")).status, 401);
    EXPECT_EQ(
        world.post("/_matrix/client/v3/refresh", {{"refresh_token", lost.text("refresh_token")}}).status,
        401);
    const auto next =
        world.post("/_matrix/client/v3/refresh", {{"refresh_token", arrived.text("refresh_token")}});
    EXPECT_EQ(next.status, 200);
    EXPECT_EQ(world.post("/_matrix/client/v3/refresh", {{"refresh_token", refresh}}).status, 401);
}

TEST(Refresh, that_is_repeated_and_the_first_answers_use_never_both_succeed) {
    World world;
    world.join("alice");
    for (int round = 0; round < 10; ++round) {
        const auto refresh =
            world.log_in("alice", "correct horse", {{"refresh_token", true}}).text("refresh_token");
        const auto first = world.post("/_matrix/client/v3/refresh", {{"refresh_token", refresh}});
        const auto answers =
            world.together({{.method = net::Method::get,
                             .target = "/_matrix/client/v3/account/whoami",
                             .token = first.text("access_token")},
                            {.target = "/_matrix/client/v3/refresh", .body = {{"refresh_token", refresh}}}});
        EXPECT_NE(answers[0].status == 200, answers[1].status == 200);
    }
}

TEST(Tokens, that_expired_ask_for_a_soft_logout) {
    World world;
    world.join("alice");
    const auto token = world.log_in("alice", "correct horse", {{"refresh_token", true}}).text("access_token");
    world.clock().advance(std::chrono::hours(2));

    const auto answer = world.get("/_matrix/client/v3/account/whoami", token);

    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.errcode(), "M_UNKNOWN_TOKEN");
    EXPECT_TRUE(answer.body.at("soft_logout").as_bool());
}

TEST(Tokens, live_through_a_restart_and_stand_nowhere_in_clear) {
    World world;
    const auto token = world.join("alice");
    ASSERT_TRUE(world.restart().has_value());

    EXPECT_EQ(world.get("/_matrix/client/v3/account/whoami", token).status, 200);
    const auto found = world.read([token](storage::Transaction& tx) -> base::Result<bool> {
        return tx
            .prepare(
                "SELECT 1 FROM identity_access_tokens WHERE CAST(token_hash AS TEXT) LIKE '%' || ?1 || '%'")
            .bind(token)
            .step();
    });
    EXPECT_FALSE(*found);
}

TEST(Devices, are_listed_named_and_removed_after_the_password) {
    World world;
    const auto token = world.join("alice");
    world.log_in("alice", "correct horse", {{"device_id", "PHONE"}, {"initial_device_display_name", "手机"}});

    EXPECT_EQ(world.get("/_matrix/client/v3/devices", token).body.at("devices").as_array().size(), 2);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/PHONE", token).text("display_name"), "手机");
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/PHONE", token).text("last_seen_ip"), "192.0.2.7");
    EXPECT_EQ(world.put("/_matrix/client/v3/devices/PHONE", {{"display_name", "Phone"}}, token).status, 200);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/PHONE", token).text("display_name"), "Phone");
    EXPECT_EQ(world.put("/_matrix/client/v3/devices/NONE", {{"display_name", "x"}}, token).errcode(),
              "M_NOT_FOUND");

    const auto asked = world.call(net::Method::del, "/_matrix/client/v3/devices/PHONE", {}, token);
    EXPECT_EQ(asked.status, 401);
    EXPECT_EQ(asked.body.at("flows").as_array().at(0).at("stages").as_array().at(0), "m.login.password");
    const auto session = asked.text("session");
    const auto wrong = world.call(net::Method::del, "/_matrix/client/v3/devices/PHONE",
                                  with_password("alice", "wrong horse", {}, session), token);
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.errcode(), "M_FORBIDDEN");
    EXPECT_EQ(wrong.text("session"), session);
    EXPECT_EQ(world
                  .call(net::Method::del, "/_matrix/client/v3/devices/PHONE",
                        with_password("alice", "correct horse", {}, session), token)
                  .status,
              200);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/PHONE", token).status, 404);
}

TEST(Devices, a_confirmation_for_one_removes_no_other) {
    World world;
    const auto token = world.join("alice");
    world.log_in("alice", "correct horse", {{"device_id", "A"}});
    world.log_in("alice", "correct horse", {{"device_id", "B"}});
    const auto session =
        world.call(net::Method::del, "/_matrix/client/v3/devices/A", {}, token).text("session");

    const auto answer = world.call(net::Method::del, "/_matrix/client/v3/devices/B",
                                   with_password("alice", "correct horse", {}, session), token);

    EXPECT_EQ(answer.status, 401);
    EXPECT_NE(answer.text("session"), session);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices/B", token).status, 200);
}

TEST(Devices, with_ids_that_none_can_have_are_not_remembered_for_a_confirmation) {
    World world;
    const auto token = world.join("alice");
    const std::string path = "/_matrix/client/v3/devices/";
    EXPECT_EQ(world.call(net::Method::del, path + std::string(255, 'D'), {}, token).status, 401);
    EXPECT_EQ(world.call(net::Method::del, path + std::string(256, 'D'), {}, token).errcode(),
              "M_INVALID_PARAM");
}

TEST(Devices, several_are_removed_at_once_and_unknown_ones_do_no_harm) {
    World world;
    const auto token = world.join("alice");
    world.log_in("alice", "correct horse", {{"device_id", "A"}});
    const base::json::object body{{"devices", base::json::array{"A", "NONE"}}};

    EXPECT_EQ(world.post("/_matrix/client/v3/delete_devices", body, token).status, 401);
    EXPECT_EQ(
        world.post("/_matrix/client/v3/delete_devices", with_password("alice", "correct horse", body), token)
            .status,
        200);
    EXPECT_EQ(world.get("/_matrix/client/v3/devices", token).body.at("devices").as_array().size(), 1);
}

TEST(Devices, remember_lazily_when_they_were_seen) {
    World world;
    const auto token = world.join("alice");
    const auto seen = [&] {
        return world.get("/_matrix/client/v3/devices", token)
            .body.at("devices")
            .as_array()
            .at(0)
            .at("last_seen_ts")
            .as_int64();
    };
    const auto at_first = seen();
    world.clock().advance(std::chrono::minutes(10));
    EXPECT_EQ(seen(), at_first);

    ASSERT_TRUE(world.restart().has_value());  // what was kept back is written at the end

    EXPECT_EQ(seen(), at_first + 600'000);
}

TEST(Devices, what_was_seen_of_them_and_could_not_be_written_is_written_later) {
    World world;
    const auto token = world.join("alice");
    const auto run = [&world](std::string_view sql) {
        return world.write([sql](storage::Transaction& tx) -> base::Result<void> {
            tx.prepare(sql).run();
            return {};
        });
    };
    const auto device = world.read([](storage::Transaction& tx) -> base::Result<DeviceNumber> {
        return list_devices(tx, find_user(tx, "@alice:here.example").value()).front().device;
    });
    base::SystemRandom random;
    Core core(world.runtime(), world.database(), world.clock(), random, World::default_options());
    core.tokens.saw(*device, "198.51.100.1", world.clock().now_ms());
    ASSERT_TRUE(
        run("CREATE TRIGGER full BEFORE UPDATE ON identity_devices BEGIN SELECT RAISE(ABORT, ''); END"));
    world.await(core.upkeep_once());
    ASSERT_TRUE(run("DROP TRIGGER full"));
    world.await(core.upkeep_once());
    const auto devices = world.get("/_matrix/client/v3/devices", token).body.at("devices").as_array();
    EXPECT_EQ(devices.at(0).at("last_seen_ip").as_string(), "198.51.100.1");
}

TEST(Devices, that_were_seen_since_are_not_told_of_as_they_were) {
    TokenCache tokens;
    tokens.saw(DeviceNumber{1}, "there", 1);
    tokens.saw(DeviceNumber{2}, "there", 1);
    const auto lost = tokens.take_seen();
    tokens.saw(DeviceNumber{2}, "here", 2);
    tokens.keep_seen(lost);
    std::map<std::int64_t, std::string> seen;
    for (const auto& [number, sight] : tokens.take_seen()) seen[number.value] = sight.address;
    EXPECT_EQ(seen, (std::map<std::int64_t, std::string>{{1, "there"}, {2, "here"}}));
}

}  // namespace
}  // namespace identity
