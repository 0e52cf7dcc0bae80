// Tokens, ids and names that come back from clients.
#include "directory_key.h"
#include "event/hashes.h"
#include "fuzz.h"
#include "rules.h"
#include "stream_token.h"

#include <string>

#include <base/encoding.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    // A token has one spelling, but for zeros at its end.
    if (const auto token = chat::StreamToken::parse(text)) {
        const auto written = token->text();
        require(chat::StreamToken::parse(written) == *token && text.starts_with(written));
    }
    if (const auto position = chat::parse_timeline_token(text)) require(position->value >= 0);
    require(chat::event_key_of(text).has_value() == chat::is_event_id(text) || !chat::is_event_id(text));

    if (identity::check_localpart(text, "test.lingxi")) {
        require(base::is_utf8(text) && text.find_first_of(": \t\r\n\"<>") == std::string_view::npos);
    }
    std::ignore = identity::check_display_name(text);
    std::ignore = identity::check_device_id(text);
    if (!base::is_utf8(text)) return 0;
    const auto localpart = identity::localpart_from_name(text);
    require(localpart.empty() || identity::check_localpart(localpart, "test.lingxi") ||
            identity::is_reserved_localpart(localpart));
    const auto lookup = identity::directory_key("someone", text);
    require(base::is_utf8(lookup));
    identity::match_rank(lookup, identity::fold_search_term(text));
    return 0;
}
