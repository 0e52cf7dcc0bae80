#include "supervisor_socket.h"

#include <unistd.h>

#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <base/log.h>
#include <runtime/signal.h>
#include <runtime/supervisor_link.h>
#include <runtime/task_group.h>

namespace runtime {

namespace asio = boost::asio;

struct SupervisorLink::State {
    State(Runtime& runtime, int fd, OnPeer handler)
        : socket(runtime.io(), fd),
          on_peer(std::move(handler)),
          ended(runtime),
          tasks(runtime, "supervisor_link") {}

    asio::posix::stream_descriptor socket;
    OnPeer on_peer;
    bool is_gone = false;
    Notifier ended;
    TaskGroup tasks;

    static Task<void> read(std::shared_ptr<State> self) {
        const auto task = co_await asio::this_coro::cancellation_state;
        while (self->socket.is_open() && task.cancelled() == asio::cancellation_type::none) {
            SupervisorPacket packet;
            const auto outcome = receive_packet(self->socket.native_handle(), packet);
            if (outcome == PacketOutcome::gone) {
                self->is_gone = true;
                self->ended.notify();
                co_return;
            }
            if (outcome == PacketOutcome::none_yet) {
                boost::system::error_code ignored;  // closed: seen above; else the next read tells
                co_await self->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                                 asio::redirect_error(asio::use_awaitable, ignored));
            } else if (packet.fd >= 0) {
                base::log_info("runtime.peer_attached", {{"peer", packet.text}});
                self->on_peer(packet.text, packet.fd);
            }
        }
    }
};

SupervisorLink::SupervisorLink(Runtime& runtime, int supervisor_fd, OnPeer on_peer)
    : state_(std::make_shared<State>(runtime, supervisor_fd, std::move(on_peer))) {
    state_->tasks.spawn(State::read(state_));
}

SupervisorLink::~SupervisorLink() {
    boost::system::error_code ignored;  // there is nothing to be done about a failed close
    state_->socket.close(ignored);
}

void SupervisorLink::ready(std::string_view note) {
    const auto text = "ready " + std::string(note.substr(0, 4000));
    if (!send_packet(state_->socket.native_handle(), text)) base::log_warning("runtime.supervisor_gone");
}

Task<void> SupervisorLink::gone() {
    const auto state = state_;
    const auto task = co_await asio::this_coro::cancellation_state;
    while (!state->is_gone && task.cancelled() == asio::cancellation_type::none) {
        co_await state->ended.wait(std::chrono::hours(24));
    }
}

Task<void> SupervisorLink::stop() {
    const auto state = state_;
    boost::system::error_code ignored;
    state->socket.close(ignored);
    co_await state->tasks.stop();
}

}  // namespace runtime
