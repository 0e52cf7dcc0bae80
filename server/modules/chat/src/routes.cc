#include "routes.h"

#include "endpoints.h"

#include <initializer_list>

namespace chat {
namespace {

using Endpoint = Answer (*)(Core&, net::Request);
using enum net::Method;
using net::RateClass;

constexpr std::size_t kSmallBytes = 16 * 1024;
/// An event of 65,535 bytes canonical, however it is spaced and escaped.
constexpr std::size_t kEventBodyBytes = 400 * 1024;
constexpr std::size_t kRoomBodyBytes = 1024 * 1024;

struct Row {
    net::Method method;
    std::string_view path;
    std::string_view operation_id;
    RateClass rate;
    Endpoint endpoint;
    std::string_view summary;
    std::vector<std::string_view> aliases = {};
    std::size_t body_limit_bytes = kSmallBytes;
    net::Auth auth = net::Auth::required;
};

const std::initializer_list<Row>& timeline_rows() {
    static const std::initializer_list<Row> rows{
        {put,
         "/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}",
         "sendMessage",
         RateClass::send,
         send_message_endpoint,
         "Sends a message, once for each transaction id",
         {"/_matrix/client/r0/rooms/{roomId}/send/{eventType}/{txnId}"},
         kEventBodyBytes},
        {put,
         "/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}",
         "redactEvent",
         RateClass::send,
         redact_event,
         "Takes an event's content away for good",
         {"/_matrix/client/r0/rooms/{roomId}/redact/{eventId}/{txnId}"}},
        {put,
         "/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
         "setRoomStateWithKey",
         RateClass::send,
         set_room_state_with_key,
         "Sets a piece of the room's state",
         {"/_matrix/client/v3/rooms/{roomId}/state/{eventType}",
          "/_matrix/client/r0/rooms/{roomId}/state/{eventType}/{stateKey}",
          "/_matrix/client/r0/rooms/{roomId}/state/{eventType}"},
         kEventBodyBytes},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/event/{eventId}",
         "getOneRoomEvent",
         RateClass::read,
         get_one_room_event,
         "One event",
         {"/_matrix/client/r0/rooms/{roomId}/event/{eventId}"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/context/{eventId}",
         "getEventContext",
         RateClass::read,
         get_event_context,
         "What was said around an event",
         {"/_matrix/client/r0/rooms/{roomId}/context/{eventId}"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/messages",
         "getRoomEvents",
         RateClass::read,
         get_room_events,
         "A page of the timeline, backwards or forwards",
         {"/_matrix/client/r0/rooms/{roomId}/messages"}},
        {get, "/_matrix/client/v1/rooms/{roomId}/timestamp_to_event", "getEventByTimestamp", RateClass::read,
         get_event_by_timestamp, "The event nearest to a time"},
        {get,
         "/_matrix/client/v1/rooms/{roomId}/relations/{eventId}",
         "getRelatingEvents",
         RateClass::read,
         get_relating_events,
         "What relates to an event",
         {"/_matrix/client/unstable/rooms/{roomId}/relations/{eventId}"}},
        {get,
         "/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}",
         "getRelatingEventsWithRelType",
         RateClass::read,
         get_relating_events,
         "What relates to an event in one way",
         {"/_matrix/client/unstable/rooms/{roomId}/relations/{eventId}/{relType}"}},
        {get,
         "/_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}",
         "getRelatingEventsWithRelTypeAndEventType",
         RateClass::read,
         get_relating_events,
         "What relates to an event in one way and is of one type",
         {"/_matrix/client/unstable/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}"}},
        {get, "/_matrix/client/v1/rooms/{roomId}/threads", "getThreadRoots", RateClass::read,
         get_thread_roots, "The room's threads, latest first"},
    };
    return rows;
}

const std::initializer_list<Row>& state_rows() {
    static const std::initializer_list<Row> rows{
        {get,
         "/_matrix/client/v3/rooms/{roomId}/state",
         "getRoomState",
         RateClass::read,
         get_room_state,
         "The whole state of a room",
         {"/_matrix/client/r0/rooms/{roomId}/state"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
         "getRoomStateWithKey",
         RateClass::read,
         get_room_state_with_key,
         "A piece of the room's state",
         {"/_matrix/client/v3/rooms/{roomId}/state/{eventType}",
          "/_matrix/client/r0/rooms/{roomId}/state/{eventType}/{stateKey}",
          "/_matrix/client/r0/rooms/{roomId}/state/{eventType}"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/members",
         "getMembersByRoom",
         RateClass::read,
         get_members_by_room,
         "The room's member events",
         {"/_matrix/client/r0/rooms/{roomId}/members"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/joined_members",
         "getJoinedMembersByRoom",
         RateClass::read,
         get_joined_members_by_room,
         "Who is in the room",
         {"/_matrix/client/r0/rooms/{roomId}/joined_members"}},
    };
    return rows;
}

const std::initializer_list<Row>& membership_rows() {
    static const std::initializer_list<Row> rows{
        {get,
         "/_matrix/client/v3/joined_rooms",
         "getJoinedRooms",
         RateClass::read,
         get_joined_rooms,
         "The rooms that one is in",
         {"/_matrix/client/r0/joined_rooms"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/invite",
         "inviteUser",
         RateClass::write,
         invite_user,
         "Invites somebody",
         {"/_matrix/client/r0/rooms/{roomId}/invite"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/join",
         "joinRoomById",
         RateClass::write,
         join_room_by_id,
         "Joins a room by its id",
         {"/_matrix/client/r0/rooms/{roomId}/join"}},
        {post,
         "/_matrix/client/v3/join/{roomIdOrAlias}",
         "joinRoom",
         RateClass::write,
         join_room_endpoint,
         "Joins a room by its id or alias",
         {"/_matrix/client/r0/join/{roomIdOrAlias}"}},
        {post,
         "/_matrix/client/v3/knock/{roomIdOrAlias}",
         "knockRoom",
         RateClass::write,
         knock_room,
         "Asks to be let in",
         {"/_matrix/client/r0/knock/{roomIdOrAlias}"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/leave",
         "leaveRoom",
         RateClass::write,
         leave_room_endpoint,
         "Leaves, refuses an invitation or takes back a knock",
         {"/_matrix/client/r0/rooms/{roomId}/leave"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/forget",
         "forgetRoom",
         RateClass::write,
         forget_room,
         "Forgets a room that one has left",
         {"/_matrix/client/r0/rooms/{roomId}/forget"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/kick",
         "kick",
         RateClass::write,
         kick,
         "Removes somebody",
         {"/_matrix/client/r0/rooms/{roomId}/kick"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/ban",
         "ban",
         RateClass::write,
         ban,
         "Bans somebody",
         {"/_matrix/client/r0/rooms/{roomId}/ban"}},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/unban",
         "unban",
         RateClass::write,
         unban,
         "Lifts a ban",
         {"/_matrix/client/r0/rooms/{roomId}/unban"}},
    };
    return rows;
}

const std::initializer_list<Row>& directory_rows() {
    static const std::initializer_list<Row> rows{
        {post,
         "/_matrix/client/v3/createRoom",
         "createRoom",
         RateClass::write,
         create_room_endpoint,
         "Makes a room",
         {"/_matrix/client/r0/createRoom"},
         kRoomBodyBytes},
        {post,
         "/_matrix/client/v3/rooms/{roomId}/upgrade",
         "upgradeRoom",
         RateClass::write,
         upgrade_room,
         "Replaces a room by one of another version",
         {"/_matrix/client/r0/rooms/{roomId}/upgrade"}},
        {put,
         "/_matrix/client/v3/directory/room/{roomAlias}",
         "setRoomAlias",
         RateClass::write,
         set_room_alias,
         "Gives a room an alias",
         {"/_matrix/client/r0/directory/room/{roomAlias}"}},
        {get,
         "/_matrix/client/v3/directory/room/{roomAlias}",
         "getRoomIdByAlias",
         RateClass::read,
         get_room_id_by_alias,
         "The room that an alias means",
         {"/_matrix/client/r0/directory/room/{roomAlias}"},
         kSmallBytes,
         net::Auth::none},
        {del,
         "/_matrix/client/v3/directory/room/{roomAlias}",
         "deleteRoomAlias",
         RateClass::write,
         delete_room_alias,
         "Takes an alias away",
         {"/_matrix/client/r0/directory/room/{roomAlias}"}},
        {get,
         "/_matrix/client/v3/rooms/{roomId}/aliases",
         "getLocalAliases",
         RateClass::read,
         get_local_aliases,
         "The room's aliases",
         {"/_matrix/client/r0/rooms/{roomId}/aliases"}},
        {get,
         "/_matrix/client/v3/publicRooms",
         "getPublicRooms",
         RateClass::read,
         get_public_rooms,
         "The published rooms",
         {"/_matrix/client/r0/publicRooms"}},
        {post,
         "/_matrix/client/v3/publicRooms",
         "queryPublicRooms",
         RateClass::read,
         query_public_rooms,
         "Searches the published rooms",
         {"/_matrix/client/r0/publicRooms"}},
        {get,
         "/_matrix/client/v3/directory/list/room/{roomId}",
         "getRoomVisibilityOnDirectory",
         RateClass::read,
         get_room_visibility_on_directory,
         "Whether a room is published",
         {"/_matrix/client/r0/directory/list/room/{roomId}"},
         kSmallBytes,
         net::Auth::none},
        {put,
         "/_matrix/client/v3/directory/list/room/{roomId}",
         "setRoomVisibilityOnDirectory",
         RateClass::write,
         set_room_visibility_on_directory,
         "Publishes a room, or takes it off the list",
         {"/_matrix/client/r0/directory/list/room/{roomId}"}},
        {get, "/_matrix/client/v1/room_summary/{roomIdOrAlias}", "getRoomSummary", RateClass::read,
         get_room_summary, "What a room shows to those who may join it"},
    };
    return rows;
}

}  // namespace

std::vector<net::Route> room_routes(Core& core) {
    std::vector<net::Route> routes;
    for (const auto* rows : {&timeline_rows(), &state_rows(), &membership_rows(), &directory_rows()}) {
        for (const auto& row : *rows) {
            const bool has_body = row.method == post || row.method == put;
            routes.push_back(
                {.method = row.method,
                 .path = row.path,
                 .operation_id = row.operation_id,
                 .auth = row.auth,
                 .rate = row.rate,
                 .body_limit_bytes = has_body ? row.body_limit_bytes : 0,
                 .streams_body = false,
                 .handler = [&core, endpoint = row.endpoint](
                                net::Request request) { return endpoint(core, std::move(request)); },
                 .summary = row.summary,
                 .aliases = row.aliases});
        }
    }
    return routes;
}

}  // namespace chat
