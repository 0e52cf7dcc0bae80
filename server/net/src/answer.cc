// Writing an answer: its head, and its body in each of its forms.
#include "body.h"
#include "connection.h"
#include "events.h"
#include "gzip.h"
#include "negotiation.h"
#include "text.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include <base/http_date.h>
#include <base/log.h>

namespace net {
namespace {

constexpr std::size_t kGzipInlineLimitBytes =
    64 * 1024;  // more would hold the I/O thread up for over a millisecond
constexpr std::int64_t kSlowestBytesPerSecond = 16 * 1024;
constexpr std::size_t kTlsRecordBytes = 16 * 1024;
constexpr std::size_t kFilePieceBytes = 128 * 1024;

std::string_view reason_of(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Other";
    }
}

/// A line break in a value (a file's name, perhaps) must not begin a new header field.
void append_value(std::string& out, std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    append_value(out, value);
    out += "\r\n";
}

/// How long a body is and when a connection ends is net's to say.
bool is_own_field(std::string_view name) {
    return equal_without_case(name, "Content-Length") || equal_without_case(name, "Transfer-Encoding") ||
           equal_without_case(name, "Connection") || equal_without_case(name, "Date");
}

bool is_json(const Headers& headers) {
    const auto type = headers.get("Content-Type");
    return type && (type->starts_with("application/json") || type->contains("+json"));
}

bool is_not_modified(const Headers& headers, std::string_view if_none_match,
                     std::string_view if_modified_since) {
    const auto etag = headers.get("ETag");
    if (!if_none_match.empty()) return etag && etag_matches(if_none_match, *etag);
    const auto modified = headers.get("Last-Modified");
    if (if_modified_since.empty() || !modified) return false;
    const auto since = base::parse_http_date(if_modified_since);
    const auto at = base::parse_http_date(*modified);
    return since && at && *at <= *since;
}

/// If-Range: a part of another version would corrupt what the client holds.
bool is_same_version(const Headers& headers, std::string_view if_range) {
    if (if_range.empty()) return true;
    const auto etag = headers.get("ETag");
    if (if_range.starts_with('"')) return etag && *etag == if_range;
    const auto modified = headers.get("Last-Modified");
    return modified && *modified == if_range;
}

/// An answer that waits to be read, as long as it lives.
class Unsent {
  public:
    Unsent(ServerCore& core, std::int64_t user) : core_(core), user_(user) {}
    ~Unsent() {
        if (bytes_ > 0) core_.let_go(user_, bytes_);
    }
    Unsent(const Unsent&) = delete;
    Unsent& operator=(const Unsent&) = delete;
    bool hold(std::size_t bytes) {
        if (!core_.hold(user_, bytes)) return false;
        bytes_ = bytes;
        return true;
    }

  private:
    ServerCore& core_;
    std::int64_t user_;
    std::size_t bytes_ = 0;
};

}  // namespace

class ChunkWriter final : public BodyWriter {
  public:
    ChunkWriter(Connection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

    runtime::Task<bool> write(std::string_view piece) override {
        if (closed_ || connection_.peer_gone_) co_return false;
        if (piece.empty()) co_return true;
        std::string framed;
        if (chunked_) {
            std::array<char, 20> size{};
            framed.assign(size.data(),
                          std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr);
            framed += "\r\n";
            framed += piece;
            framed += "\r\n";
            piece = framed;
        }
        closed_ = !co_await connection_.write(piece);
        co_return !closed_;
    }
    runtime::Task<bool> finish() {
        if (closed_) co_return false;
        if (!chunked_) co_return true;
        co_return co_await connection_.write("0\r\n\r\n");
    }

  private:
    Connection& connection_;
    bool chunked_;
    bool closed_ = false;
};

runtime::Task<bool> Connection::send(Response response, Exchange& ex) {
    const bool is_reading = ex.method == Method::get || ex.method == Method::head;
    const bool over_time = response.events || response.writer;
    ByteRange part{0, response.file ? response.file->size_bytes : 0};

    if (is_reading && response.status == 200 && !over_time) {
        if (is_not_modified(response.headers, ex.if_none_match, ex.if_modified_since)) {
            response.status = 304;
            response.file.reset();
            response.body.clear();
        } else if (response.file) {
            response.headers.set("Accept-Ranges", "bytes");
            const auto size = response.file->size_bytes;
            // RFC 9110, 14.2: only GET has ranges.
            if (ex.method == Method::get && !ex.range.empty() &&
                is_same_version(response.headers, ex.if_range)) {
                const auto kind = parse_range(ex.range, size, part);
                if (kind == RangeKind::part) {
                    response.status = 206;
                    response.headers.set("Content-Range", "bytes " + std::to_string(part.from) + "-" +
                                                              std::to_string(part.from + part.bytes - 1) +
                                                              "/" + std::to_string(size));
                } else if (kind == RangeKind::unsatisfiable) {
                    response.status = 416;
                    response.headers.set("Content-Range", "bytes */" + std::to_string(size));
                    response.file.reset();
                }
            }
        }
    }
    const bool may_compress = !over_time && !response.file && is_json(response.headers) &&
                              response.body.size() > core_->options.gzip_threshold_bytes &&
                              !response.headers.get("Content-Encoding");
    if (may_compress) {
        response.headers.add("Vary", "Accept-Encoding");
        if (ex.accepts_gzip && ex.method != Method::head) {
            std::string packed;
            if (response.body.size() <= kGzipInlineLimitBytes) {
                packed = gzip(response.body);
            } else {
                // The pool being busy is no reason to fail: it goes out as it is.
                auto done = co_await core_->runtime.on_cpu([&body = response.body] { return gzip(body); });
                if (done) packed = std::move(*done);
            }
            if (!packed.empty()) {
                response.body = std::move(packed);
                response.headers.add("Content-Encoding", "gzip");
            }
        }
    }

    std::string head;
    head.reserve(384);
    head += "HTTP/1.1 ";
    head += std::to_string(response.status);
    head += ' ';
    head += reason_of(response.status);
    head += "\r\nDate: ";
    head += core_->date();
    head += "\r\n";
    for (const auto& [name, value] : response.headers.all()) {
        if (is_token(name) && !is_own_field(name)) append_field(head, name, value);
    }
    if (ex.surface && ex.surface->cors) {
        head +=
            "Access-Control-Allow-Origin: *\r\n"
            "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS\r\n"
            "Access-Control-Allow-Headers: X-Requested-With, Content-Type, Authorization\r\n";
    }
    if (over_time) {
        if (ex.is_1_0) {
            ex.keep_alive = false;  // the end of the connection is the end of the body
        } else {
            head += "Transfer-Encoding: chunked\r\n";
        }
    } else if (response.status != 204 && response.status != 304) {
        const auto length = response.file ? part.bytes : response.body.size();
        append_field(head, "Content-Length", std::to_string(length));
    }
    if (!ex.keep_alive) {
        head += "Connection: close\r\n";
    } else if (ex.is_1_0) {
        head += "Connection: keep-alive\r\n";
    }
    if (over_time) co_return co_await send_over_time(std::move(response), ex, std::move(head));

    head += "\r\n";
    if (ex.method == Method::head || response.status == 204 || response.status == 304)
        co_return co_await write(head);
    if (response.file) {
        if (!co_await write(head)) co_return false;
        co_return co_await send_file(response.file->descriptor, part.from, part.bytes);
    }
    if (transport_.is_tls() && response.body.size() <= kTlsRecordBytes) {  // one record, one packet
        head += response.body;
        co_return co_await write(head);
    }
    co_return co_await write(head, response.body);
}

runtime::Task<bool> Connection::send_over_time(Response response, Exchange& ex, std::string head) {
    const bool is_events = static_cast<bool>(response.events);
    if (is_events) {
        if (!response.headers.get("Content-Type")) head += "Content-Type: text/event-stream\r\n";
        if (!response.headers.get("Cache-Control")) head += "Cache-Control: no-store\r\n";
        head += "X-Accel-Buffering: no\r\n";
    }
    head += "\r\n";
    if (!co_await write(head)) co_return false;
    if (ex.method == Method::head) co_return true;
    const bool chunked = !ex.is_1_0;
    std::string fault;
    start_watching(ex.may_cancel);
    try {
        bool whole = false;
        if (is_events) {
            Events events(*this, chunked);
            co_await response.events(events);
            whole = co_await events.finish();
        } else {
            ChunkWriter writer(*this, chunked);
            co_await response.writer(writer);
            whole = co_await writer.finish();
        }
        stop_watching();
        co_return whole;
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted && (peer_gone_ || aborted_)) throw;
        fault = error.what();
    } catch (const std::exception& error) {
        fault = error.what();
    }
    // The head is out: a body that breaks off is all that is left to say.
    stop_watching();
    base::log_error("net.handler_fault",
                    {{"operation", ex.operation_id}, {"what", std::string_view(fault).substr(0, 200)}});
    co_return false;
}

runtime::Task<bool> Connection::send_file(int descriptor, std::uint64_t from, std::uint64_t bytes) {
    std::string piece;
    while (bytes > 0) {
        piece.resize(std::min<std::uint64_t>(bytes, kFilePieceBytes));
        const iovec into{piece.data(), piece.size()};
        const auto offset = static_cast<off_t>(from);
        // From the page cache at once; from the disk on the pool, since a slow disk would hold all clients
        // up.
        auto count = preadv2(descriptor, &into, 1, offset, RWF_NOWAIT);
        if (count <= 0) {
            const auto read = co_await core_->runtime.on_cpu([descriptor, into, offset] {
                return pread(descriptor, into.iov_base, into.iov_len, offset);
            });
            count = read ? *read : -1;
        }
        if (count <= 0) {
            base::log_warning("net.file_ended_early", {{"left_bytes", bytes}});
            co_return false;
        }
        const auto got = static_cast<std::size_t>(count);
        if (!co_await write(std::string_view(piece).substr(0, got))) co_return false;
        from += got;
        bytes -= got;
    }
    co_return true;
}

runtime::Task<bool> Connection::write(std::string_view first, std::string_view second) {
    const auto total = static_cast<std::int64_t>(first.size() + second.size());
    bool has_waited = false;
    Unsent unsent(*core_, user_number_);
    while (!first.empty() || !second.empty()) {
        if (is_over()) co_return false;
        const std::array pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
        const auto outcome = transport_.write(pieces);
        if (outcome.next == Transport::Next::go_on) {
            const auto of_first = std::min(outcome.bytes, first.size());
            first.remove_prefix(of_first);
            second.remove_prefix(outcome.bytes - of_first);
            turn_.use_bytes(outcome.bytes);
            co_await share_turn();
            continue;
        }
        if (outcome.next == Transport::Next::ended || outcome.next == Transport::Next::broken)
            co_return false;
        if (!has_waited) {
            has_waited = true;
            // The whole of it stays in memory until its last byte has gone.
            if (!unsent.hold(static_cast<std::size_t>(total))) co_return false;
            set_deadline(core_->options.write_timeout + std::chrono::seconds(total / kSlowestBytesPerSecond));
        }
        if (outcome.next == Transport::Next::wait_write) {
            co_await wait_writable();
        } else {
            co_await wait_readable();
        }
    }
    if (has_waited) clear_deadline();
    co_return true;
}

runtime::Task<void> Connection::linger() {
    constexpr std::size_t kLingerBytes = std::size_t{16} * 1024 * 1024;
    set_deadline(std::min(core_->options.body_idle_timeout, std::chrono::milliseconds(5'000)));
    for (std::size_t dropped = 0; dropped < kLingerBytes; dropped += in_.size()) {
        in_.clear();
        if (!co_await fill(core_->scratch.size())) break;
    }
    clear_deadline();
}

}  // namespace net
