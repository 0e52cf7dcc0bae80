#include "test_wire.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <runtime/signal.h>
#include <runtime/task_group.h>
#include <wire/channel.h>

namespace wire {
namespace {

using namespace std::chrono_literals;
using runtime::Runtime;
using runtime::Task;

TEST(Channel, a_call_streams_its_messages_and_ends) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime,
                  [](std::string method, Message request, ServedCall& call) -> Task<base::Result<void>> {
                      for (int i = 0; i < 3; ++i) {
                          auto sent = co_await call.send({method + request.text + std::to_string(i), {}});
                          if (!sent) co_return base::fail(sent.error());
                      }
                      co_return base::Result<void>{};
                  });
        auto call = pair.client.call("echo", {"-x-", {}}, soon());
        EXPECT_TRUE(call.has_value());
        EXPECT_EQ(co_await text_of((*call)->next()), "echo-x-0");
        EXPECT_EQ(co_await text_of((*call)->next()), "echo-x-1");
        EXPECT_EQ(co_await text_of((*call)->next()), "echo-x-2");
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.end");
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.end");
        EXPECT_EQ(co_await code_of((*call)->send({"late", {}})), "wire.end");
        co_await pair.stop();
    });
}

TEST(Channel, an_error_keeps_its_kind_code_message_and_wait) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string, Message, ServedCall&) -> Task<base::Result<void>> {
            co_return std::unexpected(
                base::Error{base::ErrorKind::exhausted, "model.none_available", "None.", 3s});
        });
        auto call = pair.client.call("m", {}, soon());
        const auto result = co_await (*call)->next();
        EXPECT_EQ(result.error().kind, base::ErrorKind::exhausted);
        EXPECT_EQ(result.error().code, "model.none_available");
        EXPECT_EQ(result.error().message, "None.");
        EXPECT_EQ(result.error().retry_after, 3s);
        co_await pair.stop();
    });
}

TEST(Channel, a_fault_of_a_service_ends_its_own_call_only) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string method, Message, ServedCall& call) -> Task<base::Result<void>> {
            if (method == "bad") throw std::runtime_error("fault");
            co_return co_await call.send({"good", {}});
        });
        auto bad = pair.client.call("bad", {}, soon());
        auto good = pair.client.call("good", {}, soon());
        EXPECT_EQ(co_await text_of((*bad)->next()), "error wire.fault");
        EXPECT_EQ(co_await text_of((*good)->next()), "good");
        co_await pair.stop();
    });
}

TEST(Channel, a_call_goes_both_ways_for_as_long_as_it_lasts) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            for (;;) {
                auto message = co_await call.next();
                if (!message) co_return base::fail(message.error());
                if (message->text == "stop") co_return base::Result<void>{};
                auto sent = co_await call.send({"re:" + message->text, {}});
                if (!sent) co_return base::fail(sent.error());
            }
        });
        auto call = pair.client.call("talk", {}, soon());
        // More than all credits of both directions, so that they must come back.
        for (int i = 0; i < 300; ++i) {
            EXPECT_EQ(co_await code_of((*call)->send({std::to_string(i), {}})), "");
            EXPECT_EQ(co_await text_of((*call)->next()), "re:" + std::to_string(i));
        }
        EXPECT_EQ(co_await code_of((*call)->send({"stop", {}})), "");
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.end");
        co_await pair.stop();
    });
}

TEST(Channel, both_sides_may_call_at_once) {
    run([](Runtime& runtime) -> Task<void> {
        const Service service = [](std::string method, Message,
                                   ServedCall& call) -> Task<base::Result<void>> {
            co_return co_await call.send({method, {}});
        };
        const auto [a, b] = socket_pair();
        Channel left(runtime, a, service);
        Channel right(runtime, b, service);
        auto one = left.call("from_left", {}, soon());
        auto two = right.call("from_right", {}, soon());
        EXPECT_EQ(co_await text_of((*one)->next()), "from_left");
        EXPECT_EQ(co_await text_of((*two)->next()), "from_right");
        co_await left.stop();
        co_await right.stop();
    });
}

TEST(Channel, many_calls_with_large_messages_interleave) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string, Message request, ServedCall& call) -> Task<base::Result<void>> {
            for (int i = 0; i < 4; ++i) {
                auto sent = co_await call.send({request.text, {}});
                if (!sent) co_return base::fail(sent.error());
            }
            co_return base::Result<void>{};
        });
        runtime::TaskGroup group(runtime, "callers");
        int whole = 0;
        auto caller = [](Channel& client, int n, int& count) -> Task<void> {
            const std::string text(static_cast<std::size_t>(n) * 10'000, static_cast<char>('a' + n % 26));
            auto call = client.call("big", {text, {}}, soon());
            EXPECT_TRUE(call.has_value());
            for (int i = 0; i < 4; ++i) {
                const auto message = co_await (*call)->next();
                EXPECT_TRUE(message.has_value() && message->text == text);
            }
            if (co_await text_of((*call)->next()) == "error wire.end") ++count;
        };
        for (int n = 0; n < 40; ++n) group.spawn(caller(pair.client, n, whole));
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_EQ(whole, 40);
        co_await pair.stop();
    });
}

TEST(Channel, a_server_waits_for_the_callers_credits) {
    run([](Runtime& runtime) -> Task<void> {
        int sent_messages = 0;
        Pair pair(runtime,
                  [&sent_messages](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
                      return [](int& count, ServedCall& c) -> Task<base::Result<void>> {
                          for (int i = 0; i < 100; ++i) {
                              auto sent = co_await c.send({std::to_string(i), {}});
                              if (!sent) co_return base::fail(sent.error());
                              ++count;
                          }
                          co_return base::Result<void>{};
                      }(sent_messages, call);
                  },
                  {.credits = 8});
        auto call = pair.client.call("flood", {}, soon());
        EXPECT_EQ(co_await text_of((*call)->next()), "0");
        co_await runtime::sleep_for(50ms);
        EXPECT_EQ(sent_messages, 8);
        for (int i = 1; i < 100; ++i) EXPECT_EQ(co_await text_of((*call)->next()), std::to_string(i));
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.end");
        co_await pair.stop();
    });
}

TEST(Channel, descriptors_travel_with_their_own_message_in_both_directions) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string, Message request, ServedCall& call) -> Task<base::Result<void>> {
            EXPECT_EQ(request.descriptors.size(), 2U);
            // Writes into what it was handed, and hands the other one back.
            EXPECT_EQ(::write(request.descriptors.at(0).get(), "hello", 5), 5);
            Message reply{"back", {}};
            reply.descriptors.push_back(std::move(request.descriptors.at(1)));
            auto first = co_await call.send({"none", {}});
            if (!first) co_return base::fail(first.error());
            co_return co_await call.send(std::move(reply));
        });
        for (int round = 0; round < 50; ++round) {
            std::array<int, 2> pipe_fds{};
            EXPECT_EQ(::pipe2(pipe_fds.data(), O_CLOEXEC), 0);
            Descriptor read_end(pipe_fds[0]);
            Message request{"two", {}};
            request.descriptors.emplace_back(pipe_fds[1]);
            request.descriptors.emplace_back(::open("/dev/null", O_WRONLY | O_CLOEXEC));
            auto call = pair.client.call("m", std::move(request), soon());
            EXPECT_EQ(co_await text_of((*call)->next()), "none");
            const auto reply = co_await (*call)->next();
            EXPECT_TRUE(reply.has_value());
            EXPECT_EQ(reply->descriptors.size(), 1U);
            char text[8] = {};
            EXPECT_EQ(::read(read_end.get(), text, sizeof text), 5);
            EXPECT_STREQ(text, "hello");
            EXPECT_EQ(::fcntl(reply->descriptors.at(0).get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
        co_await pair.stop();
    });
}

TEST(Channel, refuses_what_is_too_large_or_not_open_and_goes_on) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            EXPECT_EQ(co_await code_of(call.send({std::string(1024 * 1024 + 1, 'x'), {}})), "wire.too_large");
            co_return co_await call.send({std::string(1024 * 1024, 'x'), {}});
        });
        EXPECT_EQ(code(pair.client.call("m", {std::string(1024 * 1024 + 1, 'x'), {}}, soon())),
                  "wire.too_large");
        EXPECT_EQ(code(pair.client.call("", {}, soon())), "wire.bad_method");
        EXPECT_EQ(code(pair.client.call("m", {}, std::chrono::steady_clock::now() - 1ms)), "wire.deadline");
        Message closed;
        closed.descriptors.emplace_back();
        EXPECT_EQ(code(pair.client.call("m", std::move(closed), soon())), "wire.bad_descriptor");
        auto call = pair.client.call("m", {}, soon());
        const auto whole = co_await (*call)->next();
        EXPECT_EQ(whole->text.size(), 1024U * 1024);
        co_await pair.stop();
    });
}

TEST(Channel, a_deadline_ends_the_call_on_both_sides) {
    run([](Runtime& runtime) -> Task<void> {
        std::string served;
        bool told = false;
        runtime::Notifier done(runtime);
        Pair pair(runtime, [&](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            call.on_cancelled([&told] { told = true; });
            return [](std::string& s, runtime::Notifier& d, ServedCall& c) -> Task<base::Result<void>> {
                s = co_await text_of(c.next());
                co_await runtime::sleep_for(10ms);  // the callback comes in a turn of its own
                d.notify();
                co_return base::Result<void>{};
            }(served, done, call);
        });
        auto call = pair.client.call("hang", {}, std::chrono::steady_clock::now() + 60ms);
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.deadline");
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.deadline");
        EXPECT_TRUE(co_await done.wait(10s));
        EXPECT_TRUE(served == "error wire.deadline" || served == "error wire.cancelled") << served;
        EXPECT_TRUE(told);
        co_await pair.stop();
    });
}

TEST(Channel, a_caller_that_asks_to_end_hears_the_last_words) {
    run([](Runtime& runtime) -> Task<void> {
        Pair pair(runtime, [](std::string method, Message, ServedCall& call) -> Task<base::Result<void>> {
            const auto stopped = co_await call.next();
            EXPECT_EQ(code(stopped), "wire.cancelled");
            if (method == "deaf") co_await runtime::sleep_for(60s);  // ended by stop()
            co_return base::fail(base::ErrorKind::cancelled, "model.stopped", "Nothing had left.");
        });
        auto call = pair.client.call("m", {}, soon());
        (*call)->ask_to_end(60s);
        const auto heard = co_await (*call)->next();
        EXPECT_EQ(code(heard), "model.stopped");
        EXPECT_EQ(heard.error().message, "Nothing had left.");
        EXPECT_EQ(co_await text_of((*call)->next()), "error model.stopped");
        (*call)->ask_to_end(60s);

        auto unheard = pair.client.call("deaf", {}, soon());
        (*unheard)->ask_to_end(1ms);
        EXPECT_EQ(co_await text_of((*unheard)->next()), "error wire.deadline");
        co_await pair.stop();
    });
}

TEST(Channel, dropping_a_call_cancels_it_at_the_server) {
    run([](Runtime& runtime) -> Task<void> {
        std::string served;
        int told = 0;
        runtime::Notifier begun(runtime);
        runtime::Notifier ended(runtime);
        Pair pair(runtime, [&](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            call.on_cancelled([&told] { ++told; });
            return [](std::string& s, runtime::Notifier& b, runtime::Notifier& e,
                      ServedCall& c) -> Task<base::Result<void>> {
                b.notify();
                s = co_await text_of(c.next());
                EXPECT_TRUE(c.cancelled());
                EXPECT_EQ(co_await code_of(c.send({"unread", {}})), "wire.cancelled");
                co_await runtime::sleep_for(10ms);
                e.notify();
                co_return base::Result<void>{};
            }(served, begun, ended, call);
        });
        {
            auto call = pair.client.call("hang", {}, soon());
            EXPECT_TRUE(co_await begun.wait(10s));
        }
        EXPECT_TRUE(co_await ended.wait(10s));
        EXPECT_EQ(served, "error wire.cancelled");
        EXPECT_EQ(told, 1);

        auto call = pair.client.call("hang", {}, soon());
        (*call)->cancel();
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.cancelled");
        co_await pair.stop();
    });
}

TEST(Channel, refuses_calls_above_its_limit_on_either_side) {
    run([](Runtime& runtime) -> Task<void> {
        const Service hang = [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            auto message = co_await call.next();
            co_return base::fail(message.error());
        };
        const auto [a, b] = socket_pair();
        Channel client(runtime, a, nullptr, {.calls_limit = 3});
        Channel server(runtime, b, hang, {.calls_limit = 2});
        std::vector<std::unique_ptr<Call>> calls;
        for (int i = 0; i < 3; ++i) calls.push_back(std::move(*client.call("m", {}, soon())));
        EXPECT_EQ(code(client.call("m", {}, soon())), "wire.busy");
        EXPECT_EQ(co_await text_of(calls[2]->next()), "error wire.busy");
        calls.erase(calls.begin());
        // Its cancellation crosses to the server before the next call does.
        co_await runtime::sleep_for(20ms);
        auto next = client.call("m", {}, std::chrono::steady_clock::now() + 50ms);
        EXPECT_EQ(co_await text_of((*next)->next()), "error wire.deadline");
        calls.clear();
        co_await client.stop();
        co_await server.stop();
    });
}

TEST(Channel, a_side_without_a_service_answers_that_it_has_none) {
    run([](Runtime& runtime) -> Task<void> {
        const auto [a, b] = socket_pair();
        Channel client(runtime, a, nullptr);
        Channel other(runtime, b, nullptr);
        auto call = client.call("m", {}, soon());
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.no_service");
        co_await client.stop();
        co_await other.stop();
    });
}

TEST(Channel, a_peer_that_goes_fails_every_call_after_what_it_had_said) {
    run([](Runtime& runtime) -> Task<void> {
        auto pair = std::make_unique<Pair>(
            runtime, [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
                auto sent = co_await call.send({"last words", {}});
                if (!sent) co_return base::fail(sent.error());
                auto message = co_await call.next();
                co_return base::fail(message.error());
            });
        auto spoken = pair->client.call("m", {}, soon());
        EXPECT_EQ(co_await text_of((*spoken)->next()), "last words");
        auto unread = pair->client.call("m", {}, soon());
        co_await runtime::sleep_for(20ms);
        co_await pair->server.stop();
        co_await pair->client.closed();
        EXPECT_FALSE(pair->client.is_open());
        EXPECT_EQ(co_await text_of((*spoken)->next()), "error wire.peer_gone");
        EXPECT_EQ(co_await text_of((*unread)->next()), "last words");
        EXPECT_EQ(co_await text_of((*unread)->next()), "error wire.peer_gone");
        EXPECT_EQ(code(pair->client.call("m", {}, soon())), "wire.peer_gone");
        EXPECT_EQ(co_await code_of((*unread)->send({"x", {}})), "wire.peer_gone");
        co_await pair->stop();
    });
}

TEST(Channel, a_call_outlives_its_channel_as_a_failed_one) {
    run([](Runtime& runtime) -> Task<void> {
        const auto [a, b] = socket_pair();
        const Descriptor other(b);
        auto client = std::make_unique<Channel>(runtime, a, nullptr);
        auto call = client->call("m", {}, soon());
        client.reset();
        EXPECT_EQ(co_await text_of((*call)->next()), "error wire.peer_gone");
    });
}

TEST(Peer, calls_fail_while_it_is_away_and_go_to_the_new_one_when_it_is_back) {
    run([](Runtime& runtime) -> Task<void> {
        const Service name_one = [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            co_return co_await call.send({"one", {}});
        };
        const Service name_two = [](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            co_return co_await call.send({"two", {}});
        };
        Peer peer(runtime);
        EXPECT_FALSE(peer.is_open());
        EXPECT_EQ(code(peer.call("m", {}, soon())), "wire.peer_gone");

        auto [a, b] = socket_pair();
        Channel one(runtime, b, name_one);
        peer.attach(a);
        auto first = peer.call("m", {}, soon());
        EXPECT_EQ(co_await text_of((*first)->next()), "one");
        co_await one.stop();
        const auto end = soon();
        while (peer.is_open() && std::chrono::steady_clock::now() < end) co_await runtime::sleep_for(1ms);
        EXPECT_FALSE(peer.is_open());

        std::tie(a, b) = socket_pair();
        Channel two(runtime, b, name_two);
        peer.attach(a);
        auto second = peer.call("m", {}, soon());
        EXPECT_EQ(co_await text_of((*second)->next()), "two");
        co_await peer.stop();
        co_await two.stop();
    });
}

TEST(Peer, who_waits_for_it_goes_on_when_it_comes_or_at_the_limit) {
    run([](Runtime& runtime) -> Task<void> {
        Peer peer(runtime);
        co_await peer.wait_until_open(1ms);
        EXPECT_FALSE(peer.is_open());

        const auto [a, b] = socket_pair();
        const Descriptor other(b);
        runtime::TaskGroup group(runtime, "comes");
        group.spawn([](Peer& late, int fd) -> Task<void> {
            co_await runtime::sleep_for(20ms);
            late.attach(fd);
        }(peer, a));
        co_await peer.wait_until_open(60s);
        EXPECT_TRUE(peer.is_open());
        co_await peer.wait_until_open(60s);  // it is there: nothing to wait for
        co_await group.stop();
        co_await peer.stop();
    });
}

TEST(Peer, nobody_waits_for_one_once_none_is_expected) {
    run([](Runtime& runtime) -> Task<void> {
        Peer peer(runtime);
        bool has_returned = false;
        runtime::TaskGroup group(runtime, "waits");
        group.spawn([](Peer& away, bool& returned) -> Task<void> {
            co_await away.wait_until_open(1h);
            returned = true;
        }(peer, has_returned));
        co_await runtime::sleep_for(1ms);
        EXPECT_FALSE(has_returned);
        peer.expect_no_other();
        EXPECT_TRUE(co_await group.wait(60s));
        EXPECT_TRUE(has_returned);
        co_await peer.wait_until_open(1h);  // nor later
    });
}

}  // namespace
}  // namespace wire
