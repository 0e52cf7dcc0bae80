#include "test_server.h"

#include <gtest/gtest.h>

#include <sanitizer/allocator_interface.h>

namespace net::test {
namespace {

constexpr std::string_view kPoll = "GET /api/poll HTTP/1.1\r\nHost: t\r\n\r\n";

class LongPoll : public testing::Test {
  protected:
    std::shared_ptr<Parking> parking = std::make_shared<Parking>();
    std::vector<Route> routes() {
        return {parking_route(Method::get, "/api/poll", parking),
                parking_route(Method::post, "/api/write", parking),
                parking_route(Method::post, "/api/sliding", parking, RateClass::sync),
                parking_route(Method::post, "/api/assist", parking, RateClass::assist),
                fixed_route("/api/hello", "{}")};
    }
    bool parked(int count = 1) {
        return eventually([&] { return parking->entered == count; });
    }
    bool left(int count = 1) {
        return eventually([&] { return parking->left == count; });
    }
    /// What a poll is answered whose token is refused with `code` by the time that there is news.
    auto answer_once_the_token_is(const std::string& code) {
        auto route = parking_route(Method::get, "/api/poll", parking, RateClass::sync);
        route.auth = Auth::required;
        std::atomic<bool> refused{false};
        TestServer server({route}, {}, [&](Server& made) {
            made.set_authenticator([&](std::string token) -> runtime::Task<base::Result<Principal>> {
                if (refused) co_return base::fail(base::ErrorKind::unauthenticated, code, "Refused.");
                co_return Principal{.user_id = std::move(token)};
            });
        });
        Client client(server.port());
        client.send("GET /api/poll HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer alice\r\n\r\n");
        EXPECT_TRUE(parked());
        refused = true;
        parking->released = true;
        return client.read_answer();
    }
};

TEST_F(LongPoll, is_answered_when_there_is_news) {
    TestServer server(routes());
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    EXPECT_EQ(get(server.port(), "/api/hello").status, 200);  // nobody else waits
    parking->released = true;
    EXPECT_EQ(client.read_answer().body, R"({"parked":true})");
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(LongPoll, tells_nothing_to_who_was_logged_out_meanwhile) {
    const auto answer = answer_once_the_token_is("test.unknown");
    EXPECT_EQ(answer.status, 401);
    EXPECT_FALSE(answer.body.contains("parked"));
}

TEST_F(LongPoll, is_answered_where_its_token_was_renewed_meanwhile) {
    EXPECT_EQ(answer_once_the_token_is(std::string(kTokenExpired)).body, R"({"parked":true})");
}

TEST_F(LongPoll, ends_when_its_client_goes_away) {
    TestServer server(routes());
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    client.close();
    EXPECT_TRUE(left());
    EXPECT_TRUE(server.wait_until_empty());
    EXPECT_FALSE(parking->released);
}

TEST_F(LongPoll, ends_when_its_client_resets_the_connection) {
    TestServer server(routes());
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    client.reset();
    EXPECT_TRUE(left());
    EXPECT_TRUE(server.wait_until_empty());
}

TEST_F(LongPoll, of_the_classes_sync_and_assist_ends_so_whatever_its_method) {
    TestServer server(routes());
    int count = 0;
    for (const std::string path : {"/api/sliding", "/api/assist"}) {
        Client client(server.port());
        client.send("POST " + path + " HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
        ASSERT_TRUE(parked(++count));
        client.close();
        EXPECT_TRUE(left(count)) << path;
        EXPECT_TRUE(server.wait_until_empty());
    }
}

TEST_F(LongPoll, handler_that_changes_something_runs_to_its_end_without_its_client) {
    TestServer server(routes());
    Client client(server.port());
    client.send("POST /api/write HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
    ASSERT_TRUE(parked());
    client.close();
    EXPECT_EQ(get(server.port(), "/api/hello").status, 200);  // a turn or more later
    EXPECT_EQ(parking->left, 0);
    parking->released = true;
    EXPECT_TRUE(left());
    EXPECT_TRUE(server.wait_until_empty());
}

TEST_F(LongPoll, bytes_that_come_meanwhile_are_kept_for_their_turn) {
    TestServer server(routes());
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    client.send("GET /api/hel");
    client.send("lo HTTP/1.1\r\nHost: t\r\n\r\nGET /api/no");
    EXPECT_EQ(get(server.port(), "/api/hello").status, 200);
    EXPECT_EQ(parking->left, 0);
    parking->released = true;
    EXPECT_EQ(client.read_answer().body, R"({"parked":true})");
    EXPECT_EQ(client.read_answer().body, "{}");
    client.send("thing HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 404);
}

TEST_F(LongPoll, a_flood_behind_it_is_not_taken_in) {
    TestServer server(routes(), ServerOptions{.header_limit_bytes = 2048});
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    std::string flood;
    for (int i = 0; i < 200; ++i) flood += "GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n";
    client.send(flood);
    parking->released = true;
    EXPECT_EQ(client.read_answer().status, 200);
    for (int i = 0; i < 200; ++i) ASSERT_EQ(client.read_answer().status, 200);
}

TEST_F(LongPoll, client_gone_behind_kept_bytes_still_ends_it) {
    TestServer server(routes());
    Client client(server.port());
    client.send(kPoll);
    ASSERT_TRUE(parked());
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    client.close();
    EXPECT_TRUE(left());
    EXPECT_TRUE(server.wait_until_empty());
}

TEST_F(LongPoll, many_are_parked_and_woken_together) {
    constexpr int kMany = 200;
    TestServer server(routes());
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < kMany; ++i) {
        clients.push_back(std::make_unique<Client>(server.port()));
        clients.back()->send(kPoll);
    }
    ASSERT_TRUE(parked(kMany));
    parking->released = true;
    for (const auto& client : clients) EXPECT_EQ(client->read_answer().status, 200);
}

TEST_F(LongPoll, is_answered_by_a_graceful_stop) {
    TestServer server(routes(), {}, [this](Server& made) {
        made.on_stopping([kept = parking] { kept->released = true; });
    });
    Client client(server.port());
    Client idle(server.port());
    idle.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(idle.read_answer().status, 200);
    client.send(kPoll);
    ASSERT_TRUE(parked());
    server.stop();
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.body, R"({"parked":true})");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client.wait_for_close());
    EXPECT_TRUE(idle.wait_for_close());
    EXPECT_THROW(Client(server.port()), std::runtime_error);
}

TEST_F(LongPoll, what_outlasts_the_grace_is_cut) {
    TestServer server(routes());
    Client client(server.port());
    client.send("POST /api/write HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
    ASSERT_TRUE(parked());
    server.stop(std::chrono::milliseconds(20));
    EXPECT_EQ(parking->left, 1);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(LongPoll, socket_of_what_is_cut_is_closed_though_its_handler_cannot_be) {
    std::atomic<bool> left = false;
    std::atomic<int> entered = 0;
    std::move_only_function<void()> resume;
    TestServer server({Route{Method::post, "/api/slow", "slow", Auth::none, RateClass::none, 0, false,
                             [&](Request) -> runtime::Task<Response> {
                                 co_await runtime::await_callback([&](std::move_only_function<void()> go_on) {
                                     resume = std::move(go_on);
                                     ++entered;
                                 });
                                 left = true;
                                 co_return json(200, "{}");
                             },
                             ""}});
    Client client(server.port());
    client.send("POST /api/slow HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return entered == 1; }));
    auto stopped = server.begin_stop(std::chrono::milliseconds(0));
    EXPECT_TRUE(client.wait_for_close());
    EXPECT_FALSE(left);
    server.on_io([&] { std::exchange(resume, nullptr)(); });
    stopped.wait();
    EXPECT_TRUE(left);
}

TEST_F(LongPoll, frees_its_buffers) {
    constexpr int kMany = 64;
    TestServer server(routes());
    const std::string filler(12'000, 'x');
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < kMany; ++i) clients.push_back(std::make_unique<Client>(server.port()));
    const auto allocated_bytes = [&] {
        std::size_t bytes = 0;
        server.on_io([&] { bytes = __sanitizer_get_current_allocated_bytes(); });
        return bytes;
    };
    const auto before = allocated_bytes();
    for (const auto& client : clients) {
        client->send("GET /api/poll HTTP/1.1\r\nHost: t\r\nX-Filler: " + filler + "\r\n\r\n");
    }
    ASSERT_TRUE(parked(kMany));
    // The request's head was over 12 KB; neither the bytes nor a buffer for them are kept.
    EXPECT_LT(allocated_bytes() - before, kMany * filler.size());
    parking->released = true;
    for (const auto& client : clients) EXPECT_EQ(client->read_answer().status, 200);
}

TEST_F(LongPoll, server_that_is_destroyed_without_a_stop_leaves_nothing_behind) {
    runtime::Runtime runtime;
    base::SystemClock clock;
    auto server = std::make_unique<Server>(runtime, clock, ServerOptions{});
    server->add_routes(routes());
    const auto listener = bind_listener("127.0.0.1:0");
    ASSERT_TRUE(listener);
    ASSERT_TRUE(server->start(*listener));
    Client client(
        static_cast<std::uint16_t>(std::stoi(listener->address.substr(listener->address.rfind(':') + 1))));
    client.send(kPoll);
    while (parking->entered == 0) runtime.io().run_one();
    server.reset();
    // The leak detector judges the rest: coroutines that wait are destroyed with the runtime.
}

}  // namespace
}  // namespace net::test
