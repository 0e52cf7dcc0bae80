// What identifies people, taken out of words on their way to a model and put back into its answer. What must
// hold: the way there and back changes nothing, words of people that look like placeholders included, and a
// model that makes placeholders up gets nothing that it was not given.
#include "fuzz.h"
#include "redaction.h"

#include <string>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    gateway::Redaction redaction;
    const auto redacted = redaction.redact(text);
    require(redaction.redact(text) == redacted);
    const auto restored = redaction.restore(redacted);
    require(restored == text);
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, size + 1}) {
        gateway::Redaction::Restorer restorer(redaction);
        std::string whole;
        for (std::size_t at = 0; at < redacted.size(); at += step) {
            whole += restorer.feed(std::string_view(redacted).substr(at, step));
        }
        whole += restorer.finish();
        require(whole == restored);
    }
    if (redaction.size() == 0) require(redacted == text);
    return 0;
}
