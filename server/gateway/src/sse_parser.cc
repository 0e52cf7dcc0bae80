#include "sse_parser.h"

#include <algorithm>
#include <utility>

namespace gateway {

base::Result<std::vector<std::string>> SseParser::feed(std::string_view bytes) {
    std::vector<std::string> events;
    while (!bytes.empty()) {
        if (std::exchange(after_return_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const auto end = std::ranges::find_if(bytes, [](char c) { return c == '\n' || c == '\r'; });
        const std::string_view piece(bytes.begin(), end);
        if (line_.size() + piece.size() + data_.size() > event_limit_bytes_) {
            return base::fail(base::ErrorKind::unavailable, "model.bad_answer",
                              "The model server sent too long a line.");
        }
        if (end == bytes.end()) {
            line_ += piece;
            break;
        }
        // Most lines come whole: they are read where they lie.
        if (line_.empty()) {
            take_line(piece, events);
        } else {
            line_ += piece;
            take_line(line_, events);
            line_.clear();
        }
        after_return_ = *end == '\r';
        bytes.remove_prefix(piece.size() + 1);
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
