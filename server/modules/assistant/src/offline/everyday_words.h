#pragma once

#include <string_view>

namespace assistant::offline {

/// Whether an English word (in lower case) is one that people use every day, by the examples of the intents:
/// "will" is, "emma" is not. Any thread.
bool is_everyday_word(std::string_view word);

}  // namespace assistant::offline
