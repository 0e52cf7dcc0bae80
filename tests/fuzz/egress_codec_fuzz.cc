// What core and gateway say to each other about models: either may have been taken over.
#include "fuzz.h"

#include <string>

#include <egress/codec.h>

using fuzz::require;

namespace {

/// What was read can be written, and reads the same again.
template <class Read, class Write>
void check(std::string_view text, Read read, Write write) {
    const auto message = read(text);
    if (!message) return;
    const auto written = base::json::serialize(write(*message));
    const auto again = read(written);
    require(again && base::json::serialize(write(*again)) == written);
}

const auto kWrite = [](const auto& message) { return egress::to_json(message); };

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    constexpr std::chrono::steady_clock::time_point kNow{};
    check(
        text, [&](std::string_view t) { return egress::read_model_request(t, kNow); },
        [&](const auto& request) { return egress::to_json(request, kNow); });
    check(text, egress::read_model_event, kWrite);
    check(text, egress::read_provider_list, kWrite);
    check(text, egress::read_probe_result, kWrite);
    std::ignore = egress::read_found_list(text);
    if (const auto value = base::parse_json(text, 1 << 20)) std::ignore = egress::read_provider(*value);
    return 0;
}
