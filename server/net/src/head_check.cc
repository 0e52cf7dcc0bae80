#include "head_check.h"

#include "text.h"

#include <charconv>

namespace net {
namespace {

constexpr std::size_t kFieldLimit = 100;

std::unexpected<base::Error> bad(std::string_view code, std::string message) {
    return base::fail(base::ErrorKind::invalid, code, std::move(message));
}
std::unexpected<base::Error> bad_head(std::string message) {
    return bad("net.bad_head", std::move(message));
}

/// Takes a line off the front of `rest`, without its CRLF.
std::string_view take_line(std::string_view& rest) {
    const auto at = rest.find("\r\n");
    const auto line = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 2);
    return line;
}

base::Result<bool> check_request_line(std::string_view line) {
    const auto method = take_until(line, ' ');
    const auto target = take_until(line, ' ');
    if (!is_token(method) || method.size() > 32) return bad_head("The request's method is malformed.");
    if (target.empty()) return bad_head("The request line has no target.");
    for (const char c : target) {
        if (c <= ' ' || c == 0x7f)
            return bad_head("The request target holds characters that must be encoded.");
    }
    if (line == "HTTP/1.1") return true;
    if (line == "HTTP/1.0") return false;
    const auto is_digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
    if (line.size() == 8 && line.starts_with("HTTP/") && is_digit(5) && line[6] == '.' && is_digit(7)) {
        return bad("net.bad_version", "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    }
    return bad_head("The request line is malformed.");
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view buffer) {
    while (at_ < buffer.size()) {
        const auto c = static_cast<unsigned char>(buffer[at_]);
        if (c >= 0x20 && c != 0x7f) {
            ++at_;
            continue;
        }
        if (c == '\t') {
            ++at_;
            continue;
        }
        if (c != '\r') return State::bad;
        if (at_ + 1 == buffer.size()) return State::need_more;
        if (buffer[at_ + 1] != '\n') return State::bad;
        const bool empty_line = at_ == line_start_;
        at_ += 2;
        line_start_ = at_;
        if (empty_line) return State::complete;
    }
    return State::need_more;
}

base::Result<Framing> check_head(std::string_view head) {
    const auto is_1_1 = check_request_line(take_line(head));
    if (!is_1_1) return base::fail(is_1_1.error());

    Framing framing;
    std::size_t fields = 0;
    std::size_t hosts = 0;
    for (;;) {
        auto line = take_line(head);
        if (line.empty()) break;
        if (++fields > kFieldLimit) return bad_head("The request has too many header fields.");
        if (line.front() == ' ' || line.front() == '\t') return bad_head("A header field is folded.");
        if (!line.contains(':')) return bad_head("A header field has no colon.");
        const auto name = take_until(line, ':');
        if (!is_token(name)) return bad_head("A header field's name is malformed.");
        const auto value = trim(line);

        if (equal_without_case(name, "Host")) {
            if (++hosts > 1) return bad_head("The request has two Host fields.");
        } else if (equal_without_case(name, "Content-Length")) {
            if (framing.content_length) return bad_head("The request has two lengths.");
            std::uint64_t length = 0;
            const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
            // Nineteen digits cannot overflow a sum with what is in a buffer.
            if (value.empty() || value.size() > 18 || error != std::errc{} ||
                end != value.data() + value.size()) {
                return bad_head("The Content-Length is not a number.");
            }
            framing.content_length = length;
        } else if (equal_without_case(name, "Transfer-Encoding")) {
            if (framing.chunked) return bad_head("The request has two transfer encodings.");
            if (!equal_without_case(value, "chunked")) {
                return bad("net.bad_transfer_encoding",
                           "Only the transfer encoding 'chunked' is understood.");
            }
            framing.chunked = true;
        }
    }
    if (*is_1_1 && hosts == 0) return bad_head("The request has no Host field.");
    if (framing.chunked && framing.content_length) return bad_head("The request has two lengths.");
    if (framing.chunked && !*is_1_1) return bad_head("HTTP/1.0 has no chunked bodies.");
    return framing;
}

}  // namespace net
