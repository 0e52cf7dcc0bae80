#include "body_decoder.h"
#include "deadline_wheel.h"
#include "forwarded.h"
#include "gzip.h"
#include "head_check.h"
#include "negotiation.h"
#include "request_head.h"
#include "router.h"
#include "target.h"

#include <unistd.h>
#include <zlib.h>

#include <gtest/gtest.h>

#include <net/rate_limit.h>
#include <net/server.h>

namespace net::test {
namespace {

using Segments = std::vector<std::string>;

TEST(Target, is_taken_apart_in_each_of_its_forms) {
    EXPECT_EQ(split_target("/a/b?c=d?e")->path, "/a/b");
    EXPECT_EQ(split_target("/a/b?c=d?e")->query, "c=d?e");
    EXPECT_EQ(split_target("HTTP://h:80/a?b")->path, "/a");
    EXPECT_EQ(split_target("*")->path, "*");
    for (const auto bad : {"", "a", "h:443", "http://h", "http://h?a/b", "ftp://h/a", "/a#b", "://h/"}) {
        EXPECT_FALSE(split_target(bad)) << bad;
    }
}

TEST(Path, is_decoded_segment_by_segment) {
    EXPECT_EQ(*split_path("/"), Segments{});
    EXPECT_EQ(*split_path(""), Segments{});
    EXPECT_EQ(*split_path("/a/b"), (Segments{"a", "b"}));
    EXPECT_EQ(*split_path("/a/b/"), (Segments{"a", "b"}));
    EXPECT_EQ(*split_path("/a//b"), (Segments{"a", "", "b"}));
    EXPECT_EQ(*split_path("//"), Segments{});
    EXPECT_EQ(*split_path("/a%2Fb/%2e%2E/c+d"), (Segments{"a/b", "..", "c+d"}));
    EXPECT_EQ(*split_path("/%E4%BD%A0"), (Segments{"你"}));
    for (const auto bad : {"/%", "/%4", "/%g0", "/%ff", "/%c0%af", "/%ed%a0%80", "/a%00b"}) {
        const auto path = split_path(bad);
        ASSERT_FALSE(path) << bad;
        EXPECT_EQ(path.error().code, "net.bad_path");
    }
    std::string deep;
    for (int i = 0; i < 65; ++i) deep += "/a";
    EXPECT_FALSE(split_path(deep));
}

TEST(QueryString, is_decoded_and_keeps_its_order) {
    const auto query = parse_query("a=1&&b=%26+x&a=2&c&=d&e=f=g");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->get("a"), "1");
    EXPECT_EQ(query->all("a"), (std::vector<std::string_view>{"1", "2"}));
    EXPECT_EQ(query->get("b"), "& x");
    EXPECT_EQ(query->get("c"), "");
    EXPECT_EQ(query->get("e"), "f=g");
    EXPECT_FALSE(query->get("z"));
    for (const auto bad : {"a=%", "a=%1", "%zz=a", "a=%ff", "a=%00"}) EXPECT_FALSE(parse_query(bad)) << bad;
    std::string many;
    for (int i = 0; i < 257; ++i) many += "a=1&";
    EXPECT_FALSE(parse_query(many));
}

TEST(Range, of_one_part_is_read_and_everything_else_is_ignored) {
    ByteRange range;
    const auto part = [&](std::string_view text, std::uint64_t size, std::uint64_t from,
                          std::uint64_t bytes) {
        range = {};
        EXPECT_EQ(parse_range(text, size, range), RangeKind::part) << text;
        EXPECT_EQ(range.from, from) << text;
        EXPECT_EQ(range.bytes, bytes) << text;
    };
    part("bytes=0-0", 10, 0, 1);
    part("bytes=2-5", 10, 2, 4);
    part("bytes=2-", 10, 2, 8);
    part("bytes=2-99999", 10, 2, 8);
    part("bytes=-3", 10, 7, 3);
    part("bytes=-30", 10, 0, 10);
    part("Bytes= 2 - 5 ", 10, 2, 4);
    part("bytes=0-18446744073709551615", 10, 0, 10);
    for (const auto beyond : {"bytes=10-", "bytes=10-20", "bytes=-0"}) {
        EXPECT_EQ(parse_range(beyond, 10, range), RangeKind::unsatisfiable) << beyond;
    }
    EXPECT_EQ(parse_range("bytes=0-", 0, range), RangeKind::unsatisfiable);
    for (const auto other : {"", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,3-4",
                             "lines=0-1", "bytes=0-1-2", "bytes=99999999999999999999-", "bytes=+1-2"}) {
        EXPECT_EQ(parse_range(other, 10, range), RangeKind::whole) << other;
    }
}

TEST(AcceptEncoding, weighs_zero_as_never) {
    EXPECT_TRUE(accepts_encoding("gzip", "gzip"));
    EXPECT_TRUE(accepts_encoding("deflate, GZIP;q=0.5, br", "gzip"));
    EXPECT_TRUE(accepts_encoding("*", "br"));
    EXPECT_FALSE(accepts_encoding("", "gzip"));
    EXPECT_FALSE(accepts_encoding("identity", "gzip"));
    EXPECT_FALSE(accepts_encoding("gzip;q=0", "gzip"));
    EXPECT_FALSE(accepts_encoding("gzip;q=0.000, *", "gzip"));
    EXPECT_FALSE(accepts_encoding("*;q=0", "gzip"));
    EXPECT_FALSE(accepts_encoding("xgzip", "gzip"));
}

TEST(ETag, matches_weakly_and_by_star) {
    EXPECT_TRUE(etag_matches("\"a\"", "\"a\""));
    EXPECT_TRUE(etag_matches("W/\"a\"", "\"a\""));
    EXPECT_TRUE(etag_matches("\"x\", \"a,b\"", "W/\"a,b\""));
    EXPECT_TRUE(etag_matches("*", "\"a\""));
    EXPECT_FALSE(etag_matches("\"b\"", "\"a\""));
    EXPECT_FALSE(etag_matches("a", "\"a\""));
    EXPECT_FALSE(etag_matches("\"a", "\"a\""));
}

std::string client_of(std::vector<std::string> trusted, std::string_view peer, std::string_view forwarded) {
    const auto proxies = TrustedProxies::parse(trusted);
    return proxies ? proxies->client(*parse_ip(peer), forwarded).text() : proxies.error().code;
}

TEST(ForwardedFor, is_believed_from_trusted_proxies_alone) {
    EXPECT_EQ(client_of({}, "10.0.0.1", "1.2.3.4"), "10.0.0.1");
    EXPECT_EQ(client_of({"10.0.0.1"}, "10.0.0.1", "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client_of({"10.0.0.1"}, "10.0.0.2", "1.2.3.4"), "10.0.0.2");
    EXPECT_EQ(client_of({"10.0.0.0/8"}, "10.9.9.9", "6.6.6.6, 1.2.3.4, 10.1.1.1"), "1.2.3.4");
    EXPECT_EQ(client_of({"10.0.0.0/8"}, "10.9.9.9", "10.1.1.1"), "10.1.1.1");
    EXPECT_EQ(client_of({"10.0.0.0/8"}, "10.9.9.9", ""), "10.9.9.9");
    EXPECT_EQ(client_of({"10.0.0.0/8"}, "10.9.9.9", "1.2.3.4, junk, 10.1.1.1"), "10.1.1.1");
    EXPECT_EQ(client_of({"10.0.0.1"}, "10.0.0.1", "1.2.3.4:5678"), "1.2.3.4");
    EXPECT_EQ(client_of({"::1"}, "::1", "[2001:db8::1]:443"), "2001:db8::1");
    EXPECT_EQ(client_of({"2001:db8::/32"}, "2001:db8:5::1", "2001:db9::1"), "2001:db9::1");
    EXPECT_EQ(client_of({"10.0.0.1"}, "::ffff:10.0.0.1", "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client_of({"0.0.0.0/0"}, "9.9.9.9", "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client_of({"10.0.0.0/9"}, "10.128.0.1", "1.2.3.4"), "10.128.0.1");
    for (const auto bad : {"10.0.0.0/33", "::/129", "10.0.0", "x", "10.0.0.0/", "10.0.0.0/a", ""}) {
        EXPECT_EQ(client_of({bad}, "10.0.0.1", ""), "net.bad_address") << bad;
    }
}

TEST(ForwardedFor, one_subscriber_of_ipv6_is_one_client) {
    EXPECT_EQ(rate_key("1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(rate_key("2001:db8:1:2:3:4:5:6"), rate_key("2001:db8:1:2::9"));
    EXPECT_NE(rate_key("2001:db8:1:2::9"), rate_key("2001:db8:1:3::9"));
}

TEST(HeadScanner, finds_the_end_however_the_bytes_arrive) {
    const std::string head = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
    const std::string all = head + "GET";
    for (std::size_t step = 1; step < all.size(); ++step) {
        HeadScanner scanner;
        auto state = HeadScanner::State::need_more;
        for (std::size_t come = 0; state == HeadScanner::State::need_more && come < all.size();) {
            come = std::min(all.size(), come + step);
            state = scanner.scan(std::string_view(all).substr(0, come));
        }
        EXPECT_EQ(state, HeadScanner::State::complete);
        EXPECT_EQ(scanner.size(), head.size());
    }
}

TEST(RequestHead, gives_fields_in_order_and_what_they_mean) {
    const auto head = parse_request_head(
        "DELETE /a?b HTTP/1.1\r\nHost: t\r\nX-Two:  v 2 \r\nx-one: \r\nContent-Length: 7\r\nConnection: "
        "close\r\n\r\n");
    ASSERT_TRUE(head);
    EXPECT_EQ(head->method, Method::del);
    EXPECT_EQ(head->target, "/a?b");
    EXPECT_EQ(head->headers.get("x-two"), "v 2");
    EXPECT_EQ(head->headers.get("X-ONE"), "");
    EXPECT_EQ(head->headers.all().front().first, "Host");
    EXPECT_EQ(head->content_length, 7U);
    EXPECT_FALSE(head->keep_alive);
}

TEST(RequestHead, old_clients_are_kept_only_where_they_ask_for_it) {
    EXPECT_FALSE(parse_request_head("GET / HTTP/1.0\r\n\r\n")->keep_alive);
    EXPECT_TRUE(parse_request_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
}

TEST(BodyDecoder, ends_where_the_body_ends_however_the_bytes_arrive) {
    const std::string chunked = "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\nZ:\r\n\r\n";
    for (std::size_t step = 1; step <= chunked.size() + 4; ++step) {
        BodyDecoder decoder(std::nullopt, true, 13);
        std::string rest = chunked + "NEXT";
        std::string body;
        while (!decoder.done()) {
            const auto piece = rest.substr(0, step);
            const auto used = decoder.take(piece, body);
            ASSERT_TRUE(used);
            ASSERT_TRUE(*used == piece.size() || decoder.done());
            rest.erase(0, *used);
        }
        EXPECT_EQ(body, "abc0123456789");
        EXPECT_EQ(rest, "NEXT");
    }
    BodyDecoder by_length(5, false, 0);
    std::string body;
    EXPECT_EQ(by_length.take("abcdeNEXT", body), 5U);
    EXPECT_TRUE(by_length.done());
    EXPECT_EQ(body, "abcde");
    EXPECT_TRUE(BodyDecoder(std::nullopt, false, 0).done());
}

TEST(BodyDecoder, refuses_what_is_over_the_limit_or_malformed) {
    const auto code = [](std::string_view bytes) {
        BodyDecoder decoder(std::nullopt, true, 10);
        std::string body;
        const auto used = decoder.take(bytes, body);
        EXPECT_LE(body.size(), 10U);
        return used ? std::string(decoder.done() ? "done" : "more") : used.error().code;
    };
    EXPECT_EQ(code("A\r\n0123456789\r\n0\r\n\r\n"), "done");
    EXPECT_EQ(code("B\r\n"), "net.body_too_large");
    EXPECT_EQ(code("9\r\n012345678\r\n2\r\n"), "net.body_too_large");
    EXPECT_EQ(code("fffffffffffffff\r\n"), "net.body_too_large");
    EXPECT_EQ(code("0\r\n\r"), "more");
    for (const auto bad :
         {"ffffffffffffffff", "\r\n", "g", "-1", " 1\r\n", "1 \r\n", "1;a\r\n", "1\n", "1\rx", "1\r\nab",
          "1\r\na\n", "0\r\n\n", "0\r\nX: a\n", "0\r\n X\r\n", "0\r\nX: \x01"}) {
        EXPECT_EQ(code(bad), "net.bad_body") << bad;
    }
    EXPECT_EQ(code("0\r\nX: " + std::string(9000, 'x')), "net.bad_body");
}

Route route(Method method, std::string_view path, std::vector<std::string_view> aliases = {}) {
    return Route{method, path, path, Auth::none, RateClass::none, 0, false, {}, "", std::move(aliases)};
}

TEST(Router, static_segment_wins_over_a_parameter_and_a_parameter_is_tried_after_it) {
    Router router;
    router.add(route(Method::get, "/a/{x}"));
    router.add(route(Method::get, "/a/b"));
    router.add(route(Method::get, "/a/{x}/c"));
    router.add(route(Method::put, "/a/{y}"));
    EXPECT_EQ(router.find(Method::get, {"a", "b"}).route->path, "/a/b");
    EXPECT_EQ(router.find(Method::get, {"a", "z"}).route->path, "/a/{x}");
    EXPECT_EQ(router.find(Method::get, {"a", "b", "c"}).route->path, "/a/{x}/c");
    const auto put = router.find(Method::put, {"a", "b"});
    EXPECT_EQ(put.route->path, "/a/{y}");
    EXPECT_EQ(put.values.front(), (std::pair<std::string, std::string>("y", "b")));
    EXPECT_EQ(router.find(Method::get, {"a", ""}).route, nullptr);
    EXPECT_EQ(router.find(Method::get, {"a"}).route, nullptr);
    EXPECT_EQ(router.find(Method::get, {}).route, nullptr);
}

TEST(Router, knows_the_other_methods_of_a_path_and_answers_head_by_get) {
    Router router;
    router.add(route(Method::get, "/a"));
    router.add(route(Method::del, "/a"));
    EXPECT_EQ(router.find(Method::post, {"a"}).allow, "GET, HEAD, DELETE");
    EXPECT_EQ(router.find(std::nullopt, {"a"}).allow, "GET, HEAD, DELETE");
    EXPECT_EQ(router.find(Method::head, {"a"}).route->method, Method::get);
    EXPECT_EQ(router.find(Method::post, {"b"}).allow, "");
}

TEST(Router, answers_older_paths_and_refuses_two_owners_of_one) {
    Router router;
    router.add(route(Method::get, "/v3/{room}/x", {"/r0/{room}/x"}));
    const auto old = router.find(Method::get, {"r0", "!1", "x"});
    ASSERT_NE(old.route, nullptr);
    EXPECT_EQ(old.route->path, "/v3/{room}/x");
    EXPECT_EQ(old.values.front().second, "!1");
    EXPECT_THROW(router.add(route(Method::get, "/r0/{other}/x")), std::logic_error);
}

struct Alarm final : DeadlineWheel::Entry {
    int fired = 0;
    std::function<void()> then;
    void on_deadline() override {
        ++fired;
        if (then) then();
    }
};

TEST(DeadlineWheel, fires_each_once_and_never_early) {
    using std::chrono::milliseconds;
    std::chrono::steady_clock::time_point now{std::chrono::seconds(1000)};
    DeadlineWheel wheel(milliseconds(10), now);
    std::array<Alarm, 50> alarms;
    const auto due = [](std::size_t i) {
        return milliseconds(7 + static_cast<int>(i) * 397);
    };  // past the wheel's 5.12 s
    for (std::size_t i = 0; i < alarms.size(); ++i) wheel.set(alarms[i], now + due(i));
    const auto start = now;
    for (int step = 0; step < 2200; ++step) {
        now += milliseconds(10);
        wheel.advance(now);
        for (std::size_t i = 0; i < alarms.size(); ++i) {
            if (now < start + due(i)) {
                ASSERT_EQ(alarms[i].fired, 0) << i;
            } else if (now >= start + due(i) + milliseconds(20)) {
                ASSERT_EQ(alarms[i].fired, 1) << i;
            }
        }
    }
}

TEST(DeadlineWheel, one_that_throws_holds_no_other_up_and_is_called_again) {
    using std::chrono::milliseconds;
    std::chrono::steady_clock::time_point now{};
    DeadlineWheel wheel(milliseconds(10), now);
    Alarm before, faulty, after;
    faulty.then = [&] {
        if (faulty.fired == 1) throw std::runtime_error("a fault");
    };
    for (Alarm* alarm : {&before, &faulty, &after}) wheel.set(*alarm, now + milliseconds(50));
    for (int step = 0; step < 300; ++step) wheel.advance(now += milliseconds(10));
    EXPECT_EQ(before.fired, 1);
    EXPECT_EQ(faulty.fired, 2);
    EXPECT_EQ(after.fired, 1);
}

TEST(DeadlineWheel, deadline_can_be_moved_cleared_and_set_from_within) {
    using std::chrono::milliseconds;
    std::chrono::steady_clock::time_point now{};
    DeadlineWheel wheel(milliseconds(10), now);
    Alarm moved, sooner, cleared, repeating;
    wheel.set(moved, now + milliseconds(50));
    wheel.set(moved, now + milliseconds(200));
    wheel.set(sooner, now + milliseconds(9000));
    wheel.set(sooner, now + milliseconds(50));
    wheel.set(cleared, now + milliseconds(50));
    DeadlineWheel::clear(cleared);
    repeating.then = [&] { wheel.set(repeating, now + milliseconds(30)); };
    wheel.set(repeating, now + milliseconds(30));
    {
        Alarm destroyed;
        wheel.set(destroyed, now + milliseconds(50));
    }
    const auto go_to = [&](int ms) {
        while (now < std::chrono::steady_clock::time_point(milliseconds(ms))) {
            now += milliseconds(10);
            wheel.advance(now);
        }
    };
    go_to(100);
    EXPECT_EQ(moved.fired, 0);
    EXPECT_EQ(sooner.fired, 1);
    go_to(300);
    EXPECT_EQ(moved.fired, 1);
    EXPECT_EQ(cleared.fired, 0);
    EXPECT_GE(repeating.fired, 5);
    // A clock that leaps, as a suspended machine's does.
    Alarm far;
    wheel.set(far, now + milliseconds(60'000));
    now += std::chrono::hours(24);
    wheel.advance(now);
    EXPECT_EQ(far.fired, 1);
}

TEST(RateLimiter, lets_a_burst_pass_then_what_its_rate_allows) {
    base::ManualClock clock;
    RateLimiter limiter(clock);
    int burst = 0;
    while (!limiter.take(RateClass::login, "a")) ++burst;
    EXPECT_GT(burst, 5);
    EXPECT_FALSE(limiter.take(RateClass::login, "b"));  // another client
    EXPECT_FALSE(limiter.take(RateClass::read, "a"));   // another class
    const auto wait = limiter.take(RateClass::login, "a");
    ASSERT_TRUE(wait);
    EXPECT_GT(wait->count(), 0);
    clock.advance(*wait);
    EXPECT_FALSE(limiter.take(RateClass::login, "a"));
    EXPECT_TRUE(limiter.take(RateClass::login, "a"));
    clock.advance(std::chrono::hours(1));
    int again = 0;
    while (!limiter.take(RateClass::login, "a")) ++again;
    EXPECT_EQ(again, burst);
    for (int i = 0; i < 10'000; ++i) ASSERT_FALSE(limiter.take(RateClass::none, "a"));
}

TEST(RateLimiter, keeps_its_bound_and_whom_it_is_holding_back_where_it_can) {
    base::ManualClock clock;
    RateLimiter limiter(clock, 100);
    while (!limiter.take(RateClass::login, "busy")) {
    }
    for (int i = 0; i < 99; ++i) std::ignore = limiter.take(RateClass::read, std::to_string(i));
    clock.advance(std::chrono::seconds(2));  // those 99 have filled up again; "busy" has not
    for (int i = 0; i < 99; ++i) std::ignore = limiter.take(RateClass::read, "n" + std::to_string(i));
    EXPECT_TRUE(limiter.take(RateClass::login, "busy"));
    for (int i = 0; i < 100'000; ++i) std::ignore = limiter.take(RateClass::read, "m" + std::to_string(i));
    EXPECT_LE(limiter.size(), 100U);
}

std::string gunzip(std::string_view packed, std::size_t size) {
    std::string out(size + 1, '\0');
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    inflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    return out;
}

TEST(Gzip, gives_back_what_it_was_given_time_after_time) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{3'000'000}}) {
        std::string text;
        while (text.size() < size) text += "{\"n\":" + std::to_string(text.size()) + "},";
        text.resize(size);
        EXPECT_EQ(gunzip(gzip(text), size), text);
    }
}

TEST(OpenApi, document_comes_from_the_table) {
    std::vector<Route> routes{
        Route{Method::put,
              "/_lingxi/a/{x}/b/{y}",
              "putB",
              Auth::required,
              RateClass::write,
              1000,
              false,
              {},
              "Puts b",
              {"/_lingxi/old/{x}/{y}"}},
        Route{Method::get, "/_lingxi/open", "getOpen", Auth::none, RateClass::none, 0, false, {}, "Open"},
        Route{Method::get, "/_matrix/other", "getOther", Auth::none, RateClass::none, 0, false, {}, "Other"}};
    routes[0].asks = "name:string ids:strings count?:integer";
    routes[1].asks = "q:string limit?:integer";
    routes[1].answers = "text/event-stream";
    routes[1].refuses = "users?:strings destination?:object";
    const std::array<std::string_view, 1> prefixes{"/_lingxi/"};
    const base::json::value document = openapi_document(routes, "Lingxi", "1", prefixes);
    const auto& paths = document.at("paths").as_object();
    EXPECT_EQ(paths.size(), 3U);
    const auto& put = paths.at("/_lingxi/a/{x}/b/{y}").at("put");
    EXPECT_EQ(put.at("operationId").as_string(), "putB");
    EXPECT_EQ(put.at("parameters").as_array().size(), 2U);
    EXPECT_EQ(put.at("parameters").at(1).at("name").as_string(), "y");
    EXPECT_EQ(put.at("security").at(0).as_object().size(), 1U);
    for (const auto status : {"200", "400", "401", "413", "429"})
        EXPECT_TRUE(put.at("responses").as_object().contains(status));
    EXPECT_FALSE(paths.at("/_lingxi/old/{x}/{y}").at("put").as_object().contains("operationId"));
    const auto& open = paths.at("/_lingxi/open").at("get");
    EXPECT_TRUE(open.at("security").as_array().empty());
    EXPECT_FALSE(open.at("responses").as_object().contains("401"));
    EXPECT_FALSE(open.as_object().contains("requestBody"));
    EXPECT_EQ(
        put.at("requestBody").at("content").at("application/json").at("schema"),
        base::json::parse(R"({"type":"object","required":["name","ids"],"properties":{)"
                          R"("name":{"type":"string"},"ids":{"type":"array","items":{"type":"string"}},)"
                          R"("count":{"type":"integer"}}})"));
    EXPECT_TRUE(put.at("responses").at("200").at("content").as_object().contains("application/json"));
    EXPECT_EQ(
        open.at("parameters"),
        base::json::parse(R"([{"name":"q","in":"query","required":true,"schema":{"type":"string"}},)"
                          R"({"name":"limit","in":"query","required":false,"schema":{"type":"integer"}}])"));
    EXPECT_TRUE(open.at("responses").at("200").at("content").as_object().contains("text/event-stream"));
    EXPECT_FALSE(put.at("responses").as_object().contains("403"));
    EXPECT_EQ(
        open.at("responses").at("403").at("content").at("application/json").at("schema"),
        base::json::parse(R"({"allOf":[{"$ref":"#/components/schemas/Error"},{"type":"object","properties":)"
                          R"({"users":{"type":"array","items":{"type":"string"}},)"
                          R"("destination":{"type":"object"}}}]})"));
}

TEST(Listener, refuses_what_is_no_address_and_tells_the_port_that_it_got) {
    for (const auto bad :
         {"", "127.0.0.1", "host:80", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:8x", "::1:80"}) {
        const auto listener = bind_listener(bad);
        ASSERT_FALSE(listener) << bad;
        EXPECT_EQ(listener.error().code, "net.bad_address");
    }
    const auto one = bind_listener("localhost:0");
    ASSERT_TRUE(one);
    EXPECT_TRUE(one->address.starts_with("127.0.0.1:"));
    EXPECT_FALSE(one->address.ends_with(":0"));
    const auto two = bind_listener(one->address);
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().code, "net.cannot_bind");
    close(one->descriptor);
}

}  // namespace
}  // namespace net::test
