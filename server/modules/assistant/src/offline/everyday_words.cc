#include "everyday_words.h"

#include "intents.h"

#include <algorithm>
#include <unordered_map>

namespace assistant::offline {
namespace {

/// A name may stand in an example or two ("is bob coming?").
constexpr int kEverydayTimes = 4;

bool is_lower_letter(char c) {
    return c >= 'a' && c <= 'z';
}

using Counts = std::unordered_map<std::string_view, int>;

bool is_everyday(const Counts& counts, std::string_view word) {
    const auto found = counts.find(word);
    return found != counts.end() && found->second >= kEverydayTimes;
}

Counts count_words() {
    Counts counts;
    for (std::string_view text : embedded_intents(Language::english)) {
        while (!text.empty()) {
            const auto size =
                static_cast<std::size_t>(std::ranges::find_if_not(text, is_lower_letter) - text.begin());
            if (size > 0) ++counts[text.substr(0, size)];
            text.remove_prefix(std::max<std::size_t>(size, 1));
        }
    }
    return counts;
}

/// Han characters are three bytes each; what else is three bytes long harms nothing here.
Counts count_pairs() {
    constexpr std::size_t kCharacter = 3;
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xF0U) == 0xE0U; };
    Counts counts;
    for (const std::string_view text : embedded_intents(Language::chinese)) {
        for (std::size_t at = 0; at + 2 * kCharacter <= text.size(); ++at) {
            if (is_first_byte(text[at]) && is_first_byte(text[at + kCharacter]))
                ++counts[text.substr(at, 2 * kCharacter)];
        }
    }
    return counts;
}

}  // namespace

bool is_everyday_word(std::string_view word) {
    static const auto counts = count_words();
    return is_everyday(counts, word);
}

bool are_everyday_characters(std::string_view two) {
    static const auto counts = count_pairs();
    return is_everyday(counts, two);
}

}  // namespace assistant::offline
