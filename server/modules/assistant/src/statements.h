#pragma once

#include "refusal.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace assistant {

/// What @assistant says of itself, in words of ours and not of a model.
/// `was_read`: whether it has read what was written to it before it came.
std::string greeting(std::size_t exchanges_before, bool was_read);
std::string cannot_read();
std::string interrupted(bool chinese);
/// Why it cannot answer.
std::string sorry(const Refusal& refusal, bool chinese);
/// After that, where it goes for several questions.
std::string of_so_many(std::int64_t questions, bool chinese);
/// After words that came before the answer broke off.
std::string broke_off(bool chinese);
/// After words that reached the limit of an answer.
std::string cut_short(bool chinese);
/// Where that limit was reached before a word of the answer came.
std::string nothing_said(bool chinese);
/// In the place of an answer that the model server took back.
std::string taken_back(bool chinese);

}  // namespace assistant
