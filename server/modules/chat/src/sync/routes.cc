#include "sync/routes.h"

#include "sync/endpoints.h"

#include <array>

namespace chat {
namespace {

using net::Method;
using net::RateClass;

constexpr std::size_t kSmallBody = 8 * 1024;
constexpr std::size_t kDataBody = 64 * 1024;

using Endpoint = runtime::Task<net::Response> (*)(SyncCore&, net::Request);

/// All need a token. `older`: the same path under r0, which clients that people have still call.
struct Row {
    Method method;
    std::string_view path;
    std::string_view older;
    std::string_view operation_id;
    RateClass rate;
    std::size_t body_limit_bytes;
    Endpoint endpoint;
    std::string_view summary;
};

constexpr std::array kRows{
    Row{Method::get, "/_matrix/client/v3/sync", "/_matrix/client/r0/sync", "sync", RateClass::sync, 0, sync,
        "What is new in all of one's rooms, waiting for it where there is nothing."},
    Row{Method::post, "/_matrix/client/v3/user/{userId}/filter", "/_matrix/client/r0/user/{userId}/filter",
        "defineFilter", RateClass::write, kFilterLimitBytes, define_filter, "Stores a filter for /sync."},
    Row{Method::get, "/_matrix/client/v3/user/{userId}/filter/{filterId}",
        "/_matrix/client/r0/user/{userId}/filter/{filterId}", "getFilter", RateClass::read, 0, get_filter,
        "A filter that was stored."},
    Row{Method::post, "/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}",
        "/_matrix/client/r0/rooms/{roomId}/receipt/{receiptType}/{eventId}", "postReceipt", RateClass::write,
        kSmallBody, post_receipt, "Says how far one has read."},
    Row{Method::post, "/_matrix/client/v3/rooms/{roomId}/read_markers",
        "/_matrix/client/r0/rooms/{roomId}/read_markers", "setReadMarker", RateClass::write, kSmallBody,
        set_read_marker, "Sets the read marker, and receipts with it."},
    Row{Method::put, "/_matrix/client/v3/rooms/{roomId}/typing/{userId}",
        "/_matrix/client/r0/rooms/{roomId}/typing/{userId}", "setTyping", RateClass::write, kSmallBody,
        set_typing, "Says that one is typing, or no longer."},
    Row{Method::put, "/_matrix/client/v3/presence/{userId}/status",
        "/_matrix/client/r0/presence/{userId}/status", "setPresence", RateClass::write, kSmallBody,
        set_presence, "Says whether one is there."},
    Row{Method::get, "/_matrix/client/v3/presence/{userId}/status",
        "/_matrix/client/r0/presence/{userId}/status", "getPresence", RateClass::read, 0, get_presence,
        "Whether a person is there."},
    Row{Method::put, "/_matrix/client/v3/user/{userId}/account_data/{type}",
        "/_matrix/client/r0/user/{userId}/account_data/{type}", "setAccountData", RateClass::write, kDataBody,
        set_account_data, "Sets a piece of one's own data."},
    Row{Method::get, "/_matrix/client/v3/user/{userId}/account_data/{type}",
        "/_matrix/client/r0/user/{userId}/account_data/{type}", "getAccountData", RateClass::read, 0,
        get_account_data, "A piece of one's own data."},
    Row{Method::put, "/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
        "/_matrix/client/r0/user/{userId}/rooms/{roomId}/account_data/{type}", "setAccountDataPerRoom",
        RateClass::write, kDataBody, set_account_data_per_room,
        "Sets a piece of one's own data about a room."},
    Row{Method::get, "/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}",
        "/_matrix/client/r0/user/{userId}/rooms/{roomId}/account_data/{type}", "getAccountDataPerRoom",
        RateClass::read, 0, get_account_data_per_room, "A piece of one's own data about a room."},
    Row{Method::get, "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags",
        "/_matrix/client/r0/user/{userId}/rooms/{roomId}/tags", "getRoomTags", RateClass::read, 0,
        get_room_tags, "One's own tags of a room."},
    Row{Method::put, "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
        "/_matrix/client/r0/user/{userId}/rooms/{roomId}/tags/{tag}", "setRoomTag", RateClass::write,
        kSmallBody, set_room_tag, "Tags a room for oneself."},
    Row{Method::del, "/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}",
        "/_matrix/client/r0/user/{userId}/rooms/{roomId}/tags/{tag}", "deleteRoomTag", RateClass::write,
        kSmallBody, delete_room_tag, "Takes a tag off a room."},
    Row{Method::get, "/_matrix/client/v3/pushrules/", "/_matrix/client/r0/pushrules/", "getPushRules",
        RateClass::read, 0, get_push_rules, "All of one's push rules."},
    Row{Method::get, "/_matrix/client/v3/pushrules/global/", "/_matrix/client/r0/pushrules/global/",
        "getPushRulesGlobal", RateClass::read, 0, get_push_rules_global, "One's global push rules."},
    Row{Method::get, "/_matrix/client/v3/pushrules/global/{kind}",
        "/_matrix/client/r0/pushrules/global/{kind}", "getPushRulesOfKind", RateClass::read, 0,
        get_push_rules_of_kind, "One's push rules of a kind."},
    Row{Method::get, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}", "getPushRule", RateClass::read, 0,
        get_push_rule, "A push rule."},
    Row{Method::put, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}", "setPushRule", RateClass::write, kDataBody,
        set_push_rule, "Adds or changes a push rule."},
    Row{Method::del, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}", "deletePushRule", RateClass::write, kSmallBody,
        delete_push_rule, "Deletes a push rule."},
    Row{Method::get, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}/enabled", "isPushRuleEnabled", RateClass::read,
        0, is_push_rule_enabled, "Whether a push rule is in force."},
    Row{Method::put, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}/enabled", "setPushRuleEnabled", RateClass::write,
        kSmallBody, set_push_rule_enabled, "Puts a push rule into force, or out of it."},
    Row{Method::get, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}/actions", "getPushRuleActions", RateClass::read,
        0, get_push_rule_actions, "What a push rule does."},
    Row{Method::put, "/_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
        "/_matrix/client/r0/pushrules/global/{kind}/{ruleId}/actions", "setPushRuleActions", RateClass::write,
        kDataBody, set_push_rule_actions, "Sets what a push rule does."},
    Row{Method::get, "/_matrix/client/v3/pushers", "/_matrix/client/r0/pushers", "getPushers",
        RateClass::read, 0, get_pushers, "One's pushers."},
    Row{Method::post, "/_matrix/client/v3/pushers/set", "/_matrix/client/r0/pushers/set", "postPusher",
        RateClass::write, kSmallBody, post_pusher, "Adds, changes or deletes a pusher."},
    Row{Method::get, "/_matrix/client/v3/notifications", "/_matrix/client/r0/notifications",
        "getNotifications", RateClass::read, 0, get_notifications,
        "The events that notified one, latest first."},
    Row{Method::get, "/_matrix/client/v3/voip/turnServer", "/_matrix/client/r0/voip/turnServer",
        "getTurnServer", RateClass::read, 0, get_turn_server, "Relays for calls: this server has none."},
};

}  // namespace

std::vector<net::Route> sync_routes(SyncCore& core) {
    std::vector<net::Route> routes;
    for (const auto& row : kRows) {
        auto& route = routes.emplace_back(
            net::Route{.method = row.method,
                       .path = row.path,
                       .operation_id = row.operation_id,
                       .auth = net::Auth::required,
                       .rate = row.rate,
                       .body_limit_bytes = row.body_limit_bytes,
                       .streams_body = false,
                       .handler = [&core, endpoint = row.endpoint](
                                      net::Request request) { return endpoint(core, std::move(request)); },
                       .summary = row.summary,
                       .aliases = {row.older}});
        // Clients leave the slash at the end away.
        for (const auto path : {row.path, row.older}) {
            if (path.ends_with('/')) route.aliases.push_back(path.substr(0, path.size() - 1));
        }
    }
    return routes;
}

}  // namespace chat
