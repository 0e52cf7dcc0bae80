#pragma once

#include <string>
#include <string_view>

namespace net {

/// Compresses at a level that is cheap for text. Empty where memory is short: send it as it is then.
std::string gzip(std::string_view text);

}  // namespace net
