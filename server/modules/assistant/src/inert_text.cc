#include "inert_text.h"

#include <unicode/utf8.h>

namespace assistant {
namespace {

bool is_space(UChar32 c) {
    return c == ' ' || c == '\n' || c == '\t' || c == 0x3000 || c == 0xA0;
}

bool is_harmful(UChar32 c) {
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F)  // controls
           || c == 0x061C || c == 0x200E || c == 0x200F                      // marks of direction
           || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)  // embeddings, overrides, isolates
           || c == 0x2028 || c == 0x2029  // separators of lines and paragraphs
           || (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || c == 0x00AD ||
           c == 0x200B || c == 0x2060 || (c >= 0xE0000 && c <= 0xE007F)  // invisible, and tags
           || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;    // no characters
}

}  // namespace

std::string InertText::feed(std::string_view piece) {
    std::string shown;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(piece.data());
    const auto size = static_cast<std::int32_t>(piece.size());
    for (std::int32_t at = 0; at < size && !full_;) {
        const std::int32_t begin = at;
        UChar32 c = 0;
        U8_NEXT(bytes, at, size, c);  // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
        if (c < 0 || is_harmful(c)) continue;
        const auto character =
            piece.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
        if (is_space(c)) {
            if (!text_.empty() || !shown.empty()) space_ += character;
            if (space_.size() > limit_bytes_) full_ = true;
            continue;
        }
        if (text_.size() + shown.size() + space_.size() + character.size() > limit_bytes_) {
            full_ = true;
            break;
        }
        shown += space_;
        space_.clear();
        shown += character;
    }
    text_ += shown;
    return shown;
}

std::string inert_line(std::string_view text, std::size_t limit_bytes) {
    InertText inert(text.size());
    inert.feed(text);
    std::string line;
    for (const char c : inert.text()) {
        const bool is_white = c == '\n' || c == '\t' || c == ' ';
        if (is_white && line.ends_with(' ')) continue;
        line += is_white ? ' ' : c;
    }
    if (line.size() > limit_bytes) {
        InertText cut(limit_bytes);
        cut.feed(line);
        return cut.text();
    }
    return line;
}

}  // namespace assistant
