#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include <runtime/signal.h>
#include <wire/channel.h>
#include <wire/frame.h>

namespace wire {

/// Further messages that a caller may send before the server has read them.
constexpr std::uint32_t kCallerCredits = 16;

enum class Side : std::uint8_t { calling, serving };

/// One call under way, as one side sees it. Both sides are alike: messages come in under a window, and go out
/// under credits.
struct Stream {
    Stream(runtime::Runtime& runtime, Side s, std::uint64_t n)
        : side(s), number(n), news(runtime), timer(runtime.io()) {}

    Side side;
    std::uint64_t number;
    std::chrono::steady_clock::time_point deadline;

    std::deque<Message> inbox;
    std::uint32_t window = 0;       ///< messages that the peer may still send: more is malformed
    std::uint32_t window_size = 0;  ///< at the beginning
    std::uint32_t read = 0;         ///< since the last credit frame
    std::uint32_t credits = 0;      ///< messages that we may still send

    std::optional<base::Error> ended;  ///< nothing further will come, and why
    runtime::Notifier news;            ///< a message, a credit or the end

    // Serving side only.
    boost::asio::steady_timer timer;  ///< the deadline
    std::function<void()> stop;       ///< ServedCall::on_cancelled
    bool returned = false;            ///< the service has returned
};

base::Error peer_gone();
base::Error past_deadline();
base::Error cancelled();

}  // namespace wire
