#include "tls.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <base/log.h>

namespace net {
namespace {

constexpr std::chrono::minutes kTryAgainAfter{1};

/// OpenSSL's own socket BIO writes with write(), which raises SIGPIPE when the peer has gone.
int descriptor_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    const auto count = send(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(count);
}

int bio_read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    const auto count = recv(descriptor_of(bio), data, static_cast<std::size_t>(size), 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
    return static_cast<int>(count);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

const BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lingxi socket");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        BIO_meth_set_create(made, bio_create);
        return made;
    }();
    return method;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
    static constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, kHttp11.data(), kHttp11.size(), offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

base::Result<SSL_CTX*> make_context(const std::string& certificate_path, const std::string& key_path) {
    ERR_clear_error();
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    const auto refuse = [&](std::string_view what) {
        std::array<char, 160> reason{};
        ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
        SSL_CTX_free(context);
        return base::fail(base::ErrorKind::invalid, "net.bad_certificate",
                          std::string(what) + ": " + reason.data());
    };
    if (!context) return refuse("No TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // An idle connection gives its 34 KiB of buffers back.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Otherwise one read goes on for as long as records without data (new keys, say) come in.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets do it without memory
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    // A key with a passphrase would otherwise ask at the terminal.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path.c_str()) != 1) {
        return refuse("The certificate " + certificate_path + " cannot be used");
    }
    if (SSL_CTX_use_PrivateKey_file(context, key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
        return refuse("The key " + key_path + " cannot be used");
    }
    if (SSL_CTX_check_private_key(context) != 1) return refuse("The key does not belong to the certificate");
    return context;
}

std::string stamp_of(const std::string& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return "none";
    // The second time moves with everything: with a mode that lets us read it, and where the first was kept.
    const auto text = [](const timespec& time) {
        return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
    };
    return text(status.st_mtim) + "/" + text(status.st_ctim) + "/" + std::to_string(status.st_ino);
}

}  // namespace

TlsContext::TlsContext(std::string certificate_path, std::string key_path)
    : certificate_path_(std::move(certificate_path)), key_path_(std::move(key_path)) {}

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

std::string TlsContext::stamp() const {
    return stamp_of(certificate_path_) + " " + stamp_of(key_path_);
}

base::Result<std::unique_ptr<TlsContext>> TlsContext::load(std::string certificate_path,
                                                           std::string key_path) {
    std::unique_ptr<TlsContext> tls(new TlsContext(std::move(certificate_path), std::move(key_path)));
    tls->stamp_ = tls->stamp();
    auto context = make_context(tls->certificate_path_, tls->key_path_);
    if (!context) return base::fail(std::move(context.error()));
    tls->context_ = *context;
    return tls;
}

void TlsContext::reload_if_changed(std::chrono::steady_clock::time_point now) {
    if (now - looked_at_ < std::chrono::seconds(2)) return;
    looked_at_ = now;
    auto now_stamp = stamp();
    const bool has_changed = now_stamp != stamp_;
    if (!has_changed && now < try_again_at_) return;
    stamp_ = std::move(now_stamp);
    auto context = make_context(certificate_path_, key_path_);
    if (!context) {
        // Perhaps not for what stands in them: descriptors or memory may be short just now.
        try_again_at_ = now + kTryAgainAfter;
        if (has_changed) base::log_warning("net.certificate_refused", {{"reason", context.error().message}});
        return;
    }
    try_again_at_ = std::chrono::steady_clock::time_point::max();
    SSL_CTX_free(std::exchange(context_, *context));
    base::log_info("net.certificate_reloaded");
}

ssl_st* TlsContext::session(int descriptor) const {
    SSL* session = SSL_new(context_);
    if (!session) return nullptr;
    BIO* bio = BIO_new(socket_method());
    if (!bio) {
        SSL_free(session);
        return nullptr;
    }
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
    SSL_set_bio(session, bio, bio);
    SSL_set_accept_state(session);
    return session;
}

}  // namespace net
