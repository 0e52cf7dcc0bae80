#include "event/event_builder.h"

#include "event/canonical_json.h"
#include "event/hashes.h"
#include "event/redaction.h"

#include <array>

#include <identity/ids.h>

namespace chat {
namespace {

/// `,"signatures":{"` server `":{"ed25519:abcdef":"` 86 characters `"}}`, without the server's name.
constexpr std::size_t kSignatureBytes = 130;

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{') out.push_back(',');
    out.push_back('"');
    out.append(key);
    out.append("\":");
}

/// The canonical event with `content` as its content; with the hash where there is one.
std::string canonical_event(const EventParts& parts, std::string_view content,
                            const base::Sha256* content_hash) {
    std::string out;
    out.reserve(content.size() + 600);
    out.push_back('{');
    append_key(out, "auth_events");
    out.push_back('[');
    for (std::size_t i = 0; i < parts.auth_events.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_canonical_string(out, parts.auth_events[i]);
    }
    out.push_back(']');
    append_key(out, "content");
    out.append(content);
    append_key(out, "depth");
    out.append(std::to_string(parts.depth));
    if (content_hash != nullptr) {
        append_key(out, "hashes");
        out.append(R"({"sha256":")").append(base::base64_encode(*content_hash)).append(R"("})");
    }
    append_key(out, "origin_server_ts");
    out.append(std::to_string(parts.origin_server_ts));
    append_key(out, "prev_events");
    out.push_back('[');
    if (!parts.prev_event.empty()) append_canonical_string(out, parts.prev_event);
    out.push_back(']');
    if (!parts.room_id.empty()) {
        append_key(out, "room_id");
        append_canonical_string(out, parts.room_id);
    }
    append_key(out, "sender");
    append_canonical_string(out, parts.sender);
    if (parts.state_key) {
        append_key(out, "state_key");
        append_canonical_string(out, *parts.state_key);
    }
    append_key(out, "type");
    append_canonical_string(out, parts.type);
    out.push_back('}');
    return out;
}

base::Result<void> check_fields(const EventParts& parts) {
    for (const auto field :
         {parts.type, parts.sender, parts.room_id, parts.state_key.value_or(std::string_view{})}) {
        if (field.size() > kFieldLimitBytes) {
            return base::fail(base::ErrorKind::too_large, "M_TOO_LARGE",
                              "Types, state keys and ids have at most 255 bytes.");
        }
    }
    return {};
}

std::unexpected<base::Error> too_large() {
    return base::fail(base::ErrorKind::too_large, "M_TOO_LARGE", "An event has at most 65535 bytes.");
}

/// What a redaction names; empty for anything else.
std::string redacts_in(std::string_view type, std::string_view content) {
    if (type != "m.room.redaction") return {};
    const auto object = base::parse_json(content, kEventLimitBytes);
    if (!object || !object->is_object()) return {};
    return std::string(base::get_string(object->get_object(), "redacts").value_or(std::string_view{}));
}

}  // namespace

base::Result<PreparedContent> prepare_content(std::string_view type, base::json::object content) {
    PreparedContent prepared;
    auto canonical = canonical_json(content);
    if (!canonical) return base::fail(std::move(canonical.error()));
    if (canonical->size() > kEventLimitBytes) return too_large();
    auto redacted = canonical_json(redact_content(type, content));
    if (!redacted) return base::fail(std::move(redacted.error()));
    prepared.object = std::move(content);
    prepared.canonical = std::move(*canonical);
    prepared.redacted = std::move(*redacted);
    return prepared;
}

base::Result<BuiltEvent> build_event(const EventParts& parts) {
    if (auto checked = check_fields(parts); !checked) return base::fail(std::move(checked.error()));
    const auto whole = canonical_event(parts, parts.content, nullptr);
    constexpr std::size_t kHashBytes = sizeof(R"("hashes":{"sha256":""},)") - 1 + 43;
    const auto size = whole.size() + kHashBytes + kSignatureBytes + identity::server_of(parts.sender).size();
    if (size > kEventLimitBytes) return too_large();

    BuiltEvent built;
    built.content_hash = base::sha256(whole);
    built.id = event_id_of(base::sha256(canonical_event(parts, parts.redacted_content, &built.content_hash)));
    built.client_json = client_event_json(built.id.value, parts, redacts_in(parts.type, parts.content));
    return built;
}

std::string client_event_json(std::string_view event_id, const EventParts& parts, std::string_view redacts) {
    std::string out;
    out.reserve(parts.content.size() + 300);
    out.append(R"({"event_id":")").append(event_id).push_back('"');
    append_key(out, "type");
    append_canonical_string(out, parts.type);
    append_key(out, "sender");
    append_canonical_string(out, parts.sender);
    if (parts.state_key) {
        append_key(out, "state_key");
        append_canonical_string(out, *parts.state_key);
    }
    append_key(out, "origin_server_ts");
    out.append(std::to_string(parts.origin_server_ts));
    if (!redacts.empty()) {
        append_key(out, "redacts");
        append_canonical_string(out, redacts);
    }
    append_key(out, "content");
    out.append(parts.content);
    out.push_back('}');
    return out;
}

base::Result<base::json::object> signed_event(const EventParts& parts, const base::Sha256& content_hash,
                                              std::string_view server, const ServerKey& key) {
    auto event = base::parse_json(canonical_event(parts, parts.content, &content_hash), 2 * kEventLimitBytes);
    if (!event) return base::fail(std::move(event.error()));
    auto& object = event->as_object();
    auto redacted = redact_event(object);
    if (auto done = sign_json(redacted, server, key); !done) return base::fail(std::move(done.error()));
    object["signatures"] = redacted["signatures"];
    return std::move(object);
}

}  // namespace chat
