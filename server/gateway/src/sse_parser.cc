#include "sse_parser.h"

#include <algorithm>
#include <utility>

namespace gateway {

base::Result<void> SseParser::feed(std::string_view bytes, const TakeEvent& take) {
    std::size_t at = 0;
    std::size_t line_feed = 0;  // the next one from `at` on
    bool is_searched = false;
    while (at < bytes.size()) {
        if (std::exchange(after_return_, false) && bytes[at] == '\n') {
            ++at;
            continue;
        }
        // Each is looked for by itself: that runs at the memory's speed, and few servers send returns.
        if (!is_searched || line_feed < at) line_feed = std::min(bytes.find('\n', at), bytes.size());
        is_searched = true;
        const std::string_view rest = bytes.substr(at, line_feed - at);
        const std::string_view piece = rest.substr(0, rest.find('\r'));
        if (line_.size() + piece.size() + data_.size() > event_limit_bytes_) {
            return base::fail(base::ErrorKind::unavailable, "model.bad_answer",
                              "The model server sent too long a line.");
        }
        const std::size_t end = at + piece.size();
        if (end == bytes.size()) {
            line_ += piece;
            break;
        }
        after_return_ = bytes[end] == '\r';
        at = end + 1;
        // Most lines come whole: they are read where they lie.
        if (!line_.empty()) line_ += piece;
        const std::string_view line = line_.empty() ? piece : std::string_view(line_);
        if (!line.empty()) {
            take_line(line);
            line_.clear();
        } else if (std::exchange(has_data_, false)) {
            auto taken = take(data_);
            data_.clear();
            if (!taken) return taken;
        }
    }
    return {};
}

std::optional<std::string> SseParser::finish() {
    if (!line_.empty()) take_line(line_);
    line_.clear();
    if (!std::exchange(has_data_, false)) return std::nullopt;
    return std::exchange(data_, {});
}

void SseParser::take_line(std::string_view line) {
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
