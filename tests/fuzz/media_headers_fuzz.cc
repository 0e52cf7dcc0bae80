// What an uploader says of a file, on its way into the header of an answer.
#include "fuzz.h"
#include "media/media_headers.h"

#include <algorithm>
#include <string>

#include <base/encoding.h>

using fuzz::require;

namespace {

bool is_header_text(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto type = chat::clean_content_type(text);
    require(is_header_text(type) && chat::clean_content_type(type) == type);
    const auto served = chat::served_type("", type);
    // Nothing that a browser would run is shown in place, whatever it is called.
    for (const std::string_view active : {"html", "svg", "xml", "script", "css", "pdf"})
        require(!chat::may_be_inline(served) || !served.contains(active));
    const auto name = chat::clean_file_name(text);
    if (name) require(base::is_utf8(*name) && name->size() <= 255);
    for (const bool is_inline : {true, false}) {
        const auto disposition = chat::content_disposition(is_inline, name);
        require(is_header_text(disposition));
        require(std::ranges::count(disposition, '"') == (name ? 2 : 0));
    }
    return 0;
}
