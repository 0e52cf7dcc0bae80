#include "transport.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace net {

Transport::Transport(int descriptor, ssl_st* tls) : descriptor_(descriptor), tls_(tls) {}
Transport::~Transport() {
    SSL_free(tls_);
}

Transport::Outcome Transport::tls_outcome(int result) const {
    switch (SSL_get_error(tls_, result)) {
        case SSL_ERROR_WANT_READ:
            return {Next::wait_read};
        case SSL_ERROR_WANT_WRITE:
            return {Next::wait_write};
        case SSL_ERROR_ZERO_RETURN:
            return {Next::ended};
        default:
            return {Next::broken};
    }
}

Transport::Outcome Transport::handshake() {
    if (descriptor_ < 0) return {Next::broken};
    ERR_clear_error();
    const int result = SSL_accept(tls_);
    return result == 1 ? Outcome{Next::go_on} : tls_outcome(result);
}

Transport::Outcome Transport::read(std::span<char> into) {
    if (descriptor_ < 0) return {Next::broken};
    if (tls_) {
        ERR_clear_error();
        const int result =
            SSL_read(tls_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX)));
        return result > 0 ? Outcome{Next::go_on, static_cast<std::size_t>(result)} : tls_outcome(result);
    }
    for (;;) {
        const auto count = recv(descriptor_, into.data(), into.size(), 0);
        if (count > 0) return {Next::go_on, static_cast<std::size_t>(count)};
        if (count == 0) return {Next::ended};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? Next::wait_read : Next::broken};
    }
}

Transport::Outcome Transport::write(std::span<const iovec> pieces) {
    if (descriptor_ < 0) return {Next::broken};
    if (tls_) {
        for (const auto& piece : pieces) {
            if (piece.iov_len == 0) continue;
            ERR_clear_error();
            const int result = SSL_write(tls_, piece.iov_base,
                                         static_cast<int>(std::min<std::size_t>(piece.iov_len, INT_MAX)));
            return result > 0 ? Outcome{Next::go_on, static_cast<std::size_t>(result)} : tls_outcome(result);
        }
        return {Next::go_on};
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    for (;;) {
        const auto count = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
        if (count >= 0) return {Next::go_on, static_cast<std::size_t>(count)};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? Next::wait_write : Next::broken};
    }
}

bool Transport::holds_bytes() const {
    return descriptor_ >= 0 && tls_ && SSL_has_pending(tls_) == 1;
}

void Transport::finish_writing() {
    if (descriptor_ < 0) return;
    if (tls_) {
        ERR_clear_error();
        SSL_shutdown(tls_);
    }
    shutdown(descriptor_, SHUT_WR);
}

}  // namespace net
