#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace base {

/// Randomness from outside, so that simulations can be replayed by their seed.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;

    std::uint64_t next_u64();
    /// Uniform in [0, bound); `bound` > 0.
    std::uint64_t below(std::uint64_t bound);
    /// `length` characters of A–Z a–z 0–9: about 5.95 bits each. For tokens use at least 22.
    std::string alphanumeric(std::size_t length);
};

/// The kernel's generator, through libsodium. Thread-safe.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override;
};

/// Replays the same bytes for the same seed. Tests and simulations only.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> bytes) override;

  private:
    std::uint64_t state_;
};

}  // namespace base
