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

std::unordered_map<std::string_view, int> count_words() {
    std::unordered_map<std::string_view, int> counts;
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

}  // namespace

bool is_everyday_word(std::string_view word) {
    static const auto counts = count_words();
    const auto found = counts.find(word);
    return found != counts.end() && found->second >= kEverydayTimes;
}

}  // namespace assistant::offline
