#pragma once

#include <string>
#include <string_view>

namespace assistant {

/// Without any line that quotes ("> …"): those are the words of another. What could be an emoticon (">_<")
/// stays.
std::string without_quotes(std::string_view text);

}  // namespace assistant
