#include "failed_logins.h"
#include "network_store.h"
#include "world.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <identity/users.h>

namespace identity {
namespace {

using test::Answer;
using test::with_password;
using test::World;

/// Spends all that strangers have for alice.
void guess_from_many_networks(World& world) {
    const auto address = std::exchange(world.address, "");
    for (int guess = 0; guess < 110; ++guess) {
        world.address = "203.0." + std::to_string(guess) + ".1";
        world.log_in("alice", "wrong horse");
    }
    world.address = address;
}

TEST(Login, slows_the_guessing_of_one_password_and_forgives_in_time) {
    World world;
    world.join("alice");
    world.join("bob");
    for (int guess = 0; guess < 10; ++guess) EXPECT_EQ(world.log_in("alice", "wrong horse").status, 403);

    const auto slowed = world.log_in("alice", "correct horse");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(slowed.errcode(), "M_LIMIT_EXCEEDED");
    EXPECT_EQ(slowed.headers.get("Retry-After"), "10");
    EXPECT_EQ(world.log_in("bob", "correct horse").status, 200);

    world.clock().advance(std::chrono::seconds(10));
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    EXPECT_EQ(world.log_in("alice", "wrong horse").status, 403);
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
}

TEST(Login, a_stranger_who_guesses_does_not_lock_the_owner_out) {
    World world;
    const auto token = world.join("alice");
    const auto confirm = [&](const char* password) {
        return world
            .post("/_matrix/client/v3/account/password",
                  with_password("alice", password, {{"new_password", "correct horse"}}), token)
            .status;
    };
    // For an hour, as fast as net lets one address.
    int guesses = 0;
    world.address = "203.0.113.5";
    for (int i = 0; i < 720; ++i) {
        if (world.log_in("alice", "wrong horse").status == 403) ++guesses;
        world.clock().advance(std::chrono::seconds(5));
    }
    EXPECT_LE(guesses, 370);
    EXPECT_EQ(world.log_in("alice", "wrong horse").status, 403);
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 429);
    EXPECT_EQ(confirm("correct horse"), 200);  // by who has a session, wherever they are
    world.address = "192.0.2.99";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);  // where she is always
    world.address = "198.51.100.1";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);  // where she has never been
}

TEST(Login, guesses_from_many_places_are_slowed_together_and_not_those_from_where_the_account_is_in_use) {
    World world;
    const auto token = world.join("alice");
    int guesses = 0;
    for (int network = 0; network < 60; ++network) {
        world.address = "203.0." + std::to_string(network) + ".5";
        for (int i = 0; i < 5; ++i) guesses += world.log_in("alice", "wrong horse").status == 403 ? 1 : 0;
    }
    EXPECT_EQ(guesses, 100);
    world.address = "198.51.100.1";
    const auto slowed = world.log_in("alice", "correct horse");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(slowed.headers.get("Retry-After"), "2");
    // Who is nobody here is treated alike.
    for (int network = 0; network < 20; ++network) {
        world.address = "203.0." + std::to_string(network) + ".5";
        for (int i = 0; i < 5; ++i) EXPECT_EQ(world.log_in("nobody", "wrong horse").status, 403);
    }
    world.address = "198.51.100.1";
    EXPECT_EQ(world.log_in("nobody", "wrong horse").status, 429);

    world.address = "192.0.2.99";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    world.address = "198.51.100.1";
    world.clock().advance(std::chrono::seconds(2));
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    // It has been in use there since.
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
}

TEST(Login, guesses_from_one_line_of_many_networks_leave_other_strangers_their_share) {
    World world;
    world.join("alice");
    int guesses = 0;
    for (int network = 0; network < 60; ++network) {
        world.address = "2001:db8:1:" + std::to_string(network) + "::5";
        for (int i = 0; i < 5; ++i) guesses += world.log_in("alice", "wrong horse").status == 403 ? 1 : 0;
    }
    EXPECT_EQ(guesses, 25);
    world.address = "2001:db8:1:99::5";
    const auto slowed = world.log_in("alice", "correct horse");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(slowed.headers.get("Retry-After"), "8");
    world.address = "2001:db8:2:99::5";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    world.address = "2001:db8:1:98::5";
    world.clock().advance(std::chrono::seconds(8));
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
}

TEST(Login, where_a_device_was_that_was_logged_out_its_owner_is_no_stranger_for_thirty_days) {
    for (const int days : {29, 31}) {
        World world;
        const auto token = world.join("alice");
        ASSERT_EQ(world.post("/_matrix/client/v3/logout", {}, token).status, 200);
        world.clock().advance(std::chrono::days(days));
        guess_from_many_networks(world);
        EXPECT_EQ(world.log_in("alice", "correct horse").status, days < 30 ? 200 : 429);
    }
}

TEST(PasswordReset, leaves_its_owner_no_stranger_where_they_were_and_where_they_are) {
    World world;
    const auto boss = world.join("boss");
    world.write([](storage::Transaction& tx) -> base::Result<void> {
        tx.prepare("UPDATE identity_accounts SET is_admin = 1 WHERE localpart = 'boss'").run();
        return {};
    });
    world.join("alice");
    const auto url =
        world.post("/_lingxi/admin/v1/users/@alice:here.example/reset-link", {}, boss).text("url");
    world.address = "198.51.100.1";
    guess_from_many_networks(world);
    EXPECT_EQ(world
                  .post("/_lingxi/client/v1/password-reset",
                        {{"token", url.substr(url.find('#') + 1)}, {"new_password", "battery staple"}})
                  .status,
              200);
    world.address = "198.18.0.1";
    EXPECT_EQ(world.log_in("alice", "battery staple").status, 429);
    world.address = "198.51.100.2";  // where the link was used
    EXPECT_EQ(world.log_in("alice", "battery staple").status, 200);
    world.address = "192.0.2.99";  // where she was always
    EXPECT_EQ(world.log_in("alice", "battery staple").status, 200);
}

TEST(Networks, that_are_noted_are_few_and_go_with_the_account) {
    World world;
    const auto token = world.join("alice");
    const auto count = [&world] {
        return *world.read([](storage::Transaction& tx) -> base::Result<std::int64_t> {
            auto row = tx.prepare("SELECT count(*) FROM identity_networks");
            return row.step() ? row.integer(0) : -1;
        });
    };
    const auto noted = world.write([](storage::Transaction& tx) -> base::Result<void> {
        const auto user = find_user(tx, "@alice:here.example").value();
        for (int network = 0; network < 25; ++network)
            note_network(tx, user, "203.0." + std::to_string(network) + ".1", network);
        note_network(tx, user, "203.0.5.9", 25);
        EXPECT_FALSE(is_known_network(tx, user, "203.0.4.1", 25));
        EXPECT_TRUE(is_known_network(tx, user, "203.0.5.1", 25));
        return {};
    });
    ASSERT_TRUE(noted);
    EXPECT_EQ(count(), 20);
    ASSERT_TRUE(world.restart());  // the upkeep at the end drops what is old
    EXPECT_EQ(count(), 0);
    const auto other = world.log_in("alice", "correct horse").text("access_token");
    ASSERT_EQ(world.post("/_matrix/client/v3/logout", {}, other).status, 200);
    EXPECT_EQ(count(), 1);
    EXPECT_EQ(
        world.post("/_matrix/client/v3/account/deactivate", with_password("alice", "correct horse"), token)
            .status,
        200);
    EXPECT_EQ(count(), 0);
}

TEST(Login, confirmations_are_slowed_for_each_device) {
    World world;
    const auto laptop = world.join("alice");
    const auto phone = world.log_in("alice", "correct horse").text("access_token");
    const auto confirm = [&](const std::string& token, const char* password) {
        return world
            .post("/_matrix/client/v3/account/password",
                  with_password("alice", password,
                                {{"new_password", "correct horse"}, {"logout_devices", false}}),
                  token)
            .status;
    };
    for (int guess = 0; guess < 10; ++guess) EXPECT_EQ(confirm(laptop, "wrong horse"), 401);
    EXPECT_EQ(confirm(laptop, "correct horse"), 429);
    EXPECT_EQ(confirm(phone, "correct horse"), 200);
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
    world.clock().advance(std::chrono::seconds(10));
    EXPECT_EQ(confirm(laptop, "correct horse"), 200);
}

TEST(Networks, are_many_on_one_line_of_ipv6_alone) {
    EXPECT_EQ(line_of("2001:db8:1:2::9"), line_of("2001:db8:1:ff00::9"));
    EXPECT_NE(line_of("2001:db8:1:2::9"), line_of("2001:db8:2:2::9"));
    for (const auto* address : {"192.0.2.7", "::ffff:192.0.2.7", "a door"}) EXPECT_EQ(line_of(address), "");
}

TEST(Networks, are_what_one_house_has) {
    EXPECT_EQ(network_of("192.0.2.7"), network_of("192.0.2.250"));
    EXPECT_NE(network_of("192.0.2.7"), network_of("192.0.3.7"));
    EXPECT_EQ(network_of("::ffff:192.0.2.7"), network_of("192.0.2.9"));
    EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2::9"));
    EXPECT_NE(network_of("2001:db8:1:2::9"), network_of("2001:db8:1:3::9"));
    EXPECT_EQ(network_of("a door"), "a door");
}

TEST(Login, counts_guesses_that_come_all_at_once) {
    World world;
    world.join("alice");
    const World::Call guess{
        .target = "/_matrix/client/v3/login",
        .body = {{"type", "m.login.password"},
                 {"identifier", base::json::object{{"type", "m.id.user"}, {"user", "alice"}}},
                 {"password", "wrong horse"}}};
    const auto answers = world.together(std::vector(30, guess));
    EXPECT_EQ(std::ranges::count(answers, 403, &Answer::status), 10);
    EXPECT_EQ(std::ranges::count(answers, 429, &Answer::status), 20);
}

TEST(Devices, remember_where_they_were_seen_last) {
    World world;
    const auto token = world.join("alice");
    const auto seen_in = [&] {
        return std::string(world.get("/_matrix/client/v3/devices", token)
                               .body.at("devices")
                               .as_array()
                               .at(0)
                               .at("last_seen_ip")
                               .as_string());
    };
    EXPECT_EQ(seen_in(), "192.0.2.7");
    world.clock().advance(std::chrono::seconds(1));
    world.address = "198.51.100.1";
    EXPECT_EQ(seen_in(), "192.0.2.7");
    ASSERT_TRUE(world.restart().has_value());  // a new address waits for no five minutes
    EXPECT_EQ(seen_in(), "198.51.100.1");
    // There, the account is in use now.
    guess_from_many_networks(world);
    world.address = "198.18.0.1";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 429);
    world.address = "198.51.100.77";
    EXPECT_EQ(world.log_in("alice", "correct horse").status, 200);
}

}  // namespace
}  // namespace identity
