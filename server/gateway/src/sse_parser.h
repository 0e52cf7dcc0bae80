#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>

namespace gateway {

/// Splits a stream of Server-Sent Events (WHATWG HTML, section 9.2) into the data of its events. Bytes may be
/// cut anywhere, inside a UTF-8 character too. Comments, ids, names and retry lines are skipped.
class SseParser {
  public:
    explicit SseParser(std::size_t event_limit_bytes = 1024 * 1024) : event_limit_bytes_(event_limit_bytes) {}

    /// Is given the data of an event, which lasts as long as the call; an error of it ends the stream.
    using TakeEvent = std::function<base::Result<void>(std::string_view data)>;

    /// Takes the next bytes, and hands over the events that they complete.
    /// Errors: model.bad_answer (unavailable) when an event is over the limit; those of `take`.
    base::Result<void> feed(std::string_view bytes, const TakeEvent& take);
    /// At the end of the stream: an event whose blank line never came (servers that cut it short).
    std::optional<std::string> finish();

  private:
    void take_line(std::string_view line);

    std::size_t event_limit_bytes_;
    std::string line_;
    std::string data_;
    bool has_data_ = false;
    bool after_return_ = false;  ///< the last byte was CR: an LF that follows belongs to it
};

}  // namespace gateway
