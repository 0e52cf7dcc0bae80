#include "quotes.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace assistant {
namespace {

/// The first character, and `text` without it; nothing at the end. Broken bytes count as one character each.
std::optional<UChar32> take_character(std::string_view& text) {
    if (text.empty()) return std::nullopt;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    std::int32_t at = 0;
    UChar32 c = 0;
    const auto size = static_cast<std::int32_t>(text.size());
    U8_NEXT(bytes, at, size, c);  // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
    text.remove_prefix(static_cast<std::size_t>(at));
    return c;
}

/// White space of any width, and what is not seen at all.
bool is_blank(UChar32 c) {
    return u_isUWhiteSpace(c) != 0 || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 ||
           u_iscntrl(c) != 0;
}

bool ends_line(UChar32 c) {
    return c == '\n' || c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

/// What follows a ">" in a face: no word at all (">_<", ">.>"), or one letter in a face's place (">:D",
/// ">o<").
bool is_face(std::string_view rest) {
    const auto words = std::ranges::count_if(rest, is_word);
    if (rest.empty() || rest.front() == ' ') return false;
    if (words == 0) return true;
    const bool has_eyes = rest.front() == ':' || rest.front() == ';';
    return words == 1 && rest.size() <= 3 && (has_eyes || rest.back() == '<');
}

bool is_quote(std::string_view line) {
    auto rest = line;
    auto c = take_character(rest);
    while (c && is_blank(*c)) c = take_character(rest);
    const bool is_marked = c == '>' || c == 0xFF1E;  // full width
    if (!is_marked) return false;
    while (!rest.empty()) {
        auto shorter = rest;
        if (!is_blank(*take_character(shorter))) break;
        if (rest.front() == ' ' || rest.front() == '\t') return true;
        rest = shorter;
    }
    while (rest.ends_with(' ') || rest.ends_with('\t') || rest.ends_with('\r')) rest.remove_suffix(1);
    return !is_face(rest);
}

}  // namespace

std::string without_quotes(std::string_view text) {
    std::string kept;
    while (!text.empty()) {
        auto rest = text;
        std::size_t line_bytes = 0;
        for (;;) {
            const auto before = rest.size();
            const auto c = take_character(rest);
            if (!c || ends_line(*c)) break;
            line_bytes += before - rest.size();
        }
        const auto line = text.substr(0, line_bytes);
        if (text.substr(line_bytes).starts_with("\r\n")) rest.remove_prefix(1);
        text = rest;
        if (is_quote(line)) continue;
        if (!kept.empty()) kept += '\n';
        kept += line;
    }
    return kept;
}

}  // namespace assistant
