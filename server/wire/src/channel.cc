#include "channel_state.h"

#include <base/log.h>
#include <wire/channel.h>

namespace wire {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

/// The caller's handle. Its coroutines share the state, so that dropping the handle while one runs is
/// harmless.
class OutgoingCall final : public Call {
  public:
    OutgoingCall(std::shared_ptr<ChannelState> state, std::shared_ptr<Stream> stream)
        : state_(std::move(state)), stream_(std::move(stream)) {}
    OutgoingCall(const OutgoingCall&) = delete;
    OutgoingCall& operator=(const OutgoingCall&) = delete;
    ~OutgoingCall() override {
        state_->cancel(*stream_);
        state_->drop_inbox(*stream_);
    }

    runtime::Task<base::Result<Message>> next() override { return ChannelState::next(state_, stream_); }
    runtime::Task<base::Result<void>> send(Message message) override {
        return ChannelState::send(state_, stream_, std::move(message), Leaves::at_once);
    }
    void cancel() override { state_->cancel(*stream_); }
    void ask_to_end(Clock::duration last_words) override { state_->ask_to_end(*stream_, last_words); }

  private:
    std::shared_ptr<ChannelState> state_;
    std::shared_ptr<Stream> stream_;
};

class IncomingCall final : public ServedCall {
  public:
    IncomingCall(std::shared_ptr<ChannelState> state, std::shared_ptr<Stream> stream)
        : state_(std::move(state)), stream_(std::move(stream)) {}

    runtime::Task<base::Result<void>> send(Message message, Leaves leaves) override {
        return ChannelState::send(state_, stream_, std::move(message), leaves);
    }
    runtime::Task<base::Result<Message>> next() override { return ChannelState::next(state_, stream_); }
    Clock::time_point deadline() const override { return stream_->deadline; }
    bool cancelled() const override { return stream_->ended.has_value(); }
    void on_cancelled(std::function<void()> stop) override {
        stream_->stop = std::move(stop);
        if (stream_->ended || Clock::now() >= stream_->deadline) state_->announce_stop(stream_);
    }

  private:
    std::shared_ptr<ChannelState> state_;
    std::shared_ptr<Stream> stream_;
};

runtime::Task<void> ChannelState::serve(std::shared_ptr<ChannelState> self, std::shared_ptr<Stream> stream,
                                        std::string method, Message request) {
    // Taken out of the table on every way out, a coroutine that is destroyed while it waits included.
    struct Listing {
        ChannelState& state;
        Stream& stream;
        ~Listing() {
            stream.returned = true;
            stream.stop = nullptr;
            stream.timer.cancel();
            state.drop_inbox(stream);
            state.served_.erase(stream.number);
        }
    } listing{*self, *stream};

    base::Result<void> result;
    try {
        IncomingCall call(self, stream);
        result = co_await self->service_(method, std::move(request), call);
    } catch (const std::exception& fault) {
        // What a closed channel threw out of its wait is no fault.
        if (!stream->ended)
            base::log_error("wire.service_fault", {{"method", method}, {"what", fault.what()}});
        result = base::fail(base::ErrorKind::internal, "wire.fault", "The call failed for a reason of ours.");
    }
    // Also where it was given up: the caller may hear it out, and if not, knows the call no more.
    self->answer(stream->number, result);
}

Channel::Channel(runtime::Runtime& runtime, int socket_fd, Service service, ChannelOptions options)
    : state_(std::make_shared<ChannelState>(runtime, socket_fd, std::move(service), options)) {
    state_->start();
}

Channel::~Channel() {
    state_->close();
    state_->cancel_tasks();
}

base::Result<std::unique_ptr<Call>> Channel::call(std::string_view method, Message request,
                                                  Clock::time_point deadline) {
    auto stream = state_->begin(method, std::move(request), deadline);
    if (!stream) return base::fail(stream.error());
    return std::make_unique<OutgoingCall>(state_, std::move(*stream));
}

runtime::Task<void> Channel::closed() {
    return ChannelState::closed(state_);
}
bool Channel::is_open() const {
    return state_->is_open();
}
bool Channel::has_called() const {
    return state_->has_called();
}
runtime::Task<void> Channel::stop() {
    return ChannelState::stop(state_);
}

void Peer::attach(int socket_fd) {
    channel_ = std::make_unique<Channel>(runtime_, socket_fd, nullptr, options_);
    attached_.notify();
}

bool Peer::is_open() const {
    return channel_ && channel_->is_open();
}

runtime::Task<void> Peer::wait_until_open(Clock::duration limit) {
    const auto end = Clock::now() + limit;
    while (!is_open() && expects_another_) {
        // One that was attached may have gone again by the time that this is woken.
        if (!co_await attached_.wait(end - Clock::now())) co_return;
    }
}

void Peer::expect_no_other() {
    expects_another_ = false;
    attached_.notify();
}

bool Peer::has_been_called() const {
    return is_open() && channel_->has_called();
}

base::Result<std::unique_ptr<Call>> Peer::call(std::string_view method, Message request,
                                               Clock::time_point deadline) {
    if (!channel_) return base::fail(peer_gone());
    return channel_->call(method, std::move(request), deadline);
}

runtime::Task<void> Peer::stop() {
    if (channel_) co_await channel_->stop();
}

}  // namespace wire
