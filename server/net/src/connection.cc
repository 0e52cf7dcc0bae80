#include "connection.h"

#include "body.h"
#include "events.h"
#include "head_check.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <base/log.h>

namespace net {

namespace asio = boost::asio;

Connection::Connection(std::shared_ptr<ServerCore> core, asio::posix::stream_descriptor descriptor,
                       IpAddress peer)
    : core_(std::move(core)),
      descriptor_(std::move(descriptor)),
      transport_(descriptor_.native_handle(),
                 core_->tls ? core_->tls->session(descriptor_.native_handle()) : nullptr),
      peer_(peer) {
    core_->enter(*this);
}

Connection::~Connection() {
    if (!finished) core_->leave(*this);  // cancelled before its task began
}

runtime::Task<void> Connection::run(std::shared_ptr<Connection> self) {
    struct Leaving {
        Connection& connection;
        ~Leaving() {
            connection.finished = true;
            connection.cancel_signal = nullptr;
            connection.clear_deadline();
            connection.core_->leave(connection);
            connection.close_socket();
        }
    } leaving{*self};
    try {
        // Short of memory for a session, a TLS port does not answer in plain text.
        if (self->core_->tls && !self->transport_.is_tls()) co_return;
        if (self->transport_.is_tls() && !co_await self->handshake()) co_return;
        bool is_first = true;
        while (co_await self->wait_for_request(is_first)) {
            if (!co_await self->exchange()) break;
            is_first = false;
        }
    } catch (const boost::system::system_error& error) {
        // The client went away under a handler, or the server stops: nobody is left to answer.
        if (error.code() != asio::error::operation_aborted) throw;
    }
}

void Connection::set_deadline(std::chrono::milliseconds from_now) {
    core_->wheel.set(*this, core_->clock.steady_now() + from_now);
}

void Connection::on_deadline() {
    if (events_) {
        events_->on_deadline();
        return;
    }
    timed_out_ = true;
    wake_reader();
    boost::system::error_code ignored;  // nothing to cancel is fine
    descriptor_.cancel(ignored);
}

void Connection::close_socket() {
    transport_.abandon();
    boost::system::error_code ignored;  // the descriptor is gone either way
    descriptor_.close(ignored);
}

void Connection::close_if_idle() {
    if (idle_) abort();
}

void Connection::abort() {
    if (aborted_ || finished) return;
    aborted_ = true;
    if (events_) events_->on_peer_gone();
    wake_reader();
    // At once: a handler that cannot be cancelled (it writes) may take its time, and the client must not.
    close_socket();
    // A handler that waits for something else, or a body that nobody reads.
    if (!idle_ && cancel_signal) {
        asio::post(core_->runtime.executor(), [self = shared_from_this()] {
            if (self->cancel_signal) self->cancel_signal->emit(asio::cancellation_type::all);
        });
    }
}

// ---- Readiness

void Connection::arm_read() {
    if (read_armed_) return;
    read_armed_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                               self->on_readable(error == asio::error::operation_aborted);
                           });
}

void Connection::on_readable(bool is_cancelled) {
    read_armed_ = false;
    if (finished) return;
    if (reader_) {
        auto reader = std::exchange(reader_, nullptr);
        reader();
    } else if (is_cancelled) {
        if (watching_ && !aborted_) arm_read();
    } else if (watching_ && !aborted_) {
        watch();
    } else {
        readable_ = true;
    }
}

void Connection::wake_reader() {
    if (!reader_) return;
    asio::post(core_->runtime.executor(), std::exchange(reader_, nullptr));
}

runtime::Task<void> Connection::wait_readable() {
    if (is_over()) co_return;
    if (std::exchange(readable_, false)) co_return;
    turn_.renew();
    arm_read();
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [this](auto handler) { reader_ = std::move(handler); }, asio::use_awaitable);
}

runtime::Task<void> Connection::wait_writable() {
    if (is_over()) co_return;
    turn_.renew();
    boost::system::error_code ignored;  // the next write finds out
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                                    asio::redirect_error(asio::use_awaitable, ignored));
}

runtime::Task<void> Connection::share_turn() {
    if (!turn_.is_used_up()) co_return;
    turn_.renew();
    co_await asio::post(core_->runtime.executor(), asio::use_awaitable);
}

// ---- Reading

runtime::Task<bool> Connection::handshake() {
    set_deadline(core_->options.header_timeout);
    while (!is_over()) {
        const auto outcome = transport_.handshake();
        switch (outcome.next) {
            case Transport::Next::go_on:
                clear_deadline();
                co_return true;
            case Transport::Next::wait_read:
                co_await wait_readable();
                break;
            case Transport::Next::wait_write:
                co_await wait_writable();
                break;
            default:
                co_return false;
        }
    }
    co_return false;
}

/// Waits, without a buffer, until something came. False when the connection is to end.
runtime::Task<bool> Connection::wait_for_request(bool is_first) {
    if (is_over() || core_->stopping) co_return false;
    if (!in_.empty() || transport_.holds_bytes()) {
        idle_ = false;
        turn_.use_request();
        co_await share_turn();
        co_return !is_over();
    }
    std::string().swap(in_);
    idle_ = true;
    set_deadline(is_first ? core_->options.header_timeout : core_->options.keep_alive_timeout);
    co_await wait_readable();
    idle_ = false;
    clear_deadline();
    co_return !is_over() && !peer_gone_;
}

/// Appends what has come to in_, at most to `limit_bytes` in all; waits where nothing has. False when nothing
/// will come.
runtime::Task<bool> Connection::fill(std::size_t limit_bytes) {
    while (!is_over() && !peer_gone_ && in_.size() < limit_bytes) {
        auto& scratch = core_->scratch;
        const auto outcome =
            transport_.read({scratch.data(), std::min(scratch.size(), limit_bytes - in_.size())});
        switch (outcome.next) {
            case Transport::Next::go_on:
                in_.append(scratch.data(), outcome.bytes);
                turn_.use_bytes(outcome.bytes);
                co_await share_turn();
                co_return true;
            case Transport::Next::wait_read:
                co_await wait_readable();
                break;
            case Transport::Next::wait_write:
                co_await wait_writable();
                break;
            default:
                peer_gone_ = true;
                co_return false;
        }
    }
    co_return false;
}

/// Errors beyond the parser's: net.head_too_large (too_large), net.head_timeout (timeout),
/// net.connection_lost (cancelled).
runtime::Task<base::Result<RequestHead>> Connection::read_head() {
    const auto limit = core_->options.header_limit_bytes;
    HeadScanner scanner;
    set_deadline(core_->options.header_timeout);
    for (;;) {
        // RFC 9112, 2.2: some clients end a body with an empty line that belongs to nothing.
        if (scanner.size() == 0 && in_.starts_with("\r\n")) in_.erase(0, 2);
        const auto state = in_.empty() ? HeadScanner::State::need_more : scanner.scan(in_);
        if (state == HeadScanner::State::complete && scanner.size() <= limit) break;
        if (state == HeadScanner::State::bad) {
            co_return base::fail(base::ErrorKind::invalid, "net.bad_head",
                                 "The request's head is malformed.");
        }
        if (in_.size() >= limit) {
            co_return base::fail(base::ErrorKind::too_large, "net.head_too_large",
                                 "The request's head is too large.");
        }
        if (!co_await fill(limit)) {
            if (timed_out_ && !in_.empty()) {
                co_return base::fail(base::ErrorKind::timeout, "net.head_timeout",
                                     "The request's head took too long.");
            }
            co_return base::fail(base::ErrorKind::cancelled, "net.connection_lost", "The client has gone.");
        }
    }
    clear_deadline();
    auto head = parse_request_head(std::string_view(in_).substr(0, scanner.size()));
    if (head) in_.erase(0, scanner.size());  // a refused one still tells whose path it asked for
    co_return head;
}

// ---- Watching while a handler runs

void Connection::start_watching(bool may_cancel) {
    watching_ = true;
    may_cancel_ = may_cancel;
    if (in_.empty()) std::string().swap(in_);
    if (std::exchange(readable_, false)) {
        watch();
    } else {
        arm_read();
    }
}

void Connection::watch() {
    const auto limit = core_->options.header_limit_bytes;
    while (in_.size() < limit) {
        auto& scratch = core_->scratch;
        const auto outcome = transport_.read({scratch.data(), std::min(scratch.size(), limit - in_.size())});
        if (outcome.next == Transport::Next::go_on) {
            in_.append(scratch.data(), outcome.bytes);
        } else if (outcome.next == Transport::Next::wait_read ||
                   outcome.next == Transport::Next::wait_write) {
            arm_read();
            return;
        } else {
            on_peer_gone();
            return;
        }
    }
    // Whoever sends that much ahead is not watched further: it is read when its turn comes.
}

void Connection::on_peer_gone() {
    peer_gone_ = true;
    if (events_) events_->on_peer_gone();
    if (!may_cancel_ || !cancel_signal) return;
    asio::post(core_->runtime.executor(), [self = shared_from_this()] {
        if (self->watching_ && self->cancel_signal) self->cancel_signal->emit(asio::cancellation_type::all);
    });
}

}  // namespace net
