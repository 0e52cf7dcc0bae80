#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include <base/random.h>

namespace base {

std::uint64_t Random::next_u64() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
    // Rejection sampling: the values below `threshold` would make the low results likelier.
    const std::uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        const std::uint64_t value = next_u64();
        if (value >= threshold) return value % bound;
    }
}

std::string Random::alphanumeric(std::size_t length) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string text(length, '\0');
    for (char& c : text) c = kAlphabet[below(kAlphabet.size())];
    return text;
}

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    randombytes_buf(bytes.data(), bytes.size());
}

void SeededRandom::fill(std::span<std::uint8_t> bytes) {
    // SplitMix64 (Steele, Lea, Flood, 2014): enough for reproducible tests, never for secrets.
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        z ^= z >> 31U;
        std::memcpy(bytes.data() + at, &z, std::min<std::size_t>(8, bytes.size() - at));
    }
}

}  // namespace base
