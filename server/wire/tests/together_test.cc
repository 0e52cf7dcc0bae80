// What leaves together: over a socket that keeps the borders of what was sent, each send() can be counted.
#include "test_wire.h"

#include <sys/socket.h>

#include <vector>

#include <gtest/gtest.h>

#include <wire/channel.h>
#include <wire/frame.h>

namespace wire {
namespace {

using runtime::Runtime;
using runtime::Task;

constexpr std::size_t kMostBytes = std::size_t{256} * 1024;

std::pair<int, int> bordered_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
    return {fds[0], fds[1]};
}

void send_call(int fd) {
    const auto bytes =
        encode({.kind = FrameKind::call, .call = 1, .remaining_ms = 60'000, .credits = 64, .method = "m"});
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
}

/// The kinds of the frames that came with one send; none where nothing more has come.
std::vector<FrameKind> received_at_once(int fd) {
    std::string bytes(kMostBytes, 0);
    const auto count = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    std::vector<FrameKind> kinds;
    FrameDecoder decoder;
    if (count > 0) decoder.feed(std::string_view(bytes).substr(0, static_cast<std::size_t>(count)));
    for (auto frame = decoder.next(); frame && *frame; frame = decoder.next())
        kinds.push_back((*frame)->kind);
    return kinds;
}

using enum FrameKind;
using Kinds = std::vector<FrameKind>;

/// What a service that runs `body` sends, one entry a system call.
std::vector<Kinds> sent_by(Service body) {
    std::vector<Kinds> sends;
    run([&](Runtime& runtime) {
        return [](Runtime& r, Service service, std::vector<Kinds>& out) -> Task<void> {
            const auto [ours, theirs] = bordered_pair();
            const Descriptor peer(theirs);
            Channel server(r, ours, std::move(service));
            send_call(peer.get());
            bool has_ended = false;
            while (!has_ended) {
                co_await runtime::sleep_for(std::chrono::milliseconds(1));
                for (auto kinds = received_at_once(peer.get()); !kinds.empty();
                     kinds = received_at_once(peer.get())) {
                    has_ended = kinds.back() == end;
                    out.push_back(std::move(kinds));
                }
            }
            co_await server.stop();
        }(runtime, std::move(body), sends);
    });
    return sends;
}

TEST(Together, the_last_messages_and_the_end_leave_with_one_send) {
    const auto sends = sent_by([](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
        co_await call.send({"one", {}}, Leaves::with_next);
        co_return co_await call.send({"two", {}}, Leaves::with_next);
    });
    EXPECT_EQ(sends, (std::vector<Kinds>{{reply_message, reply_message, end}}));
}

TEST(Together, what_leaves_at_once_does_not_wait) {
    const auto sends = sent_by([](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
        co_await call.send({"one", {}});
        co_return co_await call.send({"two", {}}, Leaves::with_next);
    });
    EXPECT_EQ(sends, (std::vector<Kinds>{{reply_message}, {reply_message, end}}));
}

TEST(Together, nothing_waits_for_longer_than_the_turn) {
    const auto sends = sent_by([](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
        co_await call.send({"one", {}}, Leaves::with_next);
        co_await runtime::sleep_for(std::chrono::milliseconds(5));
        co_return base::Result<void>{};
    });
    EXPECT_EQ(sends, (std::vector<Kinds>{{reply_message}, {end}}));
}

TEST(Together, much_does_not_wait_at_all) {
    const auto sends = sent_by([](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
        co_await call.send({std::string(100'000, 'x'), {}}, Leaves::with_next);
        co_return base::Result<void>{};
    });
    EXPECT_EQ(sends, (std::vector<Kinds>{{reply_message}, {end}}));
}

TEST(Together, a_channel_that_closes_sends_what_was_sent) {
    run([](Runtime& runtime) -> Task<void> {
        const auto [ours, theirs] = bordered_pair();
        const Descriptor peer(theirs);
        std::unique_ptr<Channel> server;
        bool has_closed = false;
        const auto service = [&](std::string, Message, ServedCall& call) -> Task<base::Result<void>> {
            co_await call.send({"one", {}}, Leaves::with_next);
            auto stopping = server->stop();  // closes before this turn ends
            has_closed = true;
            co_await std::move(stopping);
            co_return base::Result<void>{};
        };
        server = std::make_unique<Channel>(runtime, ours, service);
        send_call(peer.get());
        while (!has_closed || server->is_open()) co_await runtime::sleep_for(std::chrono::milliseconds(1));
        EXPECT_EQ(received_at_once(peer.get()), Kinds{reply_message});
        server.reset();
    });
}

}  // namespace
}  // namespace wire
