// What clients write to choose events: filters, wildcards, globs and field paths.
#include "fuzz.h"
#include "push/glob.h"
#include "sync/filter.h"
#include "timeline/event_filter.h"

#include <string>
#include <vector>

#include <base/encoding.h>

using fuzz::require;

namespace {

/// The plain meaning of '*', to compare with.
bool matches(std::string_view pattern, std::string_view text) {
    std::vector<char> reached(text.size() + 1, 0);
    reached[0] = 1;
    for (const char c : pattern) {
        if (c == '*') {
            for (std::size_t i = 1; i < reached.size(); ++i)
                reached[i] = reached[i] || reached[i - 1] ? 1 : 0;
            continue;
        }
        for (std::size_t i = reached.size() - 1; i > 0; --i)
            reached[i] = reached[i - 1] && text[i - 1] == c ? 1 : 0;
        reached[0] = 0;
    }
    return reached.back() != 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto cut = std::min(text.find('\n'), text.size());
    const auto pattern = text.substr(0, cut);
    const auto subject = text.substr(std::min(cut + 1, text.size()));
    if (size < 512) require(chat::matches_wildcard(pattern, subject) == matches(pattern, subject));
    // A word is found in a text that is the word. Other bytes than UTF-8 are no characters, and never come
    // here.
    if (base::is_utf8(text) && chat::matches_glob(pattern, subject) && subject.size() < 4096)
        require(chat::matches_word(pattern, subject));
    chat::matches_word(pattern, subject);

    const chat::StoredEvent event{};
    if (const auto filter = chat::SyncFilter::parse_text(text)) {
        filter->allows_room("!r");
        filter->lazy_load_members();
        for (const auto* part :
             {&filter->timeline, &filter->state, &filter->ephemeral, &filter->account_data}) {
            require(!part->allows_all() ||
                    (part->allows_type("m.room.message") && part->allows_sender("@a:b")));
            part->allows(event);
        }
        static const auto kEvent = base::parse_json(
            R"({"type":"m","content":{"body":"b","a.b":{"c":[1]}},"unsigned":{"age":1}})", 1000);
        chat::keep_fields(kEvent->get_object(), filter->event_fields);
    }
    if (const auto filter = chat::RoomEventFilter::parse_text(text)) filter->allows(event);
    chat::split_path(text);
    return 0;
}
