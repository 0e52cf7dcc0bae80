// Bodies of requests: JSON of any kind, and the reading of its members.
#include "fuzz.h"

#include <string>

#include <base/encoding.h>
#include <identity/body.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    net::Request request;
    request.body = fuzz::text_of(data, size);
    identity::Body body(request);
    for (const std::string_view name : {"a", "type", "user", "auth", "limit"}) {
        body.has(name);
        const auto text = body.optional_string(name);
        if (text) require(base::is_utf8(*text));
        body.optional_int(name);
        body.optional_boolean(name);
        body.optional_object(name);
        body.optional_array(name);
    }
    const auto value = base::parse_json(request.body, 1 << 20, 16);
    if (!value) return 0;
    // What was read can be written, and reads the same again.
    const auto text = base::json::serialize(*value);
    require(base::is_utf8(text));
    const auto again = base::parse_json(text, 8 << 20, 16);
    require(again && base::json::serialize(*again) == text);
    return 0;
}
