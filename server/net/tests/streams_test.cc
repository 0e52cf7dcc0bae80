// Bodies that take their time: uploads, event streams, exports.
#include "events.h"
#include "test_server.h"

#include <gtest/gtest.h>

namespace net::test {
namespace {

using std::chrono::milliseconds;

runtime::Task<Response> count_upload(Request request) {
    std::uint64_t bytes = 0;
    std::uint64_t sum = 0;
    for (;;) {
        const auto piece = co_await request.body_reader->next();
        if (!piece) co_return test_dialect(piece.error());
        if (piece->empty()) break;
        if (piece->size() > 64 * 1024) co_return json(500, std::string("{}"));
        bytes += piece->size();
        for (const auto byte : *piece) sum += byte;
    }
    co_return json(200, base::json::value{{"bytes", bytes}, {"sum", sum}});
}
runtime::Task<Response> ignore_upload(Request) {
    co_return json(200, std::string("{}"));
}
runtime::Task<Response> upload_then_fail(Request request) {
    std::ignore = co_await request.body_reader->next();
    throw std::runtime_error("disk broke");
}

Route upload_route(std::string_view path, Handler handler, std::size_t limit_bytes = 10'000'000) {
    return Route{Method::post, path, "upload",           Auth::none, RateClass::none,
                 limit_bytes,  true, std::move(handler), ""};
}

TEST(Upload, is_handed_over_piece_by_piece) {
    TestServer server({upload_route("/api/up", count_upload)});
    const std::string body(5'000'000, '\x01');
    const auto answer = request(server.port(), "POST", "/api/up", body);
    EXPECT_EQ(body_of(answer).at("bytes").as_int64(), 5'000'000);
    EXPECT_EQ(body_of(answer).at("sum").as_int64(), 5'000'000);
}

TEST(Upload, chunked_and_the_next_request_behind_it_are_told_apart) {
    TestServer server({upload_route("/api/up", count_upload), fixed_route("/api/hello", "{}")});
    Client client(server.port());
    client.send(
        "POST /api/up HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        "GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(body_of(client.read_answer()).at("bytes").as_int64(), 4);
    EXPECT_EQ(client.read_answer().body, "{}");
}

TEST(Upload, without_a_body_is_at_its_end_at_once) {
    TestServer server({upload_route("/api/up", count_upload)});
    EXPECT_EQ(body_of(request(server.port(), "POST", "/api/up", "")).at("bytes").as_int64(), 0);
}

TEST(Upload, over_the_limit_is_413_before_it_is_read_or_on_the_way) {
    TestServer server({upload_route("/api/up", count_upload, 1000)});
    EXPECT_EQ(request(server.port(), "POST", "/api/up", std::string(1001, 'x')).status, 413);
    Client client(server.port());
    client.send("POST /api/up HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" +
                std::string(1001, 'x'));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(code_of(answer), "net.body_too_large");
    EXPECT_EQ(answer.field("Connection"), "close");
}

TEST(Upload, that_stalls_is_told_to_the_handler) {
    TestServer server({upload_route("/api/up", count_upload)},
                      ServerOptions{.body_idle_timeout = milliseconds(40)});
    Client client(server.port());
    client.send("POST /api/up HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
    const auto answer = client.read_answer();
    EXPECT_EQ(code_of(answer), "net.body_timeout");
    EXPECT_EQ(answer.field("Connection"), "close");
}

TEST(Upload, of_a_client_that_vanishes_is_told_to_the_handler) {
    TestServer server({upload_route("/api/up", count_upload)});
    Client client(server.port());
    client.send("POST /api/up HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
    client.close();
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Upload, that_its_handler_did_not_read_is_not_taken_for_a_request) {
    TestServer server({upload_route("/api/up", ignore_upload), fixed_route("/api/hello", "{}")});
    Client client(server.port());
    client.send("POST /api/up HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n0123456789");
    EXPECT_EQ(client.read_answer().status, 200);
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
    client.send("POST /api/up HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n0123456789");
    EXPECT_EQ(client.read_answer().field("Connection"), "close");
}

TEST(Upload, whose_handler_faults_is_500) {
    TestServer server({upload_route("/api/up", upload_then_fail)});
    EXPECT_EQ(request(server.port(), "POST", "/api/up", std::string(300'000, 'x')).status, 500);
}

// ---- Event streams

TEST(EventFormat, splits_data_at_every_line_break) {
    EXPECT_EQ(format_event("delta", "a\nb\r\nc\rd"), "event: delta\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
    EXPECT_EQ(format_event("", ""), "data: \n\n");
    EXPECT_EQ(format_event("a\nb", "x"), "event: a b\ndata: x\n\n");
}

runtime::Task<void> three_events(EventStream& stream) {
    for (int i = 0; i < 3; ++i) {
        if (!co_await stream.send("count", std::to_string(i))) co_return;
    }
}
runtime::Task<Response> events_handler(Request) {
    Response response;
    response.events = three_events;
    co_return response;
}

Route events_route(Handler handler) {
    return Route{Method::post, "/api/events", "events",           Auth::none, RateClass::none,
                 100,          false,         std::move(handler), ""};
}

TEST(Events, come_as_a_chunked_body_and_the_connection_goes_on) {
    TestServer server({events_route(events_handler), fixed_route("/api/hello", "{}")});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.field("Content-Type"), "text/event-stream");
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    EXPECT_EQ(answer.body, "event: count\ndata: 0\n\nevent: count\ndata: 1\n\nevent: count\ndata: 2\n\n");
    client.send("GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
}

TEST(Events, for_an_old_client_end_with_the_connection) {
    TestServer server({events_route(events_handler)});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_FALSE(answer.has("Transfer-Encoding"));
    EXPECT_TRUE(answer.body.ends_with("data: 2\n\n"));
}

struct StreamState {
    std::atomic<bool> saw_close{false};
    std::atomic<bool> release{false};
};
runtime::Task<void> wait_for_close(std::shared_ptr<StreamState> state, EventStream& stream) {
    co_await stream.send("hello", "x");
    while (!stream.closed() && !state->release) co_await runtime::sleep_for(milliseconds(2));
    if (stream.closed()) state->saw_close = true;
}
runtime::Task<Response> idle_stream(std::shared_ptr<StreamState> state) {
    Response response;
    response.events = [state](EventStream& stream) { return wait_for_close(state, stream); };
    co_return response;
}

TEST(Events, closed_tells_when_the_client_has_gone) {
    auto state = std::make_shared<StreamState>();
    TestServer server({events_route([state](Request) { return idle_stream(state); })});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.1\r\nHost: t\r\n\r\n");
    client.read_until("data: x");
    client.close();
    EXPECT_TRUE(eventually([&] { return state->saw_close.load(); }));
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Events, idle_stream_is_kept_alive_by_comments) {
    auto state = std::make_shared<StreamState>();
    TestServer server({events_route([state](Request) { return idle_stream(state); })},
                      ServerOptions{.event_heartbeat = milliseconds(10)});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.1\r\nHost: t\r\n\r\n");
    client.read_until("data: x");
    EXPECT_TRUE(client.read_until("\r\n:\n\n\r\n").ends_with(":\n\n\r\n"));
    EXPECT_TRUE(client.read_until("\r\n:\n\n\r\n").ends_with(":\n\n\r\n"));
    state->release = true;
    EXPECT_TRUE(client.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

runtime::Task<void> flood(std::shared_ptr<StreamState> state, EventStream& stream) {
    const std::string large(10'000, 'x');
    while (co_await stream.send("flood", large)) co_await runtime::sleep_for(milliseconds(0));
    state->saw_close = true;
}
runtime::Task<Response> flooding_stream(std::shared_ptr<StreamState> state) {
    Response response;
    response.events = [state](EventStream& stream) { return flood(state, stream); };
    co_return response;
}

TEST(Events, reader_that_falls_behind_is_cut) {
    auto state = std::make_shared<StreamState>();
    TestServer server({events_route([state](Request) { return flooding_stream(state); })});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return state->saw_close.load(); }));
    EXPECT_TRUE(server.wait_until_empty());
}

TEST(Events, what_a_slow_reader_missed_for_a_moment_arrives_in_order) {
    auto handler = [](Request) -> runtime::Task<Response> {
        Response response;
        response.events = [](EventStream& stream) -> runtime::Task<void> {
            // Far more than a socket takes at once, within the buffer's bound.
            for (int i = 0; i < 1000; ++i)
                co_await stream.send("n", std::to_string(i) + std::string(3000, '.'));
        };
        co_return response;
    };
    TestServer server({events_route(handler)}, ServerOptions{.event_buffer_limit_bytes = 10'000'000});
    Client client(server.port());
    client.send("POST /api/events HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto answer = client.read_answer();
    std::size_t at = 0;
    for (int i = 0; i < 1000; ++i) {
        at = answer.body.find("data: " + std::to_string(i) + ".", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
}

// ---- Long bodies

runtime::Task<void> write_lines(BodyWriter& writer) {
    for (int i = 0; i < 20'000; ++i) {
        if (!co_await writer.write("{\"line\":" + std::to_string(i) + "}\n")) co_return;
    }
}
runtime::Task<Response> lines_handler(Request) {
    Response response;
    response.headers.add("Content-Type", "application/x-ndjson");
    response.writer = write_lines;
    co_return response;
}
runtime::Task<Response> broken_writer(Request) {
    Response response;
    response.writer = [](BodyWriter& writer) -> runtime::Task<void> {
        co_await writer.write("half");
        throw std::runtime_error("secret text of the storage");
    };
    co_return response;
}

TEST(Writer, sends_a_long_body_in_chunks) {
    TestServer server({Route{Method::get, "/api/lines", "lines", Auth::none, RateClass::none, 0, false,
                             lines_handler, ""}});
    const auto answer = get(server.port(), "/api/lines");
    EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked");
    EXPECT_EQ(std::ranges::count(answer.body, '\n'), 20'000);
    EXPECT_TRUE(answer.body.ends_with("{\"line\":19999}\n"));
    const auto head = request(server.port(), "HEAD", "/api/lines", "");
    EXPECT_EQ(head.status, 200);
}

TEST(Writer, that_breaks_off_does_not_end_its_body_as_if_it_were_whole) {
    TestServer server({Route{Method::get, "/api/broken", "broken", Auth::none, RateClass::none, 0, false,
                             broken_writer, ""}});
    Client client(server.port());
    client.send("GET /api/broken HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto all = client.read_to_end();
    EXPECT_TRUE(all.ends_with("4\r\nhalf\r\n")) << all;
}

}  // namespace
}  // namespace net::test
