#include "told.h"

#include <utility>

namespace assistant {

std::optional<Told::Line> Told::find(const Why& why, Clock::time_point now) {
    std::erase_if(lines_, [&](const auto& entry) { return now - entry.second.at > kMoment; });
    const auto found = lines_.find(why);
    if (found == lines_.end() || found->second.edits >= kEditsLimit) return std::nullopt;
    return found->second;
}

void Told::count_on(const Why& why, std::int64_t questions, Clock::time_point now) {
    const auto found = lines_.find(why);
    if (found == lines_.end()) return;
    found->second.questions += questions;
    ++found->second.edits;
    found->second.at = now;
}

void Told::begin(const Why& why, std::string event_id, std::int64_t questions, Clock::time_point now) {
    lines_[why] = {.event_id = std::move(event_id), .questions = questions, .edits = 0, .at = now};
}

}  // namespace assistant
