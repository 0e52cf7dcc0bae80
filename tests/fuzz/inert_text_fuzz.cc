// A model's words on their way to a screen. What must hold: nothing that acts, never over the limit, and the
// same text however it came in pieces.
#include "fuzz.h"
#include "inert_text.h"

#include <algorithm>
#include <string>

#include <base/encoding.h>

using fuzz::require;

namespace {

bool is_inert(std::string_view text) {
    return base::is_utf8(text) &&
           std::ranges::none_of(text,
                                [](char c) {
                                    const auto byte = static_cast<unsigned char>(c);
                                    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
                                }) &&
           !text.contains("\u202e") && !text.contains("\u2066") && !text.contains("\ufff9");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kLimitBytes = 200;
    const auto text = fuzz::text_of(data, size);
    assistant::InertText whole(kLimitBytes);
    require(whole.feed(text) == whole.text());
    require(is_inert(whole.text()) && whole.text().size() <= kLimitBytes);
    const auto line = assistant::inert_line(text, kLimitBytes);
    require(is_inert(line) && line.size() <= kLimitBytes && !line.contains('\n') && !line.contains("  "));
    if (!base::is_utf8(text)) return 0;
    assistant::InertText pieces(kLimitBytes);
    for (auto rest = text; !rest.empty();) {
        const auto piece = base::utf8_prefix(rest, 5);
        pieces.feed(piece);
        rest.remove_prefix(piece.size());
    }
    require(pieces.text() == whole.text());
    return 0;
}
