#pragma once

#include <string_view>

namespace chat {

/// Glob-style matching of push rules (specification appendices): '*' any text, '?' one character; the whole
/// of `text`; without regard to the case of letters.
bool matches_glob(std::string_view pattern, std::string_view text);

/// The same for some part of `text` that begins and ends at a word boundary: beside it stands the end of the
/// text or what is no ASCII letter, digit or underscore. So a Chinese word is found anywhere. Only the first
/// 4 KiB of `text` are looked at where the pattern has wildcards.
bool matches_word(std::string_view pattern, std::string_view text);

}  // namespace chat
