// The encodings that stand inside of everything else: percent, base64, UTF-8.
#include "fuzz.h"

#include <algorithm>
#include <string>

#include <base/encoding.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    require(base::percent_decode(base::percent_encode(text)) == text);
    if (const auto decoded = base::percent_decode(text)) require(decoded->size() <= text.size());
    const auto bytes = base::as_bytes(text);
    const auto same = [&](const base::Result<base::Bytes>& decoded) {
        return decoded && std::ranges::equal(*decoded, bytes);
    };
    require(same(base::base64_decode(base::base64_encode(bytes))));
    require(same(base::base64url_decode(base::base64url_encode(bytes))));
    if (const auto decoded = base::base64url_decode(text)) {
        require(base::base64url_decode(base::base64url_encode(*decoded)) == *decoded);
    }
    for (const std::size_t limit : {std::size_t{0}, std::size_t{5}, size}) {
        const auto prefix = base::utf8_prefix(text, limit);
        require(prefix.size() <= limit && (!base::is_utf8(text) || base::is_utf8(prefix)));
    }
    return 0;
}
