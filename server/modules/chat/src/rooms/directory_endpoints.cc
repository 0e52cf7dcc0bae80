#include "endpoints.h"
#include "members/members.h"
#include "rooms/public_rooms.h"
#include "rooms/state_store.h"
#include "timeline/event_json.h"
#include "timeline/timeline.h"

#include <algorithm>

#include <identity/body.h>
#include <identity/matrix_error.h>
#include <identity/users.h>

namespace chat {
namespace {

constexpr std::size_t kDefaultLimit = 50;
constexpr std::size_t kMostLimit = 200;
constexpr std::size_t kAliasLimit = 1000;
constexpr std::size_t kAliasesARoom = 200;

std::unexpected<base::Error> no_such_alias() {
    return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such alias.");
}

/// "#something:server" in form; of which server is for the caller to ask.
bool is_alias(std::string_view text) {
    const auto colon = text.find(':');
    return colon != std::string_view::npos && is_alias_of(text, text.substr(colon + 1)) &&
           identity::is_server_name(text.substr(colon + 1));
}

net::Response bad_alias() {
    return identity::matrix_error(
        {base::ErrorKind::invalid, "M_INVALID_PARAM", "This is no room alias of this server."});
}

/// Whether the actor may decide how the room is found: as who may name its main alias, or administers the
/// server.
bool may_publish(storage::Transaction& tx, const RoomRules& rules, const Actor& actor) {
    if (actor.is_admin) return true;
    const auto membership = find_membership(tx, rules.room.number, actor.user);
    return membership && membership->membership == Membership::join &&
           rules.levels.of_user(actor.user_id) >= rules.levels.of_event("m.room.canonical_alias", true);
}

/// The canonical alias names one that is gone: it is taken out, where the actor may write it.
base::Result<void> drop_canonical_alias(RoomWriter& writer, const Actor& actor, const std::string& alias) {
    const auto current = state_event(writer.transaction(), writer.room().number, "m.room.canonical_alias");
    if (!current) return {};
    auto content = parse_content(*current);
    bool is_named = false;
    if (base::get_string(content, "alias") == alias) {
        content.erase("alias");
        is_named = true;
    }
    if (auto* others = content.contains("alt_aliases") ? content["alt_aliases"].if_array() : nullptr) {
        const auto end = std::remove(others->begin(), others->end(), base::json::value(alias));
        is_named = is_named || end != others->end();
        others->erase(end, others->end());
    }
    if (!is_named) return {};
    const auto dropped = writer.append_state(actor, "m.room.canonical_alias", "", std::move(content));
    if (!dropped && dropped.error().kind != base::ErrorKind::forbidden) return base::fail(dropped.error());
    return {};
}

base::Result<void> read_directory_filter(const base::json::object& filter, DirectoryQuery& query) {
    if (base::has_wrong_type(filter, "generic_search_term", base::json::kind::string) ||
        base::has_wrong_type(filter, "room_types", base::json::kind::array)) {
        return base::fail(base::ErrorKind::invalid, "M_BAD_JSON",
                          "'generic_search_term' is a string, 'room_types' a list.");
    }
    query.search_term = base::get_string(filter, "generic_search_term").value_or(std::string_view{});
    const auto* types = base::get_array(filter, "room_types");
    if (types == nullptr) return {};
    query.room_types.emplace();
    for (const auto& type : *types) {
        if (!type.is_string() && !type.is_null()) {
            return base::fail(base::ErrorKind::invalid, "M_BAD_JSON",
                              "'room_types' holds strings, and null for rooms without a type.");
        }
        query.room_types->push_back(type.is_string() ? std::optional(std::string(type.get_string()))
                                                     : std::nullopt);
    }
    return {};
}

/// `of_server`: whose directory is asked for.
Answer list_rooms(Core& core, DirectoryQuery query, std::optional<std::string> of_server) {
    co_return answer(co_await core.database.read([query = std::move(query), of_server = std::move(of_server)](
                                                     storage::Transaction& tx) -> base::Result<std::string> {
        if (of_server && *of_server != identity::server_name(tx)) {
            return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND",
                              "The directory of another server cannot be read from here.");
        }
        return read_directory(tx, query);
    }));
}

}  // namespace

Answer set_room_alias(Core& core, net::Request request) {
    identity::Body body(request);
    auto room_id = body.string("room_id");
    if (body.failed()) co_return identity::matrix_error(body.error());
    const auto actor = actor_of(request);
    const auto& alias = request.value("roomAlias");
    if (!is_alias_of(alias, identity::server_of(actor.user_id))) co_return bad_alias();
    auto write = [actor, alias](RoomWriter& writer) -> base::Result<void> {
        const auto membership = find_membership(writer.transaction(), writer.room().number, actor.user);
        if (!membership || membership->membership != Membership::join) return base::fail(Core::not_in_room());
        if (aliases_of(writer.transaction(), writer.room().number, kAliasesARoom).size() >= kAliasesARoom) {
            return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", "The room has too many aliases.");
        }
        if (!insert_alias(writer.transaction(), alias, writer.room().number, actor.user, writer.now_ms())) {
            return base::fail(base::ErrorKind::conflict, "chat.alias_taken",
                              "The alias '" + alias + "' is taken.");
        }
        return {};
    };
    co_return empty_answer(
        co_await core.write_in_room(std::move(room_id), std::move(write), Core::no_such_room()));
}

Answer get_room_id_by_alias(Core& core, net::Request request) {
    const auto& alias = request.value("roomAlias");
    if (!is_alias(alias)) co_return bad_alias();
    co_return answer(co_await core.database.read([alias](
                                                     storage::Transaction& tx) -> base::Result<std::string> {
        const auto found = find_alias(tx, alias);
        const auto room = found ? find_room(tx, found->room) : std::nullopt;
        if (!room) return no_such_alias();
        const auto server = alias.substr(alias.find(':') + 1);
        return base::json::serialize(base::json::object{{"room_id", room->id.value}, {"servers", {server}}});
    }));
}

Answer delete_room_alias(Core& core, net::Request request) {
    const auto actor = actor_of(request);
    const auto& alias = request.value("roomAlias");
    const auto room_id =
        co_await core.database.read([alias](storage::Transaction& tx) -> base::Result<std::string> {
            const auto found = find_alias(tx, alias);
            const auto room = found ? find_room(tx, found->room) : std::nullopt;
            if (!room) return no_such_alias();
            return room->id.value;
        });
    if (!room_id) co_return identity::matrix_error(room_id.error());
    auto write = [actor, alias](RoomWriter& writer) -> base::Result<void> {
        const auto found = find_alias(writer.transaction(), alias);
        if (!found || found->room != writer.room().number) return no_such_alias();
        if (found->creator != actor.user && !may_publish(writer.transaction(), writer.rules(), actor)) {
            return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                              "This alias is not yours to remove.");
        }
        delete_alias(writer.transaction(), alias);
        return drop_canonical_alias(writer, actor, alias);
    };
    co_return empty_answer(co_await core.write_in_room(*room_id, std::move(write)));
}

Answer get_local_aliases(Core& core, net::Request request) {
    if (!request.value("roomId").starts_with('!')) {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "This is no room id."});
    }
    auto read = [](RoomView& view) -> base::Result<std::string> {
        if (view.reads_state_at() != kEndOfTime) return base::fail(Core::not_in_room());
        base::json::array aliases;
        for (const auto& alias : aliases_of(view.transaction(), view.room(), kAliasLimit))
            aliases.emplace_back(alias);
        return base::json::serialize(base::json::object{{"aliases", std::move(aliases)}});
    };
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request), std::move(read)));
}

Answer get_public_rooms(Core& core, net::Request request) {
    DirectoryQuery query;
    const auto limit = read_limit(request, kDefaultLimit, kMostLimit);
    if (!limit) co_return identity::matrix_error(limit.error());
    query.limit = *limit;
    if (const auto since = request.query.get("since"); since && !since->empty()) {
        if (auto read = read_directory_token(*since, query); !read)
            co_return identity::matrix_error(read.error());
    }
    co_return co_await list_rooms(core, std::move(query),
                                  std::optional<std::string>(request.query.get("server")));
}

Answer query_public_rooms(Core& core, net::Request request) {
    identity::Body body(request);
    DirectoryQuery query;
    const auto limit = body.optional_int("limit").value_or(kDefaultLimit);
    const auto since = body.optional_string("since");
    const auto* filter = body.optional_object("filter");
    if (body.failed()) co_return identity::matrix_error(body.error());
    if (limit < 0) {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'limit' is negative."});
    }
    query.limit = std::min(static_cast<std::size_t>(limit), kMostLimit);
    if (since && !since->empty()) {
        if (auto read = read_directory_token(*since, query); !read)
            co_return identity::matrix_error(read.error());
    }
    if (filter != nullptr) {
        if (auto read = read_directory_filter(*filter, query); !read)
            co_return identity::matrix_error(read.error());
    }
    co_return co_await list_rooms(core, std::move(query),
                                  std::optional<std::string>(request.query.get("server")));
}

Answer get_room_visibility_on_directory(Core& core, net::Request request) {
    co_return answer(co_await core.database.read([room_id = request.value("roomId")](
                                                     storage::Transaction& tx) -> base::Result<std::string> {
        const auto room = find_room(tx, room_id);
        if (!room) return base::fail(Core::no_such_room());
        return std::string(room->is_listed ? R"({"visibility":"public"})" : R"({"visibility":"private"})");
    }));
}

Answer set_room_visibility_on_directory(Core& core, net::Request request) {
    identity::Body body(request);
    const auto visibility = body.optional_string("visibility").value_or("public");
    if (body.failed()) co_return identity::matrix_error(body.error());
    if (visibility != "public" && visibility != "private") {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'visibility' is 'public' or 'private'."});
    }
    auto write = [actor = actor_of(request),
                  listed = visibility == "public"](RoomWriter& writer) -> base::Result<void> {
        if (!may_publish(writer.transaction(), writer.rules(), actor)) {
            return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                              "Publishing this room needs a higher power level.");
        }
        set_listed(writer.transaction(), writer.room().number, listed);
        return {};
    };
    co_return empty_answer(
        co_await core.write_in_room(request.value("roomId"), std::move(write), Core::no_such_room()));
}

Answer get_room_summary(Core& core, net::Request request) {
    auto read = [id = request.value("roomIdOrAlias"),
                 actor = actor_of(request)](storage::Transaction& tx) -> base::Result<std::string> {
        auto room = find_room(tx, id);
        if (!room) {
            const auto alias = find_alias(tx, id);
            if (alias) room = find_room(tx, alias->room);
        }
        if (!room) return base::fail(Core::no_such_room());
        const auto card = read_card(tx, room->number);
        const auto membership = find_membership(tx, room->number, actor.user);
        const auto is = membership ? membership->membership : Membership::none;
        const bool is_open = card.world_readable || card.join_rule == "public" || card.join_rule == "knock" ||
                             card.join_rule == "knock_restricted";
        if (!is_open && is != Membership::join && is != Membership::invite &&
            !fulfils_conditions(tx, room->number, actor.user))
            return base::fail(Core::no_such_room());
        auto json = card_json(*room, card);
        json["room_version"] = to_string(room->version);
        if (!card.encryption.empty()) json["encryption"] = card.encryption;
        if (!card.allowed_room_ids.empty()) json["allowed_room_ids"] = card.allowed_room_ids;
        if (is != Membership::none) json["membership"] = to_string(is);
        return base::json::serialize(json);
    };
    co_return answer(co_await core.database.read(std::move(read)));
}

}  // namespace chat
