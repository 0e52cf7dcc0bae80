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

/// What core adds up, and keeps in receipts that people read, is bounded whatever the gateway says.
void check_bounds(std::string_view text) {
    constexpr std::size_t kNameLimitBytes = 512;
    const auto event = egress::read_model_event(text);
    if (!event) return;
    if (const auto* prepared = std::get_if<egress::Prepared>(&*event)) {
        require(prepared->outbound_bytes >= 0 && prepared->outbound_bytes <= egress::kOutboundLimitBytes);
        for (const auto price :
             {prepared->input_price_micros_per_million, prepared->output_price_micros_per_million})
            require(price >= 0 && price <= egress::kPriceLimitMicrosPerMillion);
        for (const auto* name : {&prepared->outbound_sha256, &prepared->provider_id, &prepared->provider_name,
                                 &prepared->model, &prepared->currency})
            require(name->size() <= kNameLimitBytes);
    }
    if (const auto* finished = std::get_if<egress::Finished>(&*event)) {
        require(finished->input_tokens >= 0 && finished->output_tokens >= 0);
        require(finished->input_tokens + finished->output_tokens <= std::int64_t{1} << 41U);
    }
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
    check_bounds(text);
    check(text, egress::read_provider_list, kWrite);
    std::ignore = egress::read_found_list(text);
    if (const auto value = base::parse_json(text, 1 << 20)) std::ignore = egress::read_provider(*value);
    return 0;
}
