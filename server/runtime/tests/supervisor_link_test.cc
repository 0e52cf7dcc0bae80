#include "supervisor_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include <runtime/supervisor_link.h>
#include <runtime/task_group.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;

/// Both ends of the socket between supervisor and core.
struct Ends {
    Ends() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0); }
    ~Ends() { close_supervisor(); }
    int core() const { return fds[1]; }
    int supervisor() const { return fds[0]; }
    void close_supervisor() {
        if (fds[0] >= 0) ::close(std::exchange(fds[0], -1));
    }
    std::array<int, 2> fds{-1, -1};
};

struct Seen {
    std::vector<std::string> peers;
    bool gone = false;
};

Task<void> wait_until_gone(SupervisorLink& link, Seen& seen) {
    co_await link.gone();
    seen.gone = true;
}

template <class F>
Seen with_link(Ends& ends, F body) {
    Runtime runtime;
    Seen seen;
    SupervisorLink link(runtime, ends.core(), [&seen](std::string_view name, int fd) {
        seen.peers.emplace_back(name);
        EXPECT_GE(::fcntl(fd, F_GETFD), 0);
        ::close(fd);
    });
    TaskGroup group(runtime, "test");
    group.spawn(wait_until_gone(link, seen));
    group.spawn([](Runtime& r, SupervisorLink& l, Seen& s, F& f) -> Task<void> {
        co_await f(l, s);
        co_await l.stop();
        r.stop();
    }(runtime, link, seen, body));
    runtime.run();
    return seen;
}

TEST(SupervisorLink, hands_over_what_comes_and_says_when_it_is_ready) {
    Ends ends;
    const auto seen = with_link(ends, [&ends](SupervisorLink& link, Seen& so_far) -> Task<void> {
        const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        EXPECT_TRUE(send_packet(ends.supervisor(), "gateway", file));
        EXPECT_TRUE(send_packet(ends.supervisor(), "no descriptor"));
        EXPECT_TRUE(send_packet(ends.supervisor(), "render", file));
        ::close(file);
        link.ready(std::string(10'000, 'x'));
        while (so_far.peers.size() < 2) co_await sleep_for(1ms);
    });
    EXPECT_EQ(seen.peers, (std::vector<std::string>{"gateway", "render"}));
    SupervisorPacket packet;
    ASSERT_EQ(receive_packet(ends.supervisor(), packet), PacketOutcome::received);
    EXPECT_EQ(packet.text.size(), 4006U);
    EXPECT_TRUE(packet.text.starts_with("ready x"));
}

TEST(SupervisorLink, tells_a_supervisor_that_has_gone_from_its_own_end) {
    Ends ends;
    EXPECT_FALSE(with_link(ends, [](SupervisorLink& link, Seen&) -> Task<void> {
                     co_await sleep_for(10ms);
                     co_await link.stop();
                     co_await sleep_for(10ms);
                 }).gone);

    Ends others;
    EXPECT_TRUE(with_link(others, [&others](SupervisorLink&, Seen& so_far) -> Task<void> {
                    others.close_supervisor();
                    while (!so_far.gone) co_await sleep_for(1ms);
                }).gone);
}

}  // namespace
}  // namespace runtime
