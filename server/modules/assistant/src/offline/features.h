#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assistant::offline {

enum class Language : std::uint8_t { chinese, english };

/// What the letters tell; nothing where there are none ("12:30 👍").
std::optional<Language> language_if_told(std::string_view text);
/// Chinese where Han characters make up at least a fifth of the letters, else English.
Language language_of(std::string_view text);

/// What a message is made of, as the classifier sees it. Lower-cased, digits as one mark, punctuation as a
/// gap. Chinese: runs of one to three characters. English: words, pairs of words, and runs of three to five
/// letters inside a word, so that an inflected or misspelt word still meets its family.
std::vector<std::string> features_of(std::string_view text, Language language);

}  // namespace assistant::offline
