#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <base/result.h>

struct ssl_st;
struct ssl_ctx_st;

namespace net {

/// The certificate and key in force. TLS 1.2 and later, HTTP/1.1 alone.
class TlsContext {
  public:
    /// Errors: net.bad_certificate (invalid).
    static base::Result<std::unique_ptr<TlsContext>> load(std::string certificate_path, std::string key_path);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// Reads the files again where their times have changed; looks at most every two seconds. While a pair
    /// cannot be used (half written, perhaps) the old one stays in force, and it is tried again each minute.
    void reload_if_changed(std::chrono::steady_clock::time_point now);
    /// A session of a connection that was just accepted; null when memory is short.
    ssl_st* session(int descriptor) const;

  private:
    TlsContext(std::string certificate_path, std::string key_path);
    std::string stamp() const;

    std::string certificate_path_;
    std::string key_path_;
    ssl_ctx_st* context_ = nullptr;
    std::string stamp_;  // of the files that are in force or were refused
    std::chrono::steady_clock::time_point looked_at_{};
    std::chrono::steady_clock::time_point try_again_at_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace net
