#include "features.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace assistant::offline {
namespace {

/// Longest part of a message that is looked at: beyond it no canned reply fits anyway.
constexpr std::size_t kTextLimitBytes = 1024;

bool is_han(UChar32 c) {
    return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0;
}

/// The characters that count: letters in lower case, every run of digits as '0', every other run as one gap.
std::vector<UChar32> normalise(std::string_view text) {
    std::vector<UChar32> out;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto length = static_cast<std::int32_t>(std::min(text.size(), kTextLimitBytes));
    for (std::int32_t at = 0; at < length;) {
        UChar32 c = 0;
        U8_NEXT(bytes, at, length, c);  // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
        if (c < 0) continue;
        if (c == 0x2019) c = '\'';
        if (u_isdigit(c)) {
            c = '0';
        } else if (u_isalpha(c) || c == '\'') {
            c = u_tolower(c);
        } else {
            c = ' ';
        }
        const bool repeats = !out.empty() && out.back() == c && (c == ' ' || c == '0');
        if (!repeats) out.push_back(c);
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    if (!out.empty() && out.front() == ' ') out.erase(out.begin());
    return out;
}

std::string utf8(const std::vector<UChar32>& characters, std::size_t from, std::size_t count) {
    std::string out;
    for (std::size_t i = from; i < from + count; ++i) {
        char buffer[U8_MAX_LENGTH];
        std::int32_t length = 0;
        U8_APPEND_UNSAFE(buffer, length, characters[i]);
        out.append(buffer, static_cast<std::size_t>(length));
    }
    return out;
}

void add_runs(const std::vector<UChar32>& characters, std::size_t shortest, std::size_t longest,
              std::string_view kind, std::vector<std::string>& out) {
    for (std::size_t length = shortest; length <= longest; ++length) {
        for (std::size_t at = 0; at + length <= characters.size(); ++at) {
            out.push_back(std::string(kind) + utf8(characters, at, length));
        }
    }
}

std::vector<std::vector<UChar32>> words_of(const std::vector<UChar32>& characters) {
    std::vector<std::vector<UChar32>> words(1);
    for (const UChar32 c : characters) {
        if (c == ' ') {
            if (!words.back().empty()) words.emplace_back();
        } else {
            words.back().push_back(c);
        }
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

}  // namespace

std::optional<Language> language_if_told(std::string_view text) {
    std::size_t han = 0;
    std::size_t letters = 0;
    for (const UChar32 c : normalise(text)) {
        if (is_han(c)) ++han;
        if (u_isalpha(c)) ++letters;
    }
    if (letters == 0) return std::nullopt;
    return han * 5 >= letters && han > 0 ? Language::chinese : Language::english;
}

Language language_of(std::string_view text) {
    return language_if_told(text).value_or(Language::english);
}

std::vector<std::string> features_of(std::string_view text, Language language) {
    std::vector<std::string> features;
    std::vector<UChar32> characters = normalise(text);
    if (characters.empty()) return features;
    if (language == Language::chinese) {
        characters.insert(characters.begin(), '^');
        characters.push_back('$');
        add_runs(characters, 1, 3, "", features);
        return features;
    }
    std::string previous = "^";
    for (const auto& word : words_of(characters)) {
        const std::string whole = utf8(word, 0, word.size());
        features.push_back("w:" + whole);
        features.push_back("p:" + previous + ' ' + whole);
        previous = whole;
        std::vector<UChar32> padded{' '};
        padded.insert(padded.end(), word.begin(), word.end());
        padded.push_back(' ');
        add_runs(padded, 3, 5, "c:", features);
    }
    features.push_back("p:" + previous + " $");
    return features;
}

}  // namespace assistant::offline
