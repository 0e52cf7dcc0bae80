#include "event/power_levels.h"

#include "event/canonical_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <identity/ids.h>

namespace chat {
namespace {

using Levels = std::map<std::string, std::int64_t, std::less<>>;

struct Property {
    std::string_view name;
    std::int64_t PowerLevels::* value;
};
constexpr std::array<Property, 7> kProperties{{{"users_default", &PowerLevels::users_default},
                                               {"events_default", &PowerLevels::events_default},
                                               {"state_default", &PowerLevels::state_default},
                                               {"ban", &PowerLevels::ban},
                                               {"redact", &PowerLevels::redact},
                                               {"kick", &PowerLevels::kick},
                                               {"invite", &PowerLevels::invite}}};

base::Result<void> refuse(std::string message) {
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", std::move(message));
}

Levels read_levels(const base::json::object& content, std::string_view key) {
    Levels levels;
    if (const auto* object = base::get_object(content, key)) {
        for (const auto& member : *object) {
            if (member.value().is_int64()) levels.emplace(member.key(), member.value().get_int64());
        }
    }
    return levels;
}

bool holds_integers_only(const base::json::object& object) {
    return std::ranges::all_of(object, [](const auto& member) { return member.value().is_int64(); });
}

std::optional<std::int64_t> find(const Levels& levels, std::string_view key) {
    const auto found = levels.find(key);
    return found == levels.end() ? std::nullopt : std::optional(found->second);
}

/// Every key whose value differs between the two, added and removed ones too.
std::set<std::string_view> changed_keys(const Levels& before, const Levels& after) {
    std::set<std::string_view> keys;
    for (const auto& [key, level] : before) {
        if (find(after, key) != level) keys.insert(key);
    }
    for (const auto& [key, level] : after) {
        if (find(before, key) != level) keys.insert(key);
    }
    return keys;
}

}  // namespace

bool RoomCreators::contains(std::string_view user_id) const {
    return sender == user_id || std::ranges::find(additional, user_id) != additional.end();
}

RoomCreators read_creators(RoomVersion version, std::string_view sender,
                           const base::json::object& create_content) {
    RoomCreators creators{std::string(sender), {}};
    if (!creators_rule(version)) return creators;
    if (const auto* more = base::get_array(create_content, "additional_creators")) {
        for (const auto& user_id : *more) {
            if (user_id.is_string()) creators.additional.emplace_back(user_id.get_string());
        }
    }
    return creators;
}

std::int64_t PowerLevels::of_user(std::string_view user_id) const {
    if (creators_rule(version) && creators.contains(user_id)) return kInfinite;
    if (!is_written) return user_id == creators.sender ? 100 : 0;
    return find(users, user_id).value_or(users_default);
}

std::int64_t PowerLevels::of_event(std::string_view type, bool is_state) const {
    return find(events, type).value_or(is_state ? state_default : events_default);
}

std::int64_t PowerLevels::of_notification(std::string_view key) const {
    return find(notifications, key).value_or(50);
}

PowerLevels read_power_levels(RoomVersion version, RoomCreators creators, const base::json::object* content) {
    PowerLevels levels;
    levels.version = version;
    levels.creators = std::move(creators);
    if (content == nullptr) return levels;
    levels.is_written = true;
    for (const auto& property : kProperties) {
        const auto value = base::get_int(*content, property.name);
        if (!value) continue;
        levels.*property.value = *value;
        levels.written.emplace(property.name, *value);
    }
    levels.users = read_levels(*content, "users");
    levels.events = read_levels(*content, "events");
    levels.notifications = read_levels(*content, "notifications");
    return levels;
}

void raise_tombstone_level(base::json::object& content) {
    constexpr std::string_view kTombstone = "m.room.tombstone";
    if (!content.contains("events")) content["events"].emplace_object();
    auto* events = content["events"].if_object();
    if (events == nullptr) return;
    const auto state_default = base::get_int(content, "state_default").value_or(PowerLevels{}.state_default);
    const auto written = base::get_int(*events, kTombstone);
    if ((written && *written > state_default) || state_default >= kCanonicalIntegerLimit) return;
    (*events)[kTombstone] = std::max<std::int64_t>(150, state_default + 1);
}

base::Result<void> validate_power_levels(RoomVersion version, const RoomCreators& creators,
                                         const base::json::object& content) {
    for (const auto& property : kProperties) {
        if (base::has_wrong_type(content, property.name, base::json::kind::int64)) {
            return refuse("The power level '" + std::string(property.name) + "' is no integer.");
        }
    }
    for (const auto key : {"events", "notifications"}) {
        const auto* value = content.if_contains(key);
        if (value != nullptr && (!value->is_object() || !holds_integers_only(value->get_object()))) {
            return refuse("The power levels' '" + std::string(key) + "' must hold integers.");
        }
    }
    const auto* users = content.if_contains("users");
    if (users == nullptr) return {};
    if (!users->is_object() || !holds_integers_only(users->get_object())) {
        return refuse("The power levels' 'users' must hold integers.");
    }
    for (const auto& member : users->get_object()) {
        if (!identity::is_user_id(member.key()))
            return refuse("The power levels' 'users' holds what is no user id.");
        if (creators_rule(version) && creators.contains(member.key())) {
            return refuse("A creator of the room has no power level to write.");
        }
    }
    return {};
}

base::Result<void> authorise_power_level_change(const PowerLevels& before, const PowerLevels& after,
                                                std::string_view sender) {
    if (!before.is_written) return {};
    const auto own = before.of_user(sender);
    for (const auto name : changed_keys(before.written, after.written)) {
        if (find(before.written, name).value_or(own) > own || find(after.written, name).value_or(own) > own) {
            return refuse("Changing '" + std::string(name) + "' needs a higher power level.");
        }
    }
    for (const auto* name : {"events", "notifications"}) {
        const bool is_events = std::string_view(name) == "events";
        const auto& was = is_events ? before.events : before.notifications;
        const auto& is = is_events ? after.events : after.notifications;
        for (const auto key : changed_keys(was, is)) {
            if (find(was, key).value_or(own) > own || find(is, key).value_or(own) > own) {
                return refuse("Changing '" + std::string(name) + "' of " + std::string(key) +
                              " needs a higher power level.");
            }
        }
    }
    for (const auto user : changed_keys(before.users, after.users)) {
        const auto was = find(before.users, user);
        if (user != sender && was && *was >= own) {
            return refuse("The power level of somebody of one's own level or above cannot be changed.");
        }
        if (find(after.users, user).value_or(own) > own) {
            return refuse("Nobody can be given a higher power level than one's own.");
        }
    }
    return {};
}

}  // namespace chat
