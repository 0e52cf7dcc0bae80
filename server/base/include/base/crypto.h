#pragma once

#include <array>
#include <memory>

#include <base/encoding.h>
#include <base/random.h>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace base {

/// Starts libsodium and finds OpenSSL's SHA-256; called once by every executable and test before anything
/// else of this header.
void initialise_crypto();

using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(std::span<const std::uint8_t> bytes);
Sha256 sha256(std::string_view text);

/// Incremental SHA-256, for uploads that are never whole in memory.
class Sha256Stream {
  public:
    Sha256Stream();
    void update(std::span<const std::uint8_t> bytes);
    /// The next update begins another one.
    Sha256 finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::string_view text);
bool constant_time_equal(std::string_view a, std::string_view b);

/// An Ed25519 signing key (RFC 8032), kept as its 32-byte seed.
class SigningKey {
  public:
    static SigningKey generate(Random& random);
    static SigningKey from_seed(const std::array<std::uint8_t, 32>& seed);
    const std::array<std::uint8_t, 32>& seed() const { return seed_; }
    const std::array<std::uint8_t, 32>& public_key() const { return public_key_; }
    std::array<std::uint8_t, 64> sign(std::string_view message) const;

  private:
    std::array<std::uint8_t, 32> seed_{};
    std::array<std::uint8_t, 32> public_key_{};
};

bool verify_ed25519(const std::array<std::uint8_t, 32>& public_key, std::string_view message,
                    std::span<const std::uint8_t> signature);

/// Argon2id in PHC form. Takes tens of milliseconds and `memory_bytes` of memory: run it on the CPU pool.
struct PasswordCost {
    unsigned long long operations = 2;
    std::size_t memory_bytes = std::size_t{19} * 1024 * 1024;  // OWASP's second profile
};
std::string hash_password(std::string_view password, PasswordCost cost = {});
bool verify_password(std::string_view phc, std::string_view password);

}  // namespace base
