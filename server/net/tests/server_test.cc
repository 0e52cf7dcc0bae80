#include "test_server.h"

#include <gtest/gtest.h>

namespace net::test {
namespace {

runtime::Task<Response> echo(Request request) {
    base::json::object out{
        {"method", to_string(request.method)}, {"path", request.path}, {"body", request.body}};
    base::json::object values;
    for (const auto& [name, value] : request.path_values) values[name] = value;
    out["values"] = std::move(values);
    base::json::object query;
    for (const auto& [name, value] : request.query.pairs()) query[name] = value;
    out["query"] = std::move(query);
    out["peer"] = request.peer_address;
    out["user"] = request.principal ? request.principal->user_id : "";
    co_return json(200, base::json::value(std::move(out)));
}

Route echo_route(Method method, std::string_view path, std::size_t body_limit_bytes = 1024,
                 Auth auth = Auth::none) {
    return Route{method,
                 path,
                 "echo",
                 auth,
                 RateClass::none,
                 body_limit_bytes,
                 false,
                 echo,
                 "Answers what it was asked"};
}

runtime::Task<base::Result<Principal>> authenticate(std::string token) {
    if (token == "alice") co_return Principal{.user_id = "@alice:test"};
    if (token == "admin") co_return Principal{.user_id = "@admin:test", .is_admin = true};
    co_return base::fail(base::ErrorKind::unauthenticated, "identity.unknown_token", "Unknown token.");
}

TEST(Server, answers_a_get_with_json) {
    TestServer server({fixed_route("/api/hello", R"({"a":1})")});
    const auto answer = get(server.port(), "/api/hello");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, R"({"a":1})");
    EXPECT_EQ(answer.field("Content-Type"), "application/json");
    EXPECT_TRUE(answer.has("Date"));
}

TEST(Server, keeps_the_connection_and_answers_pipelined_requests_in_order) {
    TestServer server({echo_route(Method::get, "/api/{n}")});
    Client client(server.port());
    std::string many;
    for (int i = 0; i < 20; ++i) many += "GET /api/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
    client.send(many);
    for (int i = 0; i < 20; ++i) {
        const auto answer = client.read_answer();
        ASSERT_EQ(answer.status, 200);
        EXPECT_EQ(body_of(answer).at("values").at("n").as_string(), std::to_string(i));
    }
    client.send("GET /api/last HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.read_answer().field("Connection"), "close");
    EXPECT_TRUE(client.wait_for_close());
}

TEST(Server, a_client_that_pipelines_lets_others_have_their_turn) {
    constexpr int kFlood = 2000;
    auto answered = std::make_shared<std::atomic<int>>(0);
    auto before_other = std::make_shared<std::atomic<int>>(-1);
    TestServer server({Route{Method::get, "/api/flood", "flood", Auth::none, RateClass::none, 0, false,
                             [answered](Request) -> runtime::Task<Response> {
                                 ++*answered;
                                 co_return json(200, "{}");
                             },
                             ""},
                       Route{Method::get, "/api/other", "other", Auth::none, RateClass::none, 0, false,
                             [answered, before_other](Request) -> runtime::Task<Response> {
                                 *before_other = answered->load();
                                 co_return json(200, "{}");
                             },
                             ""}});
    constexpr std::string_view kOne = "GET /api/flood HTTP/1.1\r\nHost: t\r\n\r\n";
    Client flooding(server.port());
    Client other(server.port());
    flooding.send(kOne);
    ASSERT_EQ(flooding.read_answer().status, 200);
    other.send("GET /api/other HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_EQ(other.read_answer().status, 200);
    std::string flood;
    for (int i = 0; i < kFlood; ++i) flood += kOne;
    // Both lie in their sockets when the I/O thread comes to look.
    server.on_io([&] {
        flooding.send(flood);
        other.send("GET /api/other HTTP/1.1\r\nHost: t\r\n\r\n");
    });
    EXPECT_EQ(other.read_answer().status, 200);
    for (int i = 0; i < kFlood; ++i) ASSERT_EQ(flooding.read_answer().status, 200);
    EXPECT_EQ(*answered, kFlood + 1);
    EXPECT_LE(*before_other, 1 + 16);
}

TEST(Server, gives_the_handler_decoded_values_the_query_and_the_body) {
    TestServer server({echo_route(Method::put, "/api/rooms/{roomId}/send/{type}")});
    const auto answer =
        request(server.port(), "PUT", "/api/rooms/%21a%2Fb%3Ac/send/m.%E4%BD%A0?x=1%20+2&y", R"({"k":"v"})");
    ASSERT_EQ(answer.status, 200);
    const auto body = body_of(answer);
    EXPECT_EQ(body.at("values").at("roomId").as_string(), "!a/b:c");
    EXPECT_EQ(body.at("values").at("type").as_string(), "m.你");
    EXPECT_EQ(body.at("query").at("x").as_string(), "1  2");
    EXPECT_EQ(body.at("query").at("y").as_string(), "");
    EXPECT_EQ(body.at("body").as_string(), R"({"k":"v"})");
    EXPECT_EQ(body.at("peer").as_string(), "127.0.0.1");
}

TEST(Server, asks_the_surface_how_to_word_its_own_errors) {
    TestServer server({echo_route(Method::post, "/api/thing", 16)});
    EXPECT_EQ(code_of(get(server.port(), "/api/nothing")), "net.no_route");
    const auto wrong = get(server.port(), "/api/thing");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(code_of(wrong), "net.wrong_method");
    EXPECT_EQ(wrong.field("Allow"), "POST");
    EXPECT_EQ(code_of(get(server.port(), "/api/%zz")), "net.bad_path");
    EXPECT_EQ(code_of(get(server.port(), "/api/%ff")), "net.bad_path");
    EXPECT_EQ(code_of(request(server.port(), "POST", "/api/thing?a=%f", "x")), "net.bad_query");
    const auto large = request(server.port(), "POST", "/api/thing", "12345678901234567");
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(code_of(large), "net.body_too_large");
    EXPECT_EQ(get(server.port(), "/elsewhere").status, 404);
}

TEST(Server, authenticates_by_header_or_query_and_hides_the_query_token) {
    TestServer server({echo_route(Method::get, "/api/me", 0, Auth::required),
                       echo_route(Method::get, "/api/maybe", 0, Auth::optional),
                       echo_route(Method::get, "/api/admin", 0, Auth::admin)},
                      {}, [](Server& made) { made.set_authenticator(authenticate); });
    const auto port = server.port();
    const auto missing = get(port, "/api/me");
    EXPECT_EQ(missing.status, 401);
    EXPECT_EQ(code_of(missing), "net.missing_token");
    EXPECT_EQ(code_of(get(port, "/api/me", "Authorization: Bearer wrong\r\n")), "identity.unknown_token");
    EXPECT_EQ(body_of(get(port, "/api/me", "Authorization: bearer alice\r\n")).at("user").as_string(),
              "@alice:test");
    const auto by_query = body_of(get(port, "/api/me?access_token=alice&b=1"));
    EXPECT_EQ(by_query.at("user").as_string(), "@alice:test");
    EXPECT_FALSE(by_query.at("query").as_object().contains("access_token"));
    EXPECT_EQ(by_query.at("query").at("b").as_string(), "1");
    EXPECT_EQ(body_of(get(port, "/api/maybe")).at("user").as_string(), "");
    EXPECT_EQ(code_of(get(port, "/api/maybe", "Authorization: Bearer wrong\r\n")), "identity.unknown_token");
    EXPECT_EQ(code_of(get(port, "/api/admin", "Authorization: Bearer alice\r\n")), "net.not_admin");
    EXPECT_EQ(get(port, "/api/admin", "Authorization: Bearer admin\r\n").status, 200);
}

}  // namespace
}  // namespace net::test
