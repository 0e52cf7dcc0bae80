// Server-Sent Events of a model server, and the completion in them. What must hold: whole characters only,
// and the same answer however the bytes are cut.
#include "completion_stream.h"
#include "fuzz.h"

#include <string>

#include <base/encoding.h>

using fuzz::require;

namespace {

struct Outcome {
    std::string text;
    std::string code;
    std::string finish_reason;
    std::int64_t received_bytes = 0;
    bool done = false;
    bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t step) {
    Outcome outcome;
    gateway::CompletionStream stream;
    const auto take = [&](const base::Result<std::string>& piece) {
        if (!piece) {
            outcome.code = piece.error().code;
            return false;
        }
        require(base::is_utf8(*piece));
        outcome.text += *piece;
        return true;
    };
    bool goes_on = true;
    while (goes_on && !bytes.empty()) {
        goes_on = take(stream.feed(bytes.substr(0, step)));
        bytes.remove_prefix(std::min(step, bytes.size()));
    }
    if (goes_on) take(stream.finish());
    outcome.finish_reason = stream.finish_reason();
    outcome.received_bytes = stream.received_bytes();
    outcome.done = stream.done();
    if (stream.usage()) require(stream.usage()->input_tokens >= 0 && stream.usage()->output_tokens >= 0);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::text_of(data, size);
    const auto whole = read(bytes, size + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
        const auto cut = read(bytes, step);
        require(cut.code == whole.code);
        // Text before a fault may have been given out already where it came in pieces.
        if (whole.code.empty()) require(cut == whole);
    }
    return 0;
}
