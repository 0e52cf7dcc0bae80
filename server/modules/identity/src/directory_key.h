#pragma once

#include <string>
#include <string_view>

namespace identity {

/// What a person is found by, as one line of text for the directory to scan: the localpart and the display
/// name, folded, and the readings of each Chinese character of the name.
std::string directory_key(std::string_view localpart, std::string_view display_name);

/// A search term made ready for `matches`: folded, without spaces at its ends.
std::string fold_search_term(std::string_view term);

/// How well `term` (folded) fits `key`: 0 not at all, higher is better (whole > beginning > any part >
/// pinyin).
int match_rank(std::string_view key, std::string_view term);

/// A legal localpart made of a name in any script ("张伟" → "zhangwei"); empty where nothing of it can be
/// written so.
std::string localpart_from_name(std::string_view name);

}  // namespace identity
