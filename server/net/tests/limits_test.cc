// Every wait has an end. The limits are small here; nothing asserts how long anything took.
#include "test_server.h"

#include <gtest/gtest.h>

namespace net::test {
namespace {

using std::chrono::milliseconds;

runtime::Task<Response> accept_body(Request request) {
    co_return json(200, std::to_string(request.body.size()));
}
runtime::Task<Response> answer_long(Request) {
    co_return json(200, std::string(8'000'000, 'x'));
}

std::vector<Route> routes() {
    return {
        Route{Method::post, "/api/post", "post", Auth::none, RateClass::none, 4096, false, accept_body, ""},
        Route{Method::get, "/api/long", "long", Auth::none, RateClass::none, 0, false, answer_long, ""},
        fixed_route("/api/hello", "{}")};
}

TEST(Limits, silent_connection_is_closed) {
    TestServer server(routes(), ServerOptions{.header_timeout = milliseconds(30)});
    Client client(server.port());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(Limits, deadlines_are_kept_after_a_fault) {
    TestServer server(routes(), ServerOptions{.header_timeout = milliseconds(30)});
    server.clock().set_fails(true);
    ASSERT_TRUE(eventually([&] { return server.clock().faults() > 0; }));
    server.clock().set_fails(false);
    EXPECT_TRUE(Client(server.port()).wait_for_close());
}

TEST(Limits, slow_head_is_answered_with_408_and_closed) {
    TestServer server(routes());
    Client client(server.port());
    client.send("GET /api/hello HTTP/1.1\r\nHost:");
    EXPECT_EQ(get(server.port(), "/api/hello").status, 200);  // sent later, so that the half head has come
    server.clock().leap(std::chrono::seconds(16));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.field("Connection"), "close");
    client.half_close();
    EXPECT_TRUE(client.wait_for_close());
}

TEST(Limits, slow_loris_cannot_put_the_end_off) {
    TestServer server(routes(), ServerOptions{.header_timeout = milliseconds(80)});
    Client client(server.port());
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n");
    // A byte at a time for as long as the server listens.
    for (int i = 0; i < 2000; ++i) {
        client.send("X");
        std::size_t count = 1;
        server.on_io([&] { count = server.server().connections(); });
        if (count == 0) break;
        std::this_thread::sleep_for(milliseconds(5));
    }
    client.close();
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Limits, slow_body_is_answered_with_408) {
    TestServer server(routes(), ServerOptions{.body_timeout = milliseconds(50)});
    Client client(server.port());
    client.send("POST /api/post HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(code_of(answer), "net.body_timeout");
    client.half_close();
    EXPECT_TRUE(client.wait_for_close());
}

TEST(Limits, idle_connection_is_closed_after_keep_alive) {
    TestServer server(routes(), ServerOptions{.keep_alive_timeout = milliseconds(30)});
    Client client(server.port());
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Limits, one_person_keeps_only_so_much_waiting_to_be_read) {
    const Route route{Method::get, "/api/long", "long", Auth::required, RateClass::none, 0,
                      false,       answer_long, ""};
    TestServer server({route}, ServerOptions{.unsent_limit_bytes = 10'000'000}, [](Server& made) {
        made.set_authenticator([](std::string token) -> runtime::Task<base::Result<Principal>> {
            co_return Principal{.user_id = token, .user_number = token == "alice" ? 1 : 2};
        });
    });
    const auto asked_by = [](std::string_view name) {
        return "GET /api/long HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer " +
               std::string(name) + "\r\n\r\n";
    };
    Client unread(server.port());
    unread.send(asked_by("alice"));
    unread.read_until("\r\n\r\n");
    for (int turn = 0; turn < 100; ++turn) server.on_io([] {});  // what the socket takes has gone out

    Client second(server.port());
    second.send(asked_by("alice"));
    EXPECT_LT(second.read_to_end().size(), 8'000'000U);
    Client other(server.port());
    other.send(asked_by("bob"));
    EXPECT_GT(other.read_to_end().size(), 8'000'000U);
    EXPECT_EQ(unread.read_to_end().size(), 8'000'000U);
    Client later(server.port());
    later.send(asked_by("alice"));
    EXPECT_GT(later.read_to_end().size(), 8'000'000U);
}

TEST(Limits, client_that_does_not_read_its_answer_is_cut) {
    TestServer server(routes(),
                      ServerOptions{.write_timeout = milliseconds(-600'000)});  // 8 MB are given 500 s
    Client client(server.port());
    client.send("GET /api/long HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Limits, connections_over_the_limit_are_turned_away) {
    TestServer server(routes(), ServerOptions{.connection_limit = 2});
    Client one(server.port());
    Client two(server.port());
    one.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    two.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(one.read_answer().status, 200);
    EXPECT_EQ(two.read_answer().status, 200);
    Client three(server.port());
    EXPECT_EQ(three.read_answer().status, 503);
    one.close();
    EXPECT_TRUE(eventually([&] { return get(server.port(), "/api/hello").status == 200; }));
}

TEST(Limits, one_address_does_not_take_every_connection) {
    TestServer server(routes(), ServerOptions{.connections_per_address_limit = 2});
    const auto hello = [](Client& client) {
        client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
        return client.read_answer().status;
    };
    Client one(server.port());
    Client two(server.port());
    ASSERT_EQ(hello(one), 200);
    ASSERT_EQ(hello(two), 200);
    Client three(server.port());
    const auto refused = three.read_answer();
    EXPECT_EQ(refused.status, 429);
    EXPECT_GE(std::stoi(refused.field("Retry-After")), 1);
    Client elsewhere(server.port(), "127.0.0.2");
    EXPECT_EQ(hello(elsewhere), 200);
    one.close();
    EXPECT_TRUE(eventually([&] { return get(server.port(), "/api/hello").status == 200; }));
}

TEST(Limits, a_trusted_proxy_has_the_connections_of_many_clients) {
    TestServer server(routes(),
                      ServerOptions{.connections_per_address_limit = 2, .trusted_proxies = {"127.0.0.1"}});
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(std::make_unique<Client>(server.port()));
        clients.back()->send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
        EXPECT_EQ(clients.back()->read_answer().status, 200);
    }
}

TEST(Limits, half_open_client_that_sent_part_of_a_body_is_forgotten) {
    TestServer server(routes());
    Client client(server.port());
    client.send("POST /api/post HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
    client.half_close();
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Limits, class_over_its_allowance_is_told_when_to_come_again) {
    TestServer server(
        {fixed_route("/api/login", "{}", RateClass::login), fixed_route("/api/read", "{}", RateClass::read)});
    Client client(server.port());
    int allowed = 0;
    Answer answer;
    for (int i = 0; i < 100; ++i) {
        client.send("GET /api/login HTTP/1.1\r\nHost: t\r\n\r\n");
        answer = client.read_answer();
        if (answer.status != 200) break;
        ++allowed;
    }
    EXPECT_GT(allowed, 5);
    EXPECT_LT(allowed, 100);
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(code_of(answer), "net.too_fast");
    EXPECT_GE(std::stoi(answer.field("Retry-After")), 1);
    EXPECT_EQ(get(server.port(), "/api/read").status, 200);
}

TEST(Limits, rate_limits_can_be_switched_off) {
    TestServer server({fixed_route("/api/login", "{}", RateClass::login)},
                      ServerOptions{.rate_limits = false});
    Client client(server.port());
    for (int i = 0; i < 100; ++i) {
        client.send("GET /api/login HTTP/1.1\r\nHost: t\r\n\r\n");
        ASSERT_EQ(client.read_answer().status, 200);
    }
}

TEST(Limits, expected_body_is_invited_only_if_it_will_be_read) {
    TestServer server(routes());
    Client client(server.port());
    client.send("POST /api/post HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 100);
    client.send("abc");
    EXPECT_EQ(client.read_answer().body, "3");

    client.send(
        "POST /api/post HTTP/1.1\r\nHost: t\r\nContent-Length: 30000\r\nExpect: 100-continue\r\n\r\n");
    const auto refused = client.read_answer();
    EXPECT_EQ(refused.status, 413);
    EXPECT_EQ(refused.field("Connection"), "close");

    Client other(server.port());
    other.send("POST /api/post HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: miracles\r\n\r\nabc");
    EXPECT_EQ(other.read_answer().status, 417);
}

}  // namespace
}  // namespace net::test
