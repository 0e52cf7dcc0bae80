// A JSON object as the content of an event, as an event, and as power levels: canonical form, redaction,
// hashes, signatures, authorisation.
#include "event/auth_rules.h"
#include "event/canonical_json.h"
#include "event/event_builder.h"
#include "event/hashes.h"
#include "event/power_levels.h"
#include "event/redaction.h"
#include "event/signing.h"
#include "fuzz.h"

#include <string>

#include <base/encoding.h>

using fuzz::require;

namespace {

const chat::ServerKey& key() {
    static const chat::ServerKey kKey{base::SigningKey::from_seed({1, 2, 3}), "ed25519:1"};
    return kKey;
}

void check_canonical(const base::json::object& object) {
    for (const auto floats : {chat::Floats::refuse, chat::Floats::write_integral}) {
        const auto text = chat::canonical_json(object, floats);
        if (!text) continue;
        require(base::is_utf8(*text));
        const auto again = base::parse_json(*text, 8 << 20);
        require(again && chat::canonical_json(*again) == *text);
    }
}

void check_event(base::json::object event) {
    const auto redacted = chat::redact_event(event);
    require(chat::redact_event(redacted) == redacted);
    const auto hash = chat::reference_hash(event);
    if (hash) {
        require(chat::is_event_id(chat::event_id_of(*hash).value));
        require(chat::reference_hash(redacted) == *hash);
    }
    if (chat::hash_and_sign_event(event, "test", key())) {
        require(chat::verify_event(event, "test", key().key_id, key().key.public_key()));
    }
}

void check_levels(const base::json::object& content) {
    for (const auto version : {chat::RoomVersion::v11, chat::RoomVersion::v12}) {
        std::ignore = chat::authorise_create(version, content);
        const auto creators = chat::read_creators(version, "@a:test", content);
        if (!chat::validate_power_levels(version, creators, content)) continue;
        const auto levels = chat::read_power_levels(version, creators, &content);
        levels.of_user("@b:test");
        require(chat::authorise_power_level_change(levels, levels, "@b:test").has_value());
        for (const std::string_view type :
             {"m.room.message", "m.room.member", "m.room.power_levels", "m.room.redaction"}) {
            const chat::Candidate candidate{
                .type = type, .state_key = "@b:test", .sender = "@b:test", .content = content};
            std::ignore =
                chat::authorise({.levels = levels, .sender_membership = chat::Membership::join}, candidate);
            chat::auth_events_selection(version, candidate);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto value = base::parse_json(fuzz::text_of(data, size), 1 << 20);
    if (!value || !value->is_object()) return 0;
    const auto& object = value->get_object();
    check_canonical(object);
    check_event(object);
    check_levels(object);
    const std::string type(base::get_string(object, "type").value_or("m.room.member"));
    const auto content = chat::prepare_content(type, object);
    if (!content) return 0;
    const auto built = chat::build_event({.content = content->canonical,
                                          .redacted_content = content->redacted,
                                          .prev_event = "$p",
                                          .room_id = "!r",
                                          .sender = "@a:test",
                                          .type = type});
    if (built) require(chat::is_event_id(built->id.value) && base::parse_json(built->client_json, 1 << 20));
    return 0;
}
