#include "connection.h"

#include <sys/socket.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <iostream>

#include <boost/asio/ip/address.hpp>

namespace bench {
namespace {

constexpr std::size_t kScratchBytes = 256 * 1024;
constexpr std::size_t kAnswerLimitBytes = 256 * 1024 * 1024;

std::array<char, kScratchBytes>& scratch() {
    static std::array<char, kScratchBytes> bytes;  // one thread
    return bytes;
}

std::string_view header_value(std::string_view head, std::string_view lower_name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
        at += 2;
        const auto line = head.substr(at, head.find("\r\n", at) - at);
        if (line.size() <= lower_name.size() || line[lower_name.size()] != ':') continue;
        bool same = true;
        for (std::size_t i = 0; i < lower_name.size() && same; ++i)
            same = std::tolower(static_cast<unsigned char>(line[i])) == lower_name[i];
        if (!same) continue;
        auto value = line.substr(lower_name.size() + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        return value;
    }
    return {};
}

/// The body of a chunked answer and how many bytes it took; nothing while it is not whole.
bool read_chunks(std::string_view in, std::string& body, std::size_t& taken) {
    std::size_t at = 0;
    body.clear();
    for (;;) {
        const auto line_end = in.find("\r\n", at);
        if (line_end == std::string_view::npos) return false;
        std::size_t size = 0;
        std::from_chars(in.data() + at, in.data() + line_end, size, 16);
        at = line_end + 2;
        if (in.size() < at + size + 2) return false;
        body.append(in.substr(at, size));
        at += size + 2;
        if (size == 0) break;
    }
    taken = at;
    return true;
}

}  // namespace

bool Connection::open() {
    boost::system::error_code error;
    socket_.close(error);
    socket_.open(endpoint_.protocol(), error);
    if (error) return false;
    socket_.connect(endpoint_, error);
    if (error) return false;
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
    socket_.non_blocking(true, error);
    in_.clear();
    out_.clear();
    is_open_ = true;
    is_waiting_to_write_ = false;
    wait_readable();
    return true;
}

void Connection::close() {
    is_open_ = false;
    boost::system::error_code ignored;  // it is gone either way
    socket_.close(ignored);
}

void Connection::ask(std::string_view request, Done done) {
    waiting_.push_back(std::move(done));
    if (!is_open_) {
        break_off();
        return;
    }
    out_.append(request);
    if (!is_waiting_to_write_ && !flush()) break_off();
}

bool Connection::flush() {
    while (!out_.empty()) {
        const auto sent = ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            out_.erase(0, static_cast<std::size_t>(sent));
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            wait_writable();
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void Connection::wait_writable() {
    is_waiting_to_write_ = true;
    socket_.async_wait(asio::ip::tcp::socket::wait_write,
                       [self = shared_from_this()](boost::system::error_code error) {
                           self->is_waiting_to_write_ = false;
                           if (!error && !self->flush()) self->break_off();
                       });
}

void Connection::wait_readable() {
    socket_.async_wait(asio::ip::tcp::socket::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                           if (!error && self->is_open_) self->on_readable();
                       });
}

void Connection::on_readable() {
    for (;;) {
        const auto got = ::recv(socket_.native_handle(), scratch().data(), scratch().size(), 0);
        if (got > 0) {
            in_.append(scratch().data(), static_cast<std::size_t>(got));
            if (static_cast<std::size_t>(got) == scratch().size() && in_.size() < kAnswerLimitBytes) continue;
        } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            break_off();
            return;
        }
        break;
    }
    while (is_open_ && take_answer()) {
    }
    if (in_.empty()) std::string().swap(in_);
    if (is_open_) wait_readable();
}

bool Connection::take_answer() {
    const std::string_view in(in_);
    const auto head_end = in.find("\r\n\r\n");
    if (head_end == std::string_view::npos || in.size() < 12) return false;
    const auto head = in.substr(0, head_end);
    Answer answer;
    std::from_chars(in.data() + 9, in.data() + 12, answer.status);
    std::string chunks;
    std::size_t taken = 0;
    if (const auto length = header_value(head, "content-length"); !length.empty()) {
        std::size_t size = 0;
        std::from_chars(length.data(), length.data() + length.size(), size);
        if (in.size() < head_end + 4 + size) return false;
        answer.body = in.substr(head_end + 4, size);
        taken = head_end + 4 + size;
    } else if (header_value(head, "transfer-encoding") == "chunked") {
        if (!read_chunks(in.substr(head_end + 4), chunks, taken)) return false;
        answer.body = chunks;
        taken += head_end + 4;
    } else {
        taken = head_end + 4;
    }
    if (waiting_.empty()) {
        break_off();
        return false;
    }
    auto done = std::move(waiting_.front());
    waiting_.pop_front();
    std::string held;
    held.swap(in_);  // the handler may ask again, and lose the connection
    done(answer);
    if (!is_open_) return false;
    held.erase(0, taken);
    in_ = std::move(held);
    return !in_.empty();
}

void Connection::break_off() {
    close();
    auto lost = std::exchange(waiting_, {});
    for (auto& done : lost) done(Answer{});
}

Endpoint loopback_endpoint(std::string_view address) {
    if (const auto scheme = address.find("//"); scheme != std::string_view::npos)
        address.remove_prefix(scheme + 2);
    address = address.substr(0, address.find('/'));
    const auto colon = address.rfind(':');
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(std::string(address.substr(0, colon)), error);
    if (error || !ip.is_loopback() || colon == std::string_view::npos) {
        std::cerr << "this generator loads loopback addresses alone: " << address << "\n";
        std::exit(2);
    }
    unsigned port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    return {ip, static_cast<std::uint16_t>(port)};
}

std::string request_text(std::string_view method, std::string_view target, std::string_view token,
                         std::string_view body) {
    std::string text;
    text.reserve(200 + target.size() + body.size());
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: bench\r\n");
    if (!token.empty()) text.append("Authorization: Bearer ").append(token).append("\r\n");
    if (!body.empty() || method != "GET") {
        text.append("Content-Type: application/json\r\nContent-Length: ");
        text.append(std::to_string(body.size())).append("\r\n");
    }
    text.append("\r\n").append(body);
    return text;
}

std::string json_text(std::string_view json, std::string_view name) {
    const std::string key = "\"" + std::string(name) + "\":\"";
    const auto at = json.find(key);
    if (at == std::string_view::npos) return {};
    const auto from = at + key.size();
    return std::string(json.substr(from, json.find('"', from) - from));
}

}  // namespace bench
