#include "push/glob.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <base/encoding.h>

namespace chat {
namespace {

constexpr std::size_t kWildcardTextLimitBytes = 4096;

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Bytes of the character at `at` of valid UTF-8.
std::size_t character_bytes(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && is_continuation(text[end])) ++end;
    return end - at;
}

/// Simple case folding, one character for one: so '?' stands for one character of the text as it was written.
std::string fold(std::string_view text) {
    if (std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }))
        return base::ascii_lower(text);
    const auto written = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
    icu::UnicodeString characters;
    for (std::int32_t at = 0; at < written.length(); at = written.moveIndex32(at, 1))
        characters.append(u_foldCase(written.char32At(at), U_FOLD_CASE_DEFAULT));
    std::string folded;
    characters.toUTF8String(folded);
    return folded;
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether a match may begin at `at`: what stands before it is no part of a word.
bool may_begin(std::string_view text, std::size_t at) {
    return at == 0 || !is_word(text[at - 1]);
}
bool may_end(std::string_view text, std::size_t at) {
    return at >= text.size() || !is_word(text[at]);
}

/// The classic walk with one place to come back to: after the last '*' seen. O(pattern × text) at worst.
bool walk(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == '?') {
            ++p;
            t += character_bytes(text, t);
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            resume += character_bytes(text, resume);
            t = resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// Runs all matches that have begun side by side: `states[i]` says that the first i characters of the pattern
/// are behind some of them. O(pattern × text), whatever they are.
bool match_words(std::string_view pattern, std::string_view text) {
    const auto size = pattern.size();
    std::vector<char> states(size + 1);
    std::vector<char> next(size + 1);
    const auto pass_stars = [&pattern, size](std::vector<char>& of) {
        for (std::size_t i = 0; i < size; ++i) {
            if (of[i] != 0 && pattern[i] == '*') of[i + 1] = 1;
        }
    };
    for (std::size_t t = 0;;) {
        if (may_begin(text, t)) states[0] = 1;
        pass_stars(states);
        if (states[size] != 0 && may_end(text, t)) return true;
        if (t >= text.size()) return false;
        const auto bytes = character_bytes(text, t);
        const auto character = text.substr(t, bytes);
        next.assign(size + 1, 0);
        for (std::size_t i = 0; i < size; ++i) {
            if (states[i] == 0) continue;
            if (pattern[i] == '*') {
                next[i] = 1;
            } else if (pattern[i] == '?') {
                next[i + 1] = 1;
            } else if (pattern.substr(i).starts_with(character)) {
                next[i + bytes] = 1;
            }
        }
        states.swap(next);
        t += bytes;
    }
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) {
    return walk(fold(pattern), fold(text));
}

bool matches_word(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    const auto wanted = fold(pattern);
    if (wanted.find_first_of("*?") != std::string::npos)
        return match_words(wanted, fold(base::utf8_prefix(text, kWildcardTextLimitBytes)));
    const auto where = fold(text);
    for (auto at = where.find(wanted); at != std::string::npos; at = where.find(wanted, at + 1)) {
        if (may_begin(where, at) && may_end(where, at + wanted.size())) return true;
    }
    return false;
}

}  // namespace chat
