#include "sse_parser.h"

#include <utility>

namespace gateway {

base::Result<std::vector<std::string>> SseParser::feed(std::string_view bytes) {
    std::vector<std::string> events;
    for (const char c : bytes) {
        if (c == '\n' && std::exchange(after_return_, false)) continue;
        after_return_ = c == '\r';
        if (c == '\n' || c == '\r') {
            take_line(line_, events);
            line_.clear();
            continue;
        }
        line_ += c;
        if (line_.size() + data_.size() > event_limit_bytes_) {
            return base::fail(base::ErrorKind::unavailable, "model.bad_answer",
                              "The model server sent too long a line.");
        }
    }
    return events;
}

std::optional<std::string> SseParser::finish() {
    std::vector<std::string> events;
    if (!line_.empty()) take_line(line_, events);
    line_.clear();
    take_line({}, events);
    if (events.empty()) return std::nullopt;
    return std::move(events.front());
}

void SseParser::take_line(std::string_view line, std::vector<std::string>& events) {
    if (line.empty()) {
        if (std::exchange(has_data_, false)) events.push_back(std::exchange(data_, {}));
        return;
    }
    constexpr std::string_view kField = "data";
    if (!line.starts_with(kField)) return;
    line.remove_prefix(kField.size());
    if (!line.empty()) {
        if (line.front() != ':') return;
        line.remove_prefix(1);
        if (line.starts_with(' ')) line.remove_prefix(1);
    }
    if (has_data_) data_ += '\n';
    data_ += line;
    has_data_ = true;
}

}  // namespace gateway
