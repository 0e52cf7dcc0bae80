#include "event/redaction.h"

#include <algorithm>
#include <array>
#include <span>

namespace chat {
namespace {

constexpr std::array<std::string_view, 12> kEventKeys{
    "event_id", "type",       "room_id", "sender",      "state_key",   "content",
    "hashes",   "signatures", "depth",   "prev_events", "auth_events", "origin_server_ts"};

constexpr std::array<std::string_view, 2> kMemberKeys{"membership", "join_authorised_via_users_server"};
constexpr std::array<std::string_view, 2> kJoinRulesKeys{"join_rule", "allow"};
constexpr std::array<std::string_view, 9> kPowerLevelsKeys{
    "ban", "events", "events_default", "invite", "kick", "redact", "state_default", "users", "users_default"};
constexpr std::array<std::string_view, 1> kHistoryVisibilityKeys{"history_visibility"};
constexpr std::array<std::string_view, 1> kRedactionKeys{"redacts"};

std::span<const std::string_view> kept_content_keys(std::string_view type) {
    if (type == "m.room.member") return kMemberKeys;
    if (type == "m.room.join_rules") return kJoinRulesKeys;
    if (type == "m.room.power_levels") return kPowerLevelsKeys;
    if (type == "m.room.history_visibility") return kHistoryVisibilityKeys;
    if (type == "m.room.redaction") return kRedactionKeys;
    return {};
}

}  // namespace

base::json::object redact_content(std::string_view type, const base::json::object& content) {
    if (type == "m.room.create") return content;
    base::json::object kept;
    for (const auto key : kept_content_keys(type)) {
        if (const auto* value = content.if_contains(key)) kept.emplace(key, *value);
    }
    if (type == "m.room.member") {
        if (const auto* invite = base::get_object(content, "third_party_invite")) {
            base::json::object signed_only;
            if (const auto* value = invite->if_contains("signed")) signed_only.emplace("signed", *value);
            kept.emplace("third_party_invite", std::move(signed_only));
        }
    }
    return kept;
}

base::json::object redact_event(const base::json::object& event) {
    base::json::object kept;
    const auto type = base::get_string(event, "type").value_or(std::string_view{});
    for (const auto& member : event) {
        const std::string_view key = member.key();
        if (std::ranges::find(kEventKeys, key) == kEventKeys.end()) continue;
        if (key == "content" && member.value().is_object()) {
            kept.emplace(key, redact_content(type, member.value().get_object()));
        } else {
            kept.emplace(key, member.value());
        }
    }
    return kept;
}

}  // namespace chat
