#pragma once

#include "core.h"

#include <optional>
#include <string>
#include <string_view>

#include <base/json.h>
#include <base/result.h>
#include <net/message.h>
#include <runtime/task.h>

namespace chat {

using Answer = runtime::Task<net::Response>;

// timeline_endpoints.cc
Answer send_message_endpoint(Core& core, net::Request request);
Answer redact_event(Core& core, net::Request request);
Answer set_room_state_with_key(Core& core, net::Request request);

// state_endpoints.cc
Answer get_room_state(Core& core, net::Request request);
Answer get_room_state_with_key(Core& core, net::Request request);
Answer get_members_by_room(Core& core, net::Request request);
Answer get_joined_members_by_room(Core& core, net::Request request);

// reading_endpoints.cc
Answer get_one_room_event(Core& core, net::Request request);
Answer get_event_context(Core& core, net::Request request);
Answer get_room_events(Core& core, net::Request request);
Answer get_event_by_timestamp(Core& core, net::Request request);

// relation_endpoints.cc
Answer get_relating_events(Core& core, net::Request request);
Answer get_thread_roots(Core& core, net::Request request);

// membership_endpoints.cc
Answer get_joined_rooms(Core& core, net::Request request);
Answer invite_user(Core& core, net::Request request);
Answer join_room_by_id(Core& core, net::Request request);
Answer join_room_endpoint(Core& core, net::Request request);
Answer knock_room(Core& core, net::Request request);
Answer leave_room_endpoint(Core& core, net::Request request);
Answer forget_room(Core& core, net::Request request);
Answer kick(Core& core, net::Request request);
Answer ban(Core& core, net::Request request);
Answer unban(Core& core, net::Request request);

// room_endpoints.cc
Answer create_room_endpoint(Core& core, net::Request request);
Answer upgrade_room(Core& core, net::Request request);

// directory_endpoints.cc
Answer set_room_alias(Core& core, net::Request request);
Answer get_room_id_by_alias(Core& core, net::Request request);
Answer delete_room_alias(Core& core, net::Request request);
Answer get_local_aliases(Core& core, net::Request request);
Answer get_public_rooms(Core& core, net::Request request);
Answer query_public_rooms(Core& core, net::Request request);
Answer get_room_visibility_on_directory(Core& core, net::Request request);
Answer set_room_visibility_on_directory(Core& core, net::Request request);
Answer get_room_summary(Core& core, net::Request request);

/// The JSON object of a body; a large one is read on the CPU pool, so that it holds nobody up. Errors:
/// M_NOT_JSON and M_BAD_JSON.
runtime::Task<base::Result<base::json::object>> read_object(Core& core, std::string body);

/// 200 with a JSON text, or the failure as Matrix words it.
net::Response answer(base::Result<std::string> json);
net::Response empty_answer(const base::Result<void>& result);

/// A query parameter that is a count: within [1, most], or the default. Errors: M_INVALID_PARAM.
base::Result<std::size_t> read_limit(const net::Request& request, std::size_t fallback, std::size_t most);
/// A token of `name`, or nothing where it is absent. Errors: M_INVALID_PARAM.
base::Result<std::optional<Position>> read_timeline_token(const net::Request& request, std::string_view name);
/// "b" and "f": whether newest first. Errors: M_INVALID_PARAM (another word); M_MISSING_PARAM without a
/// fallback.
base::Result<bool> read_backwards(const net::Request& request, std::optional<bool> fallback);

}  // namespace chat
