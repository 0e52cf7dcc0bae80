#include "channel_state.h"

#include <algorithm>
#include <array>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <base/log.h>

namespace wire {

namespace asio = boost::asio;
using base::ErrorKind;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kReadBufferBytes = std::size_t{64} * 1024;
constexpr int kFramesPerTurn = 64;
constexpr std::size_t kDescriptorWeightBytes = std::size_t{256} * 1024;
/// Control frames are queued whatever the queue holds; a peer that makes us queue this much of them does not
/// read.
constexpr std::size_t kControlReserveBytes = std::size_t{1024} * 1024;
/// What may wait for the end of the turn to leave together.
constexpr std::size_t kTogetherLimitBytes = std::size_t{64} * 1024;
/// Waits are open-ended where something else ends them: each is woken by the event or by close().
constexpr auto kUntilWoken = std::chrono::hours(24);
constexpr std::int64_t kRemainingLimitMs = std::int64_t{7} * 24 * 3600 * 1000;

std::size_t weight_bytes(const Message& message) {
    return message.text.size() + message.descriptors.size() * kDescriptorWeightBytes;
}

base::Result<void> check(const Message& message) {
    if (message.text.size() > kTextLimitBytes || message.descriptors.size() > kDescriptorsLimit) {
        return base::fail(ErrorKind::too_large, "wire.too_large", "The message is too large for the wire.");
    }
    if (!are_open(message.descriptors)) {
        return base::fail(ErrorKind::invalid, "wire.bad_descriptor",
                          "A descriptor of the message is not open.");
    }
    return {};
}

bool given_up(const asio::cancellation_state& task) {
    return task.cancelled() != asio::cancellation_type::none;
}

}  // namespace

base::Error peer_gone() {
    return {ErrorKind::unavailable, "wire.peer_gone", "The process that does this is being restarted."};
}
base::Error past_deadline() {
    return {ErrorKind::timeout, "wire.deadline", "It took too long."};
}
base::Error cancelled() {
    return {ErrorKind::cancelled, "wire.cancelled", "The call was given up."};
}

ChannelState::ChannelState(runtime::Runtime& runtime, int socket_fd, Service service, ChannelOptions options)
    : runtime_(runtime),
      options_(options),
      service_(std::move(service)),
      socket_(runtime.io()),
      drained_(runtime),
      writable_(runtime),
      closed_(runtime),
      tasks_(runtime, "wire") {
    boost::system::error_code error;
    socket_.assign(asio::local::stream_protocol(), socket_fd, error);
    open_ = !error;
    if (error) {
        const Descriptor taken_over_all_the_same(socket_fd);
        base::log_error("wire.bad_socket", {{"error", error.message()}});
    }
}

void ChannelState::start() {
    if (open_) tasks_.spawn(read(shared_from_this()));
}

void ChannelState::close() {
    if (!open_) return;
    if (flush_planned_ && is_open()) flush();  // sent, as far as who sent it knows
    open_ = false;
    boost::system::error_code ignored;  // there is nothing to be done about a failed close
    socket_.close(ignored);
    queue_.clear();
    queued_bytes_ = 0;
    arrived_.clear();
    for (const auto& [number, stream] : std::exchange(calls_, {})) end(*stream, peer_gone());
    for (const auto& [number, stream] : served_) {
        end(*stream, cancelled());
        announce_stop(stream);
    }
    drained_.notify();
    writable_.notify();
    closed_.notify();
}

runtime::Task<void> ChannelState::closed(std::shared_ptr<ChannelState> self) {
    const auto task = co_await asio::this_coro::cancellation_state;
    while (self->open_ && !given_up(task)) co_await self->closed_.wait(kUntilWoken);
}

runtime::Task<void> ChannelState::stop(std::shared_ptr<ChannelState> self) {
    self->close();
    co_await self->tasks_.stop();
}

base::Result<std::shared_ptr<Stream>> ChannelState::begin(std::string_view method, Message request,
                                                          Clock::time_point deadline) {
    if (!is_open()) return base::fail(peer_gone());
    if (const auto fit = check(request); !fit) return base::fail(fit.error());
    if (!is_method(method)) {
        return base::fail(ErrorKind::invalid, "wire.bad_method", "There can be no such method.");
    }
    const auto remaining = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (remaining.count() <= 0) return base::fail(past_deadline());
    if (calls_.size() >= options_.calls_limit ||
        queued_bytes_ + request.text.size() > options_.write_queue_limit_bytes) {
        return base::fail(ErrorKind::unavailable, "wire.busy", "Too many calls are under way.");
    }

    auto stream = std::make_shared<Stream>(runtime_, Side::calling, ++last_call_);
    stream->deadline = deadline;
    stream->window = stream->window_size = std::clamp<std::uint32_t>(options_.credits, 1, kCreditsLimit);
    stream->credits = kCallerCredits;
    calls_.emplace(stream->number, stream);
    enqueue({.kind = FrameKind::call,
             .call = stream->number,
             .remaining_ms = static_cast<std::uint32_t>(std::min(remaining.count(), kRemainingLimitMs)),
             .credits = stream->window,
             .method = std::string(method),
             .text = std::move(request.text)},
            std::move(request.descriptors));
    return stream;
}

runtime::Task<base::Result<void>> ChannelState::send(std::shared_ptr<ChannelState> self,
                                                     std::shared_ptr<Stream> stream, Message message,
                                                     Leaves leaves) {
    const auto task = co_await asio::this_coro::cancellation_state;
    if (const auto fit = check(message); !fit) co_return base::fail(fit.error());
    for (;;) {
        if (stream->ended) co_return base::fail(*stream->ended);
        const auto now = Clock::now();
        if (now >= stream->deadline) co_return base::fail(past_deadline());
        const bool room =
            self->queued_bytes_ + message.text.size() <= self->options_.write_queue_limit_bytes ||
            self->queue_.empty();
        if (stream->credits > 0 && room) break;
        runtime::Notifier& awaited = stream->credits == 0 ? stream->news : self->writable_;
        const bool woken = co_await awaited.wait(stream->deadline - now);
        if (!woken && given_up(task)) co_return base::fail(cancelled());
    }
    --stream->credits;
    self->enqueue(
        {.kind = stream->side == Side::calling ? FrameKind::caller_message : FrameKind::reply_message,
         .call = stream->number,
         .text = std::move(message.text)},
        std::move(message.descriptors), leaves);
    co_return base::Result<void>{};
}

runtime::Task<base::Result<Message>> ChannelState::next(std::shared_ptr<ChannelState> self,
                                                        std::shared_ptr<Stream> stream) {
    const auto task = co_await asio::this_coro::cancellation_state;
    for (;;) {
        if (!stream->inbox.empty()) {
            Message message = std::move(stream->inbox.front());
            stream->inbox.pop_front();
            self->unread_bytes_ -= weight_bytes(message);
            self->drained_.notify();
            self->grant(*stream);
            co_return message;
        }
        if (stream->ended) co_return base::fail(*stream->ended);
        const auto now = Clock::now();
        if (now >= stream->deadline) {
            if (stream->side == Side::calling) {
                self->cancel(*stream);
                stream->ended = past_deadline();
            }
            co_return base::fail(past_deadline());
        }
        const bool woken = co_await stream->news.wait(stream->deadline - now);
        if (!woken && given_up(task)) co_return base::fail(cancelled());
    }
}

/// Credits go back in halves of the window, so that a long stream costs few frames.
void ChannelState::grant(Stream& stream) {
    ++stream.read;
    if (stream.ended || !is_open() || stream.read < (stream.window_size + 1) / 2) return;
    stream.window += stream.read;
    enqueue({.kind = stream.side == Side::calling ? FrameKind::caller_credit : FrameKind::reply_credit,
             .call = stream.number,
             .credits = std::exchange(stream.read, 0)});
}

void ChannelState::cancel(Stream& stream) {
    if (stream.ended) return;
    calls_.erase(stream.number);
    if (is_open()) enqueue({.kind = FrameKind::cancel, .call = stream.number});
    end(stream, cancelled());
}

void ChannelState::ask_to_end(Stream& stream, Clock::duration last_words) {
    if (stream.ended) return;
    if (is_open()) enqueue({.kind = FrameKind::cancel, .call = stream.number});
    stream.deadline = std::min(stream.deadline, Clock::now() + last_words);
    stream.news.notify();  // who waits waits no longer than that
}

void ChannelState::drop_inbox(Stream& stream) {
    for (const Message& message : std::exchange(stream.inbox, {})) unread_bytes_ -= weight_bytes(message);
    drained_.notify();
}

void ChannelState::end(Stream& stream, base::Error why) {
    if (!stream.ended) stream.ended = std::move(why);
    stream.news.notify();
    writable_.notify();  // it may be waiting for room
}

void ChannelState::announce_stop(const std::shared_ptr<Stream>& stream) {
    stream->timer.cancel();
    if (!stream->stop || stream->returned) return;
    asio::post(runtime_.executor(), [stream, stop = std::exchange(stream->stop, nullptr)] {
        if (!stream->returned) stop();
    });
}

// Receiving.

runtime::Task<void> ChannelState::read(std::shared_ptr<ChannelState> self) {
    const auto task = co_await asio::this_coro::cancellation_state;
    const auto buffer = std::make_unique<std::array<char, kReadBufferBytes>>();
    Taken taken;
    bool has_more = false;  // of whole frames, or in the socket as far as one knows
    while (self->open_ && !given_up(task)) {
        if (has_more || self->write_failed_) {
            // A peer that never stops sending must not hold the I/O thread.
            co_await asio::post(self->runtime_.executor(), asio::use_awaitable);
        } else {
            boost::system::error_code ignored;  // closed: seen below; else the next read tells
            co_await self->socket_.async_wait(asio::socket_base::wait_read,
                                              asio::redirect_error(asio::use_awaitable, ignored));
        }
        if (!self->open_) break;
        if (!taken.more) {
            if (self->unread_bytes_ > self->options_.read_queue_limit_bytes) {
                if (self->write_failed_) break;
                co_await self->drained_.wait(kUntilWoken);
                has_more = true;
                continue;
            }
            const auto received = receive_some(self->socket_.native_handle(), *buffer, self->arrived_);
            has_more = received.bytes == buffer->size();
            if (received.outcome == IoOutcome::would_block) {
                if (self->write_failed_) break;
                continue;
            }
            if (received.outcome == IoOutcome::peer_gone) break;
            if (received.outcome == IoOutcome::malformed) taken.fault = "too many descriptors";
            self->decoder_.feed({buffer->data(), received.bytes});
        }
        if (taken.fault.empty()) taken = self->take_frames();
        if (!taken.fault.empty()) {
            base::log_error("wire.malformed_frame", {{"what", taken.fault}});
            break;
        }
        has_more = has_more || taken.more;
    }
    self->close();
}

ChannelState::Taken ChannelState::take_frames() {
    for (int i = 0; i < kFramesPerTurn; ++i) {
        auto frame = decoder_.next();
        if (!frame) return {.fault = frame.error()};
        if (!*frame) {
            const std::size_t may_wait = decoder_.is_amid_frame() ? kDescriptorsLimit : 0;
            return {.fault = arrived_.size() > may_wait ? "stray descriptors" : ""};
        }
        // A frame's descriptors have arrived with its first byte.
        if (arrived_.size() < (*frame)->descriptors) return {.fault = "missing descriptors"};
        const auto split = arrived_.begin() + (*frame)->descriptors;
        std::vector<Descriptor> descriptors(std::move_iterator(arrived_.begin()), std::move_iterator(split));
        arrived_.erase(arrived_.begin(), split);
        const auto fault = handle(std::move(**frame), std::move(descriptors));
        if (!fault.empty()) return {.fault = fault};
    }
    return {.more = true};
}

std::string_view ChannelState::handle(Frame frame, std::vector<Descriptor> descriptors) {
    if (frame.kind == FrameKind::call) return handle_call(std::move(frame), std::move(descriptors));

    const bool from_caller = frame.kind < FrameKind::reply_message;
    if (frame.call == 0 || frame.call > (from_caller ? last_served_ : last_call_)) return "call number";
    Streams& streams = from_caller ? served_ : calls_;
    const auto found = streams.find(frame.call);
    if (found == streams.end()) return {};  // it crossed the end of its call
    const auto stream = found->second;

    switch (frame.kind) {
        case FrameKind::call:
            break;  // above
        case FrameKind::caller_message:
        case FrameKind::reply_message:
            return handle_message(*stream, std::move(frame), std::move(descriptors));
        case FrameKind::caller_credit:
        case FrameKind::reply_credit:
            return handle_credit(*stream, frame.credits);
        case FrameKind::cancel:
            end(*stream, cancelled());
            announce_stop(stream);
            break;
        case FrameKind::end:
            streams.erase(found);
            end(*stream, {ErrorKind::not_found, "wire.end", "The call has ended."});
            break;
        case FrameKind::error:
            streams.erase(found);
            end(*stream, std::move(frame.error));
            break;
    }
    return {};
}

std::string_view ChannelState::handle_message(Stream& stream, Frame frame,
                                              std::vector<Descriptor> descriptors) {
    if (stream.window == 0) return "over its credits";
    --stream.window;
    if (stream.ended) return {};  // cancelled: the service will not read it
    stream.inbox.push_back({std::move(frame.text), std::move(descriptors)});
    unread_bytes_ += weight_bytes(stream.inbox.back());
    stream.news.notify();
    return {};
}

std::string_view ChannelState::handle_credit(Stream& stream, std::uint32_t credits) {
    if (credits > kCreditsLimit - std::min(stream.credits, kCreditsLimit)) return "credits";
    stream.credits += credits;
    stream.news.notify();
    return {};
}

std::string_view ChannelState::handle_call(Frame frame, std::vector<Descriptor> descriptors) {
    if (frame.call <= last_served_) return "call number";
    last_served_ = frame.call;
    if (!service_) {
        answer(frame.call, base::fail(ErrorKind::not_found, "wire.no_service", "This side serves no calls."));
        return {};
    }
    if (served_.size() >= options_.calls_limit) {
        answer(frame.call, base::fail(ErrorKind::unavailable, "wire.busy", "Too many calls are under way."));
        return {};
    }
    auto stream = std::make_shared<Stream>(runtime_, Side::serving, frame.call);
    stream->deadline = Clock::now() + std::chrono::milliseconds(
                                          std::min<std::int64_t>(frame.remaining_ms, kRemainingLimitMs));
    stream->window = stream->window_size = kCallerCredits;
    stream->credits = frame.credits;
    served_.emplace(frame.call, stream);
    stream->timer.expires_at(stream->deadline);
    stream->timer.async_wait([self = weak_from_this(), stream](const boost::system::error_code& error) {
        if (error) return;
        if (const auto state = self.lock()) state->announce_stop(stream);
    });
    tasks_.spawn(serve(shared_from_this(), stream, std::move(frame.method),
                       Message{std::move(frame.text), std::move(descriptors)}));
    return {};
}

void ChannelState::answer(std::uint64_t number, const base::Result<void>& result) {
    if (!is_open()) return;
    if (result) {
        enqueue({.kind = FrameKind::end, .call = number});
    } else {
        enqueue({.kind = FrameKind::error, .call = number, .error = result.error()});
    }
}

// Writing.

void ChannelState::enqueue(Frame frame, std::vector<Descriptor> descriptors, Leaves leaves) {
    frame.descriptors = static_cast<std::uint8_t>(descriptors.size());
    queue_.push_back({encode(frame), std::move(descriptors)});
    queued_bytes_ += queue_.back().bytes.size();
    if (!writing_) {
        if (leaves == Leaves::with_next && queued_bytes_ < kTogetherLimitBytes) {
            plan_flush();
        } else {
            flush();
        }
    }
    if (queued_bytes_ > options_.write_queue_limit_bytes + kTextLimitBytes + kControlReserveBytes) {
        base::log_error("wire.peer_does_not_read", {{"queued_bytes", queued_bytes_}});
        fail_writing();
    }
}

void ChannelState::plan_flush() {
    if (std::exchange(flush_planned_, true)) return;
    asio::post(runtime_.executor(), [self = weak_from_this()] {
        const auto state = self.lock();
        if (state && state->flush_planned_ && state->is_open() && !state->writing_) state->flush();
    });
}

void ChannelState::flush() {
    flush_planned_ = false;
    std::size_t sent_bytes = 0;
    const auto outcome = send_some(socket_.native_handle(), queue_, sent_bytes);
    queued_bytes_ -= sent_bytes;
    if (sent_bytes > 0) writable_.notify();
    if (outcome == IoOutcome::would_block && !writing_) {
        writing_ = true;
        tasks_.spawn(write(shared_from_this()));
    }
    if (outcome == IoOutcome::peer_gone) fail_writing();
}

void ChannelState::fail_writing() {
    write_failed_ = true;
    queue_.clear();
    queued_bytes_ = 0;
    writable_.notify();
    drained_.notify();
    boost::system::error_code ignored;
    socket_.cancel(ignored);  // wakes the reader
}

runtime::Task<void> ChannelState::write(std::shared_ptr<ChannelState> self) {
    const auto task = co_await asio::this_coro::cancellation_state;
    while (self->is_open() && !self->queue_.empty() && !given_up(task)) {
        boost::system::error_code ignored;  // closed: seen above; else the send tells
        co_await self->socket_.async_wait(asio::socket_base::wait_write,
                                          asio::redirect_error(asio::use_awaitable, ignored));
        if (self->is_open()) self->flush();
    }
    self->writing_ = false;
}

}  // namespace wire
