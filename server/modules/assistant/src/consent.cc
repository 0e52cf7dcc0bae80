#include "consent.h"

#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::string_view kConsent = "im.lingxi.consent";
constexpr std::string_view kPolicy = "im.lingxi.ai_policy";

/// Consent is what can be taken back. Who has left cannot, and who comes back is asked anew; nor can who was
/// put below the level of it, and who is held to a word that they can no longer change has not agreed.
bool can_take_back(const chat::RoomReading& room, identity::UserNumber user, std::string_view user_id) {
    return room.membership_of(user) == chat::Membership::join &&
           room.is_of_present_membership(kConsent, user) && room.may_set_state(user_id, kConsent);
}

}  // namespace

bool reaches(const json::object& agreed, const Destination& destination) {
    const auto kind = base::get_string(agreed, "kind");
    if (kind == "this_machine") return destination.on_this_machine;
    if (kind == "provider") {
        return !destination.provider_name.empty() &&
               base::get_string(agreed, "name") == destination.provider_name;
    }
    return false;
}

json::object to_json(const Destination& destination) {
    if (destination.on_this_machine) return {{"kind", "this_machine"}};
    return {{"kind", "provider"}, {"name", destination.provider_name}};
}

bool is_ai_allowed(const chat::RoomReading& room) {
    const auto policy = room.state(kPolicy);
    return !policy || base::get_string(*policy, "ai") != "forbidden";
}

bool agrees(const json::object& content, Purpose purpose, const Destination& destination) {
    if (!base::get_bool(content, "agreed").value_or(false)) return false;
    const json::object* purposes = base::get_object(content, "purposes");
    const json::object* agreed = base::get_object(content, "destination");
    if (purposes == nullptr || agreed == nullptr) return false;
    return base::get_bool(*purposes, to_string(purpose)).value_or(false) && reaches(*agreed, destination);
}

std::optional<json::object> consent_in_force(storage::Transaction& tx, const chat::RoomReading& room,
                                             identity::UserNumber user) {
    const auto user_id = identity::user_id_of(tx, user).value;
    auto content = room.state(kConsent, user_id);
    if (!content || !can_take_back(room, user, user_id) || !person_settings(tx, user).ai_enabled)
        return std::nullopt;
    return content;
}

bool has_agreed(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber user,
                Purpose purpose, const Destination& destination) {
    const auto content = consent_in_force(tx, room, user);
    return content && agrees(*content, purpose, destination);
}

void Agreed::take(const json::object& consent) {
    const json::object* destination = base::get_object(consent, "destination");
    if (destination == nullptr) return;
    const auto kind = base::get_string(*destination, "kind");
    if (kind == "this_machine") this_machine_only = true;
    if (kind == "provider") provider_name = base::get_string(*destination, "name").value_or("");
}

json::array consents_of(storage::Transaction& tx, const chat::RoomReading& room,
                        identity::UserNumber reader) {
    json::array consents;
    for (const auto& [user_id, content] : room.states_of_type(kConsent)) {
        const auto user = identity::find_user(tx, user_id);
        if (!base::get_bool(content, "agreed").value_or(false) || !user) continue;
        const bool stands = *user == reader ? can_take_back(room, *user, user_id)
                                            : consent_in_force(tx, room, *user).has_value();
        if (!stands) continue;
        json::array purposes;
        if (const auto* wanted = base::get_object(content, "purposes")) {
            for (const Purpose purpose : {Purpose::suggest_replies, Purpose::translate}) {
                if (base::get_bool(*wanted, to_string(purpose)).value_or(false))
                    purposes.push_back(json::string(to_string(purpose)));
            }
        }
        const json::object* destination = base::get_object(content, "destination");
        const auto since_ms = base::get_int(content, "at_ms");
        consents.push_back(
            json::object{{"user_id", user_id},
                         {"purposes", std::move(purposes)},
                         {"destination", destination ? json::value(*destination) : json::value(nullptr)},
                         {"since_ms", since_ms ? json::value(*since_ms) : json::value(nullptr)}});
    }
    return consents;
}

PersonSettings person_settings(storage::Transaction& tx, identity::UserNumber user) {
    PersonSettings settings;
    const auto content = chat::account_data(tx, user, "im.lingxi.settings");
    if (!content) return settings;
    settings.ai_enabled = base::get_bool(*content, "ai_enabled").value_or(true);
    settings.language = base::get_string(*content, "language").value_or("");
    return settings;
}

}  // namespace assistant
