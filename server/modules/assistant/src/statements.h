#pragma once

#include "refusal.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace assistant {

/// What @assistant says of itself, in words of ours and not of a model.
std::string greeting(std::size_t exchanges_before);
std::string cannot_read();
std::string interrupted(bool chinese);
/// Why it cannot answer.
std::string sorry(const Refusal& refusal, bool chinese);
/// After words that came before the answer broke off.
std::string broke_off(bool chinese);

}  // namespace assistant
