#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assistant {

/// A text as names are compared: without case, width and composition (Unicode's NFKC_Casefold), with the way
/// back to the text as it was written. What stands together in Unicode ("e" and the accent after it) is one
/// piece.
class Folded {
  public:
    explicit Folded(std::string_view written);

    const std::string& text() const { return text_; }
    /// Where in the written text the piece begins that begins at this byte of text(), or that would follow
    /// its end; nothing within a piece.
    std::optional<std::size_t> written_at(std::size_t at) const {
        const auto origin = origins_[at];
        if (origin == kWithin) return std::nullopt;
        return origin;
    }

  private:
    static constexpr std::uint32_t kWithin = std::numeric_limits<std::uint32_t>::max();

    std::string text_;
    std::vector<std::uint32_t> origins_;  ///< of each byte of text_, and of its end
};

/// The text alone.
std::string folded(std::string_view written);
/// The same form, with its case as it is.
std::string composed(std::string_view written);

/// The character that begins at `at`; U+FFFD where none does.
char32_t character_at(std::string_view text, std::size_t at);
/// The one that ends there; nothing at the beginning.
std::optional<char32_t> character_before(std::string_view text, std::size_t at);

}  // namespace assistant
