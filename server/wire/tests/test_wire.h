#pragma once

#include <sys/socket.h>

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <runtime/task_group.h>
#include <wire/channel.h>

namespace wire {

/// Runs one coroutine to its end on a runtime of its own.
template <class F>
void run(F body) {
    runtime::Runtime runtime;
    runtime::TaskGroup group(runtime, "test");
    auto main = [](runtime::Runtime& r, F b) -> runtime::Task<void> {
        co_await b(r);
        r.stop();
    };
    group.spawn(main(runtime, std::move(body)));
    runtime.run();
}

inline std::pair<int, int> socket_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    return {fds[0], fds[1]};
}

/// Long enough for any machine: tests that pass do not wait for it.
inline std::chrono::steady_clock::time_point soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

inline runtime::Task<std::string> text_of(runtime::Task<base::Result<Message>> next) {
    const auto message = co_await std::move(next);
    co_return message ? message->text : "error " + message.error().code;
}

inline runtime::Task<std::string> code_of(runtime::Task<base::Result<void>> sent) {
    const auto result = co_await std::move(sent);
    co_return result ? "" : result.error().code;
}

template <class T>
std::string code(const base::Result<T>& result) {
    return result ? "" : result.error().code;
}

/// A caller and a server over a socket pair.
struct Pair {
    Pair(runtime::Runtime& runtime, Service service, ChannelOptions options = {})
        : Pair(runtime, socket_pair(), std::move(service), options) {}
    Pair(runtime::Runtime& runtime, std::pair<int, int> fds, Service service, ChannelOptions options)
        : client(runtime, fds.first, nullptr, options),
          server(runtime, fds.second, std::move(service), options) {}

    runtime::Task<void> stop() {
        co_await client.stop();
        co_await server.stop();
    }

    Channel client;
    Channel server;
};

}  // namespace wire
