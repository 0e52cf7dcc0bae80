#include "sync/filter.h"

#include <algorithm>
#include <span>

namespace chat {
namespace {

using base::ErrorKind;

/// More names than this in one list are no filter but an attack on whoever has to compare them all.
constexpr std::size_t kListLimit = 1000;

std::unexpected<base::Error> bad_filter(std::string_view member) {
    return base::fail(ErrorKind::invalid, "M_BAD_JSON",
                      "'" + std::string(member) + "' of the filter is not what the specification says.");
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

bool all_start_with(const std::vector<std::string>& ids, char sigil) {
    return std::ranges::all_of(ids, [sigil](const auto& id) { return id.starts_with(sigil); });
}

base::Result<std::optional<std::vector<std::string>>> read_strings(const base::json::object& object,
                                                                   std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return std::optional<std::vector<std::string>>{};
    if (!value->is_array() || value->get_array().size() > kListLimit) return bad_filter(name);
    std::vector<std::string> strings;
    for (const auto& item : value->get_array()) {
        if (!item.is_string()) return bad_filter(name);
        strings.emplace_back(item.get_string());
    }
    return std::optional(std::move(strings));
}

/// A part that is an EventFilter of its own; an absent one lets everything through.
base::Result<void> read_part(const base::json::object& object, std::string_view name, RoomEventFilter& into) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_object()) return bad_filter(name);
    auto part = RoomEventFilter::parse(value->get_object());
    if (!part) return base::fail(std::move(part.error()));
    into = std::move(*part);
    if (!all_start_with(into.senders.value_or(std::vector<std::string>{}), '@') ||
        !all_start_with(into.not_senders, '@') ||
        !all_start_with(into.rooms.value_or(std::vector<std::string>{}), '!') ||
        !all_start_with(into.not_rooms, '!')) {
        return bad_filter(name);
    }
    return {};
}

base::Result<void> read_room(const base::json::object& object, SyncFilter& filter) {
    auto rooms = read_strings(object, "rooms");
    if (!rooms) return base::fail(std::move(rooms.error()));
    auto not_rooms = read_strings(object, "not_rooms");
    if (!not_rooms) return base::fail(std::move(not_rooms.error()));
    filter.rooms = std::move(*rooms);
    if (*not_rooms) filter.not_rooms = std::move(**not_rooms);
    if (filter.rooms && !all_start_with(*filter.rooms, '!')) return bad_filter("rooms");
    if (!all_start_with(filter.not_rooms, '!')) return bad_filter("not_rooms");
    if (base::has_wrong_type(object, "include_leave", base::json::kind::bool_))
        return bad_filter("include_leave");
    filter.include_leave = base::get_bool(object, "include_leave").value_or(false);
    const std::pair<std::string_view, RoomEventFilter&> parts[] = {
        {"ephemeral", filter.ephemeral},
        {"state", filter.state},
        {"timeline", filter.timeline},
        {"account_data", filter.room_account_data}};
    for (const auto& [name, part] : parts) {
        if (auto read = read_part(object, name, part); !read) return read;
    }
    return {};
}

/// Copies what `path` names from `from` into `to`, making the objects on the way.
void copy_path(const base::json::object& from, base::json::object& to, std::span<const std::string> path) {
    const auto* value = from.if_contains(path.front());
    if (value == nullptr) return;
    if (path.size() == 1) {
        to[path.front()] = *value;
        return;
    }
    if (!value->is_object()) return;
    auto& inner = to[path.front()];
    if (!inner.is_object()) inner = base::json::object();
    copy_path(value->get_object(), inner.get_object(), path.subspan(1));
}

}  // namespace

base::Result<SyncFilter> SyncFilter::parse(const base::json::object& object) {
    SyncFilter filter;
    auto fields = read_strings(object, "event_fields");
    if (!fields) return base::fail(std::move(fields.error()));
    if (*fields) filter.event_fields = std::move(**fields);
    const auto format = base::get_string(object, "event_format");
    if (object.contains("event_format") && format != "client" && format != "federation")
        return bad_filter("event_format");
    filter.federation_format = format == "federation";
    if (auto read = read_part(object, "presence", filter.presence); !read) return base::fail(read.error());
    if (auto read = read_part(object, "account_data", filter.account_data); !read)
        return base::fail(read.error());
    if (const auto* room = object.if_contains("room"); room != nullptr && !room->is_null()) {
        if (!room->is_object()) return bad_filter("room");
        if (auto read = read_room(room->get_object(), filter); !read) return base::fail(read.error());
    }
    return filter;
}

base::Result<SyncFilter> SyncFilter::parse_text(std::string_view text) {
    auto value = base::parse_json(text, kFilterLimitBytes);
    if (!value && value.error().kind == ErrorKind::too_large)
        return base::fail(ErrorKind::too_large, "M_TOO_LARGE", "The filter is over 64 KiB.");
    if (!value) return base::fail(ErrorKind::invalid, "M_NOT_JSON", "The filter is not JSON.");
    if (!value->is_object()) return base::fail(ErrorKind::invalid, "M_BAD_JSON", "A filter is an object.");
    return parse(value->get_object());
}

bool SyncFilter::allows_room(std::string_view room_id) const {
    return !contains(not_rooms, room_id) && (!rooms || contains(*rooms, room_id));
}

std::vector<std::string> split_path(std::string_view path) {
    std::vector<std::string> names(1);
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '\\' && i + 1 < path.size() && (path[i + 1] == '.' || path[i + 1] == '\\')) {
            names.back().push_back(path[++i]);
        } else if (path[i] == '.') {
            names.emplace_back();
        } else {
            names.back().push_back(path[i]);
        }
    }
    return names;
}

base::json::object keep_fields(const base::json::object& event, const std::vector<std::string>& fields) {
    base::json::object kept;
    for (const auto& field : fields) copy_path(event, kept, split_path(field));
    return kept;
}

}  // namespace chat
