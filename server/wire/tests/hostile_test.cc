// What a peer that has been taken over may do: render decodes hostile images, so core must survive it.
#include "test_wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include <gtest/gtest.h>

#include <wire/channel.h>
#include <wire/frame.h>

namespace wire {
namespace {

using namespace std::chrono_literals;
using runtime::Runtime;
using runtime::Task;

void send_raw(const Descriptor& socket, std::string_view bytes, std::vector<int> fds = {}) {
    msghdr header{};
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    std::vector<char> control(CMSG_SPACE(sizeof(int) * fds.size()));
    if (!fds.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
    }
    EXPECT_EQ(::sendmsg(socket.get(), &header, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* directory = ::opendir("/proc/self/fd");
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    return count;
}

/// A client that has one call under way, and the raw end of its peer.
struct Victim {
    explicit Victim(Runtime& runtime, ChannelOptions options = {})
        : Victim(runtime, socket_pair(), options) {}
    Victim(Runtime& runtime, std::pair<int, int> fds, ChannelOptions options)
        : client(runtime, fds.first, nullptr, options),
          peer(fds.second),
          call(std::move(*client.call("m", {}, soon()))) {}

    Channel client;
    Descriptor peer;
    std::unique_ptr<Call> call;
};

/// Sends `bytes` to a client and expects that it closes, and fails its call.
void expect_closes(std::string bytes, std::vector<int> fds = {}) {
    run([bytes, fds](Runtime& runtime) {
        return [](Runtime& r, std::string b, std::vector<int> f) -> Task<void> {
            Victim victim(r);
            send_raw(victim.peer, b, f);
            auto text = co_await text_of(victim.call->next());
            if (text == "x")
                text = co_await text_of(victim.call->next());  // what was whole came before the fault
            EXPECT_EQ(text, "error wire.peer_gone");
            EXPECT_FALSE(victim.client.is_open());
        }(runtime, bytes, fds);
    });
}

TEST(HostilePeer, malformed_bytes_close_the_channel_and_fail_its_calls) {
    expect_closes(std::string(64, '\xff'));
    expect_closes("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_closes(encode({.kind = FrameKind::reply_message, .call = 2, .text = "for a call that never was"}));
    expect_closes(encode({.kind = FrameKind::end, .call = 0}));
    expect_closes(encode({.kind = FrameKind::caller_message, .call = 1}));  // it never called us
    expect_closes(
        encode({.kind = FrameKind::reply_credit, .call = 1, .credits = 65'535}));  // over any window
}

TEST(HostilePeer, descriptors_that_do_not_fit_the_frame_close_the_channel_and_leak_none) {
    const auto before = open_descriptors();
    const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int fd = file.get();
    const auto message = [](std::uint8_t descriptors) {
        return encode({.kind = FrameKind::reply_message, .descriptors = descriptors, .call = 1, .text = "x"});
    };
    expect_closes(message(1));                                     // it promises one and sends none
    expect_closes(message(0), {fd});                               // it sends one that no frame names
    expect_closes(message(1), {fd, fd});                           // more than it named
    expect_closes(message(4), {fd, fd, fd, fd, fd, fd});           // more than a frame may carry
    expect_closes(message(1).substr(0, 5), {fd, fd, fd, fd, fd});  // amid a frame
    EXPECT_EQ(open_descriptors(), before + 1);
}

TEST(HostilePeer, more_messages_than_credits_close_the_channel) {
    run([](Runtime& runtime) -> Task<void> {
        Victim victim(runtime, {.credits = 4});
        const auto message = encode({.kind = FrameKind::reply_message, .call = 1, .text = "x"});
        for (int i = 0; i < 5; ++i) send_raw(victim.peer, message);
        co_await victim.client.closed();
        for (int i = 0; i < 4; ++i) EXPECT_EQ(co_await text_of(victim.call->next()), "x");
        EXPECT_EQ(co_await text_of(victim.call->next()), "error wire.peer_gone");
    });
}

TEST(HostilePeer, unread_messages_are_left_in_the_socket_once_they_are_too_many) {
    run([](Runtime& runtime) -> Task<void> {
        Victim victim(runtime, {.credits = 1000, .read_queue_limit_bytes = 100'000});
        const auto message =
            encode({.kind = FrameKind::reply_message, .call = 1, .text = std::string(50'000, 'x')});
        ::fcntl(victim.peer.get(), F_SETFL, O_NONBLOCK);
        std::size_t sent_bytes = 0;
        for (int quiet = 0; quiet < 20;) {
            const auto count = ::send(victim.peer.get(), message.data() + sent_bytes % message.size(),
                                      message.size() - sent_bytes % message.size(), MSG_NOSIGNAL);
            if (count > 0) {
                sent_bytes += static_cast<std::size_t>(count);
                quiet = 0;
            } else {
                ++quiet;
                co_await runtime::sleep_for(2ms);
            }
        }
        // The limit, one read's worth above it and the socket's own buffer: not the thousand that the credits
        // allow.
        EXPECT_LT(sent_bytes, 2'000'000U);
        // Reading goes on where it stopped.
        std::size_t received = 0;
        while (received < sent_bytes / message.size()) {
            const auto next = co_await victim.call->next();
            EXPECT_TRUE(next.has_value());
            if (!next) break;
            ++received;
        }
        EXPECT_EQ(received, sent_bytes / message.size());
        EXPECT_TRUE(victim.client.is_open());
    });
}

TEST(HostilePeer, a_flood_of_calls_from_one_that_never_reads_is_cut_off) {
    run([](Runtime& runtime) -> Task<void> {
        const auto [a, b] = socket_pair();
        const Descriptor peer(b);
        Channel server(runtime, a, nullptr, {.write_queue_limit_bytes = 64 * 1024});
        ::fcntl(peer.get(), F_SETFL, O_NONBLOCK);
        std::string pending;
        std::uint64_t number = 0;
        while (server.is_open()) {
            if (pending.empty()) {
                pending = encode({.kind = FrameKind::call,
                                  .call = ++number,
                                  .remaining_ms = 1000,
                                  .credits = 1,
                                  .method = "m"});
            }
            const auto count = ::send(peer.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
            if (count > 0) {
                pending.erase(0, static_cast<std::size_t>(count));
            } else {
                co_await runtime::sleep_for(1ms);
            }
            if (number > 500'000) break;
        }
        EXPECT_FALSE(server.is_open());
        co_await server.stop();
    });
}

TEST(HostilePeer, a_flood_does_not_hold_the_io_thread) {
    run([](Runtime& runtime) -> Task<void> {
        const auto [a, b] = socket_pair();
        int served = 0;
        Channel server(runtime, a, [&served](std::string, Message, ServedCall&) -> Task<base::Result<void>> {
            ++served;
            return []() -> Task<base::Result<void>> { co_return base::Result<void>{}; }();
        });
        std::atomic<bool> stop{false};
        std::thread flood([&stop, b] {
            const Descriptor peer(b);
            std::array<char, 65536> sink{};
            for (std::uint64_t number = 1; !stop; ++number) {
                const auto bytes = encode({.kind = FrameKind::call,
                                           .call = number,
                                           .remaining_ms = 1000,
                                           .credits = 1,
                                           .method = "m"});
                if (::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
                while (::recv(peer.get(), sink.data(), sink.size(), MSG_DONTWAIT) > 0) {
                }
            }
        });
        // Other tasks get their turns while it goes on.
        for (int i = 0; i < 20 || (served == 0 && i < 12'000); ++i) co_await runtime::sleep_for(5ms);
        EXPECT_GT(served, 0);
        stop = true;
        co_await server.stop();
        flood.join();
    });
}

TEST(HostilePeer, one_that_closes_its_reading_half_only_is_gone) {
    run([](Runtime& runtime) -> Task<void> {
        Victim victim(runtime);
        ::shutdown(victim.peer.get(), SHUT_RD);
        auto second = victim.client.call("m", {}, soon());
        if (second) EXPECT_EQ(co_await text_of((*second)->next()), "error wire.peer_gone");
        EXPECT_EQ(co_await text_of(victim.call->next()), "error wire.peer_gone");
        EXPECT_FALSE(victim.client.is_open());
    });
}

}  // namespace
}  // namespace wire
