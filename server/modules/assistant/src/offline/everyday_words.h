#pragma once

#include <string_view>

namespace assistant::offline {

/// Whether an English word (in lower case) is one that people use every day, by the examples of the intents:
/// "will" is, "emma" is not. Any thread.
bool is_everyday_word(std::string_view word);
/// The same of two Han characters that stand together: "高兴" are, "小波" are not. Any thread.
bool are_everyday_characters(std::string_view two);

}  // namespace assistant::offline
