#include "members/membership_store.h"
#include "rooms/room_store.h"
#include "sync/account_data_store.h"
#include "sync/endpoints.h"
#include "sync/unread.h"

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;

constexpr std::string_view kPushRules = "m.push_rules";
constexpr std::string_view kTag = "m.tag";
constexpr std::size_t kTypeLimitBytes = 255;
/// Pieces of account data of one person about one room, or about none.
constexpr std::int64_t kCountLimit = 1000;
constexpr std::size_t kTagLimit = 100;

std::unexpected<base::Error> invalid(std::string_view code, std::string message) {
    return base::fail(ErrorKind::invalid, code, std::move(message));
}
std::unexpected<base::Error> not_found() {
    return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "Account data not found.");
}

/// What the server writes by other ways; the specification has a status of its own for it.
net::Response managed_by_server(std::string_view type) {
    return net::json(405,
                     base::json::value{{"errcode", "M_BAD_JSON"},
                                       {"error", "Cannot set " + std::string(type) + " through this API."}});
}
bool is_managed(std::string_view type) {
    return type == "m.fully_read" || type == kPushRules;
}

/// The room of a path, for whoever is or was in it; an empty id: no room.
base::Result<RoomNumber> own_room(storage::Transaction& tx, const std::string& room_id,
                                  identity::UserNumber user) {
    if (room_id.empty()) return kNoRoom;
    const auto room = find_room(tx, room_id);
    if (!room || !find_membership(tx, room->number, user))
        return base::fail(ErrorKind::forbidden, "M_FORBIDDEN", "You are not in this room.");
    return room->number;
}

base::Result<void> check_room_id(const net::Request& request) {
    if (request.value("roomId").starts_with('!')) return {};
    return invalid("M_INVALID_PARAM", "That is no room id.");
}

runtime::Task<net::Response> put(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    const auto& type = request.value("type");
    if (is_managed(type)) co_return managed_by_server(type);
    if (type.empty() || type.size() > kTypeLimitBytes)
        co_return matrix_error(invalid("M_INVALID_PARAM", "A type has 1 to 255 bytes.").error());
    if (request.body.empty())
        co_return matrix_error(invalid("M_NOT_JSON", "Content must be a JSON object.").error());
    if (auto body = body_of(request); !body) co_return matrix_error(body.error());
    // Kept as it was written: it has been shown to be JSON, and is spliced into answers.
    auto done = co_await core.database.write(
        {"user:" + std::to_string(owner->user.value)},
        [&core, user = owner->user, room_id = request.value("roomId"), type,
         json = std::move(request.body)](storage::Transaction& tx) -> base::Result<void> {
            const auto room = own_room(tx, room_id, user);
            if (!room) return base::fail(room.error());
            if (!find_account_data(tx, user, *room, type) &&
                count_account_data(tx, user, *room) >= kCountLimit)
                return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                                  "There is too much account data.");
            write_account_data(core, tx, user, *room, type, json);
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> get(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    auto json = co_await core.database.read(
        [caller = *owner, room_id = request.value("roomId"),
         type = request.value("type")](storage::Transaction& tx) -> base::Result<std::string> {
            const auto room = own_room(tx, room_id, caller.user);
            if (!room) return not_found();
            if (type == kPushRules && *room == kNoRoom) {
                const auto settings = load_settings(tx, caller.user, caller.user_id, nullptr);
                return base::json::serialize(push_rules_content(settings->own_rules()));
            }
            auto found = find_account_data(tx, caller.user, *room, type);
            if (!found) return not_found();
            return std::move(found->json);
        });
    if (!json) co_return matrix_error(json.error());
    co_return net::json(200, std::move(*json));
}

base::json::object tags_of(storage::Transaction& tx, identity::UserNumber user, RoomNumber room) {
    if (const auto data = find_account_data(tx, user, room, kTag)) {
        const auto content = base::parse_json(data->json, data->json.size());
        if (content && content->is_object()) {
            if (const auto* tags = base::get_object(content->get_object(), "tags")) return *tags;
        }
    }
    return {};
}

/// Changes the tags of a room by `change`, which says whether it changed anything.
runtime::Task<net::Response> change_tags(
    SyncCore& core, net::Request request,
    std::move_only_function<base::Result<bool>(base::json::object&)> change) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    if (auto checked = check_room_id(request); !checked) co_return matrix_error(checked.error());
    auto done = co_await core.database.write(
        {"user:" + std::to_string(owner->user.value)},
        [&core, user = owner->user, room_id = request.value("roomId"),
         change = std::move(change)](storage::Transaction& tx) mutable -> base::Result<void> {
            const auto room = own_room(tx, room_id, user);
            if (!room) return base::fail(room.error());
            auto tags = tags_of(tx, user, *room);
            const auto changed = change(tags);
            if (!changed) return base::fail(changed.error());
            if (!*changed) return {};
            base::json::object content;
            content["tags"] = std::move(tags);
            write_account_data(core, tx, user, *room, kTag, base::json::serialize(content));
            return {};
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

}  // namespace

runtime::Task<net::Response> set_account_data(SyncCore& core, net::Request request) {
    co_return co_await put(core, std::move(request));
}

runtime::Task<net::Response> get_account_data(SyncCore& core, net::Request request) {
    co_return co_await get(core, std::move(request));
}

runtime::Task<net::Response> set_account_data_per_room(SyncCore& core, net::Request request) {
    if (auto checked = check_room_id(request); !checked) co_return matrix_error(checked.error());
    co_return co_await put(core, std::move(request));
}

runtime::Task<net::Response> get_account_data_per_room(SyncCore& core, net::Request request) {
    if (auto checked = check_room_id(request); !checked) co_return matrix_error(checked.error());
    co_return co_await get(core, std::move(request));
}

runtime::Task<net::Response> get_room_tags(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    auto tags =
        co_await core.database.read([user = owner->user, room_id = request.value("roomId")](
                                        storage::Transaction& tx) -> base::Result<base::json::object> {
            const auto room = own_room(tx, room_id, user);
            if (!room) return base::fail(room.error());
            return tags_of(tx, user, *room);
        });
    if (!tags) co_return matrix_error(tags.error());
    base::json::object content;
    content["tags"] = std::move(*tags);
    co_return net::json(200, base::json::value(std::move(content)));
}

runtime::Task<net::Response> set_room_tag(SyncCore& core, net::Request request) {
    auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    if (const auto* order = body->if_contains("order"); order != nullptr && !order->is_number())
        co_return matrix_error(invalid("M_BAD_JSON", "'order' has to be a number.").error());
    auto tag = request.value("tag");
    if (tag.empty() || tag.size() > kTypeLimitBytes)
        co_return matrix_error(invalid("M_INVALID_PARAM", "A tag has 1 to 255 bytes.").error());
    co_return co_await change_tags(
        core, std::move(request),
        [tag = std::move(tag), body = std::move(*body)](base::json::object& tags) -> base::Result<bool> {
            if (!tags.contains(tag) && tags.size() >= kTagLimit)
                return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                                  "There are too many tags.");
            tags[tag] = body;
            return true;
        });
}

runtime::Task<net::Response> delete_room_tag(SyncCore& core, net::Request request) {
    auto tag = request.value("tag");
    co_return co_await change_tags(core, std::move(request),
                                   [tag = std::move(tag)](base::json::object& tags) -> base::Result<bool> {
                                       return tags.erase(tag) > 0;
                                   });
}

}  // namespace chat
