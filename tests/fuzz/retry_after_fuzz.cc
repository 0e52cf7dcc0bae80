// What a model server answers to "when may I come again?": a pause, if any, that is bounded.
#include "fuzz.h"
#include "retry_after.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The first line is the answer's Retry-After, the rest its Date.
    const auto text = fuzz::text_of(data, size);
    const auto line = text.find('\n');
    const auto date = line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);
    const auto pause = gateway::pause_asked_for(text.substr(0, line), date, 784111777);
    require(!pause || (pause->count() > 0 && *pause <= std::chrono::hours(24)));
    return 0;
}
