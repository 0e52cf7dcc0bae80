#include <sodium.h>

#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

#include <base/crypto.h>

namespace base {
namespace {

/// OpenSSL's, since it uses the processor's own instructions where there are some; libsodium's never does.
/// Every event is hashed twice, every upload once. Looked up once: that takes longer than most hashes.
const EVP_MD* sha256_method() {
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (method == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
    return method;
}

/// The calls below fail only where there is no memory.
void require(int succeeded) {
    if (succeeded != 1) throw std::bad_alloc();
}

}  // namespace

void initialise_crypto() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start: the kernel gives no randomness");
    sha256_method();
}

Sha256 sha256(std::span<const std::uint8_t> bytes) {
    thread_local Sha256Stream stream;
    stream.update(bytes);
    return stream.finish();
}

Sha256 sha256(std::string_view text) {
    return sha256(as_bytes(text));
}

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
    require(context_ == nullptr ? 0 : EVP_DigestInit_ex2(context_.get(), sha256_method(), nullptr));
}

void Sha256Stream::update(std::span<const std::uint8_t> bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Sha256 Sha256Stream::finish() {
    Sha256 digest{};
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    require(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr));
    return digest;
}

Sha256 hmac_sha256(std::span<const std::uint8_t> key, std::string_view text) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, as_bytes(text).data(), text.size());
    Sha256 digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    return digest;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

SigningKey SigningKey::generate(Random& random) {
    std::array<std::uint8_t, 32> seed{};
    random.fill(seed);
    return from_seed(seed);
}

SigningKey SigningKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
    SigningKey key;
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
    key.seed_ = seed;
    crypto_sign_seed_keypair(key.public_key_.data(), secret.data(), seed.data());
    sodium_memzero(secret.data(), secret.size());
    return key;
}

std::array<std::uint8_t, 64> SigningKey::sign(std::string_view message) const {
    // libsodium's secret key is the seed followed by the public key.
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
    std::memcpy(secret.data(), seed_.data(), seed_.size());
    std::memcpy(secret.data() + seed_.size(), public_key_.data(), public_key_.size());
    std::array<std::uint8_t, 64> signature{};
    crypto_sign_detached(signature.data(), nullptr, as_bytes(message).data(), message.size(), secret.data());
    sodium_memzero(secret.data(), secret.size());
    return signature;
}

bool verify_ed25519(const std::array<std::uint8_t, 32>& public_key, std::string_view message,
                    std::span<const std::uint8_t> signature) {
    return signature.size() == 64 && crypto_sign_verify_detached(signature.data(), as_bytes(message).data(),
                                                                 message.size(), public_key.data()) == 0;
}

std::string hash_password(std::string_view password, PasswordCost cost) {
    std::array<char, crypto_pwhash_STRBYTES> phc{};
    if (crypto_pwhash_str_alg(phc.data(), password.data(), password.size(), cost.operations,
                              cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw std::runtime_error("no memory to hash a password");
    }
    return phc.data();
}

bool verify_password(std::string_view phc, std::string_view password) {
    const std::string terminated(phc);
    return crypto_pwhash_str_verify(terminated.c_str(), password.data(), password.size()) == 0;
}

}  // namespace base
