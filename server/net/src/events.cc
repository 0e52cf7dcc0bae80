#include "events.h"

#include "connection.h"

#include <array>
#include <charconv>

namespace net {

namespace asio = boost::asio;

std::string format_event(std::string_view event, std::string_view data) {
    std::string text;
    text.reserve(event.size() + data.size() + 32);
    if (!event.empty()) {
        text += "event: ";
        for (const char c : event) text += c == '\r' || c == '\n' ? ' ' : c;
        text += '\n';
    }
    // Every kind of line break ends a line of the stream.
    for (;;) {
        const auto at = data.find_first_of("\r\n");
        text += "data: ";
        text += data.substr(0, at);
        text += '\n';
        if (at == std::string_view::npos) break;
        data.remove_prefix(data.substr(at).starts_with("\r\n") ? at + 2 : at + 1);
    }
    text += '\n';
    return text;
}

Events::Events(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {
    connection_.events_ = this;
    set_deadline();
}

Events::~Events() {
    *alive_ = false;
    connection_.events_ = nullptr;
    connection_.clear_deadline();
}

void Events::put(std::string_view text) {
    if (chunked_) {
        std::array<char, 20> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
        out_.append(size.data(), end);
        out_ += "\r\n";
    }
    out_ += text;
    if (chunked_) out_ += "\r\n";
}

void Events::flush() {
    while (!out_.empty() && !closed_ && !waiting_) {
        const iovec piece{out_.data(), out_.size()};
        const auto outcome = connection_.transport_.write({&piece, 1});
        if (outcome.next == Transport::Next::go_on) {
            out_.erase(0, outcome.bytes);
        } else if (outcome.next == Transport::Next::wait_write ||
                   outcome.next == Transport::Next::wait_read) {
            waiting_ = true;
            connection_.descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                                               [this, alive = alive_, keep = connection_.shared_from_this()](
                                                   const boost::system::error_code& error) {
                                                   if (!*alive) return;
                                                   waiting_ = false;
                                                   if (error) {
                                                       closed_ = true;
                                                   } else {
                                                       flush();
                                                       set_deadline();
                                                   }
                                               });
        } else {
            closed_ = true;
        }
    }
    if (out_.empty()) std::string().swap(out_);
}

void Events::set_deadline() {
    const auto& options = connection_.core_->options;
    connection_.set_deadline(out_.empty() ? options.event_heartbeat : options.write_timeout);
}

runtime::Task<bool> Events::send(std::string_view event, std::string_view data) {
    if (closed_) co_return false;
    if (out_.size() + data.size() > connection_.core_->options.event_buffer_limit_bytes) {
        closed_ = true;
        co_return false;
    }
    const bool was_empty = out_.empty();
    put(format_event(event, data));
    flush();
    if (was_empty) set_deadline();
    co_return !closed_;
}

void Events::on_deadline() {
    if (closed_) return;
    if (!out_.empty()) {  // the reader took nothing for too long
        closed_ = true;
        return;
    }
    put(":\n\n");
    flush();
    set_deadline();
}

runtime::Task<bool> Events::finish() {
    *alive_ = false;
    connection_.events_ = nullptr;
    if (closed_) co_return false;
    if (chunked_) out_ += "0\r\n\r\n";
    co_return co_await connection_.write(out_);
}

}  // namespace net
