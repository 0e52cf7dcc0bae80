#include "timeline/event_json.h"

#include "event/canonical_json.h"
#include "event/redaction.h"

#include <limits>
#include <stdexcept>

namespace chat {
namespace {

const base::json::object kNothing;

/// What precedes the content: nothing before it in the stored text can hold this, because all of that is
/// strings (whose quotes are escaped) and numbers.
constexpr std::string_view kContentKey = R"(,"content":)";

}  // namespace

base::json::object parse_stored(std::string_view json) {
    auto value = base::parse_json(json, std::numeric_limits<std::size_t>::max(), 128);
    if (!value || !value->is_object()) throw std::runtime_error("a stored event is no JSON object");
    return std::move(value->get_object());
}

const base::json::object& content_of(const base::json::object& event) {
    const auto* content = base::get_object(event, "content");
    return content == nullptr ? kNothing : *content;
}

base::json::object parse_content(const StoredEvent& event) {
    return parse_stored(content_text(event));
}

std::string_view content_text(const StoredEvent& event) {
    const std::string_view json = event.json;
    const auto at = json.find(kContentKey);
    if (at == std::string_view::npos) throw std::runtime_error("a stored event has no content");
    const auto from = at + kContentKey.size();
    return json.substr(from, json.size() - from - 1);
}

StoredEvent redacted_form(const StoredEvent& event) {
    auto redacted = event;
    redacted.json.resize(event.json.size() - content_text(event).size() - 1);
    redacted.json.append(canonical_json(redact_content(event.type, parse_content(event))).value())
        .push_back('}');
    return redacted;
}

void append_client_event(std::string& out, const StoredEvent& event, std::string_view room_id,
                         std::string_view unsigned_members) {
    out.append(event.json, 0, event.json.size() - 1);
    if (!room_id.empty()) {
        out.append(R"(,"room_id":)");
        append_canonical_string(out, room_id);
    }
    if (!unsigned_members.empty()) out.append(R"(,"unsigned":{)").append(unsigned_members).push_back('}');
    out.push_back('}');
}

void append_stripped_event(std::string& out, const StoredEvent& event) {
    const auto whole = parse_stored(event.json);
    out.append(R"({"type":)");
    append_canonical_string(out, event.type);
    out.append(R"(,"state_key":)");
    append_canonical_string(out, event.state_key.value_or(std::string{}));
    out.append(R"(,"sender":)");
    append_canonical_string(out, base::get_string(whole, "sender").value_or(std::string_view{}));
    out.append(R"(,"content":)").append(content_text(event)).push_back('}');
}

}  // namespace chat
