#include "body.h"

#include "connection.h"

namespace net {
namespace {

constexpr std::uint64_t kDrainLimitBytes = 64 * 1024;
constexpr std::int64_t kSlowestBytesPerSecond = 8 * 1024;
constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

Body::Body(Connection& connection, const RequestHead& head, bool expects_continue, std::uint64_t limit_bytes)
    : connection_(connection),
      decoder_(head.content_length, head.chunked, limit_bytes),
      length_(head.content_length),
      limit_bytes_(limit_bytes),
      must_invite_(expects_continue) {}

runtime::Task<base::Result<void>> Body::more(std::string& out) {
    if (failed_)
        co_return base::fail(base::ErrorKind::cancelled, "net.connection_lost", "The body broke off.");
    if (must_invite_) {
        must_invite_ = false;
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        // Nothing else is on its way to this client: a socket that cannot take 25 bytes is dead.
        const iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
        if (connection_.in_.empty() && connection_.transport_.write({&piece, 1}).bytes != kContinue.size()) {
            failed_ = true;
            co_return base::fail(base::ErrorKind::cancelled, "net.connection_lost", "The client has gone.");
        }
    }
    const auto had = out.size();
    while (!decoder_.done()) {
        auto& in = connection_.in_;
        if (!in.empty()) {
            auto used = decoder_.take(in, out);
            if (!used) {
                failed_ = true;
                co_return base::fail(std::move(used.error()));
            }
            in.erase(0, *used);
            if (out.size() > had || decoder_.done()) break;
        }
        if (!co_await connection_.fill(kPieceBytes)) {
            failed_ = true;
            if (connection_.timed_out_) {
                co_return base::fail(base::ErrorKind::timeout, "net.body_timeout", "The body took too long.");
            }
            co_return base::fail(base::ErrorKind::cancelled, "net.connection_lost", "The client has gone.");
        }
    }
    co_return base::Result<void>{};
}

runtime::Task<base::Result<std::string>> Body::whole() {
    std::string body;
    // Trusted only so far: memory is taken as bytes arrive.
    if (length_) body.reserve(std::min<std::uint64_t>(*length_, kPieceBytes));
    connection_.set_deadline(connection_.core_->options.body_timeout);
    while (!decoder_.done()) {
        auto more_came = co_await more(body);
        if (!more_came) co_return base::fail(std::move(more_came.error()));
    }
    connection_.clear_deadline();
    co_return body;
}

runtime::Task<base::Result<std::span<const std::uint8_t>>> Body::next() {
    piece_.clear();
    if (decoder_.done()) {
        std::string().swap(piece_);
        co_return std::span<const std::uint8_t>{};
    }
    const auto& options = connection_.core_->options;
    const auto now = connection_.core_->clock.steady_now();
    if (last_moment_ == std::chrono::steady_clock::time_point{}) {
        const auto bytes = std::min<std::uint64_t>(length_.value_or(limit_bytes_), std::uint64_t{1} << 40U);
        last_moment_ = now + options.body_timeout +
                       std::chrono::seconds(static_cast<std::int64_t>(bytes) / kSlowestBytesPerSecond);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last_moment_ - now);
    connection_.set_deadline(std::clamp(left, std::chrono::milliseconds(0), options.body_idle_timeout));
    auto came = co_await more(piece_);
    connection_.clear_deadline();
    if (!came) co_return base::fail(std::move(came.error()));
    co_return std::span(reinterpret_cast<const std::uint8_t*>(piece_.data()), piece_.size());
}

runtime::Task<bool> Body::drain() {
    if (decoder_.done()) co_return true;
    // A client that waits for an invitation may or may not send its body now: only closing is clear.
    if (failed_ || must_invite_ || length_.value_or(kDrainLimitBytes + 1) > kDrainLimitBytes) co_return false;
    connection_.set_deadline(connection_.core_->options.body_idle_timeout);
    std::string dropped;
    while (!decoder_.done()) {
        dropped.clear();
        if (!co_await more(dropped)) co_return false;
    }
    connection_.clear_deadline();
    co_return true;
}

}  // namespace net
