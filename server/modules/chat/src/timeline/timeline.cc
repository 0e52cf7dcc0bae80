#include "timeline/timeline.h"

#include "members/members.h"
#include "rooms/state_store.h"
#include "timeline/event_json.h"

#include <algorithm>
#include <set>

#include <identity/ids.h>

namespace chat {
namespace {

constexpr std::string_view kCanonicalAlias = "m.room.canonical_alias";
constexpr std::string_view kMember = "m.room.member";
constexpr std::size_t kAliasLimitBytes = 255;
constexpr std::size_t kTxnLimitBytes = 255;

std::set<std::string> aliases_in(const base::json::object& content) {
    std::set<std::string> aliases;
    if (const auto alias = base::get_string(content, "alias"); alias && !alias->empty())
        aliases.emplace(*alias);
    if (const auto* others = base::get_array(content, "alt_aliases")) {
        for (const auto& alias : *others) {
            if (alias.is_string()) aliases.emplace(alias.get_string());
        }
    }
    return aliases;
}

/// A draft of what a client sends, with all that depends on nothing stored done.
struct Message {
    Actor actor;
    std::string type;
    std::optional<std::string> state_key;
    PreparedContent content;
};

base::Result<Appended> append(RoomWriter& writer, const Message& message) {
    return writer.append({.type = message.type,
                          .state_key = message.state_key,
                          .sender = message.actor.user,
                          .sender_id = message.actor.user_id,
                          .content = message.content,
                          .now_ms = writer.now_ms()});
}

/// Whether the room's rules are not all that a client's state of this type is judged by.
bool needs_check(std::string_view type) {
    return type == kCanonicalAlias || type == kMember;
}

/// The event that this request made before, where the row says so too.
std::optional<EventId> find_sent(storage::Transaction& tx, const SentTransaction& wanted) {
    if (!wanted.position) return std::nullopt;
    const auto sent = find_transaction(tx, wanted.position);
    if (!sent || sent->scope_key != wanted.scope_key || sent->txn_id != wanted.txn_id ||
        sent->device != wanted.device) {
        return std::nullopt;
    }
    return EventId(event_id_at(tx, sent->room, sent->position));
}

struct Sent {
    EventId id;
    Position position;
};

runtime::Task<base::Result<EventId>> send_once(Core& core, std::string room_id, Message message, Txn txn) {
    SentTransaction row{.device = message.actor.device,
                        .scope_key = transaction_scope_key(message.actor.user, message.actor.device,
                                                           txn.endpoint, room_id, message.type, txn.id),
                        .txn_id = std::move(txn.id)};
    const auto key = row.scope_key;
    const auto turn = co_await core.transactions.take_turn(key);
    if (!turn) co_return base::fail(turn.error());
    row.position = core.transactions.find(key);
    const auto sent =
        co_await core.write_in_room(std::move(room_id),
                                    [message = std::move(message),
                                     row = std::move(row)](RoomWriter& writer) mutable -> base::Result<Sent> {
                                        if (auto id = find_sent(writer.transaction(), row))
                                            return Sent{std::move(*id), row.position};
                                        auto appended = append(writer, message);
                                        if (!appended) return base::fail(std::move(appended.error()));
                                        row.position = appended->position;
                                        row.room = appended->room;
                                        row.sent_at_ms = writer.now_ms();
                                        insert_transaction(writer.transaction(), row);
                                        return Sent{std::move(appended->id), appended->position};
                                    });
    if (!sent) co_return base::fail(sent.error());
    core.transactions.remember(key, sent->position);
    co_return sent->id;
}

runtime::Task<base::Result<EventId>> send_now(Core& core, std::string room_id, Message message) {
    const auto appended = co_await core.write_in_room(
        std::move(room_id), [message = std::move(message)](RoomWriter& writer) -> base::Result<Appended> {
            if (message.state_key && needs_check(message.type)) {
                return append_checked_state(writer, message.actor, message.type, *message.state_key,
                                            message.content.object);
            }
            return append(writer, message);
        });
    if (!appended) co_return base::fail(appended.error());
    co_return appended->id;
}

}  // namespace

bool is_alias_of(std::string_view text, std::string_view server) {
    if (text.size() > kAliasLimitBytes || !text.starts_with('#')) return false;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon < 2) return false;
    const auto localpart = text.substr(1, colon - 1);
    return text.substr(colon + 1) == server && localpart.find('\0') == std::string_view::npos;
}

base::Result<void> check_canonical_alias(RoomWriter& writer, const base::json::object& content) {
    for (const auto* key : {"alias", "alt_aliases"}) {
        const auto* value = content.if_contains(key);
        const bool is_alias = std::string_view(key) == "alias";
        const auto is_string = [](const base::json::value& entry) { return entry.is_string(); };
        if (value == nullptr || value->is_null() || (is_alias && value->is_string())) continue;
        if (!is_alias && value->is_array() && std::ranges::all_of(value->get_array(), is_string)) continue;
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "An alias must be a string.");
    }
    std::set<std::string> before;
    if (const auto current = state_event(writer.transaction(), writer.room().number, kCanonicalAlias)) {
        before = aliases_in(parse_content(*current));
    }
    for (const auto& alias : aliases_in(content)) {
        if (before.contains(alias)) continue;
        const auto colon = alias.find(':');
        if (colon == std::string::npos || !is_alias_of(alias, alias.substr(colon + 1)) ||
            !identity::is_server_name(alias.substr(colon + 1))) {
            return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                              "'" + alias + "' is no room alias.");
        }
        const auto found = find_alias(writer.transaction(), alias);
        if (!found || found->room != writer.room().number) {
            return base::fail(base::ErrorKind::invalid, "M_BAD_ALIAS",
                              "The alias '" + alias + "' does not point to this room.");
        }
    }
    return {};
}

base::Result<Appended> append_checked_state(RoomWriter& writer, const Actor& actor, std::string_view type,
                                            std::string_view state_key, base::json::object content) {
    if (type == kCanonicalAlias) {
        if (auto checked = check_canonical_alias(writer, content); !checked)
            return base::fail(std::move(checked.error()));
    }
    if (type == kMember) {
        auto checked = checked_member(writer, actor, state_key, std::move(content));
        if (!checked) return base::fail(std::move(checked.error()));
        content = std::move(*checked);
    }
    return writer.append_state(actor, type, state_key, std::move(content));
}

runtime::Task<base::Result<EventId>> send_message(Core& core, Actor actor, std::string room_id,
                                                  std::string type, base::json::object content,
                                                  std::optional<Txn> txn) {
    auto prepared = prepare_content(type, std::move(content));
    if (!prepared) co_return base::fail(std::move(prepared.error()));
    Message message{std::move(actor), std::move(type), std::nullopt, std::move(*prepared)};
    if (!txn) co_return co_await send_now(core, std::move(room_id), std::move(message));
    if (txn->id.size() > kTxnLimitBytes) {
        co_return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                             "A transaction id has at most 255 bytes.");
    }
    co_return co_await send_once(core, std::move(room_id), std::move(message), std::move(*txn));
}

runtime::Task<base::Result<EventId>> set_state(Core& core, Actor actor, std::string room_id, std::string type,
                                               std::string state_key, base::json::object content) {
    auto prepared = prepare_content(type, std::move(content));
    if (!prepared) co_return base::fail(std::move(prepared.error()));
    co_return co_await send_now(
        core, std::move(room_id),
        {std::move(actor), std::move(type), std::move(state_key), std::move(*prepared)});
}

}  // namespace chat
