#pragma once

#include "sync/core.h"

#include <net/message.h>
#include <runtime/task.h>

namespace chat {

// Named as the specification names them.

runtime::Task<net::Response> sync(SyncCore& core, net::Request request);
runtime::Task<net::Response> define_filter(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_filter(SyncCore& core, net::Request request);
runtime::Task<net::Response> post_receipt(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_read_marker(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_typing(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_presence(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_presence(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_account_data(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_account_data(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_account_data_per_room(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_account_data_per_room(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_room_tags(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_room_tag(SyncCore& core, net::Request request);
runtime::Task<net::Response> delete_room_tag(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_push_rules(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_push_rules_global(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_push_rules_of_kind(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_push_rule(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_push_rule(SyncCore& core, net::Request request);
runtime::Task<net::Response> delete_push_rule(SyncCore& core, net::Request request);
runtime::Task<net::Response> is_push_rule_enabled(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_push_rule_enabled(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_push_rule_actions(SyncCore& core, net::Request request);
runtime::Task<net::Response> set_push_rule_actions(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_pushers(SyncCore& core, net::Request request);
runtime::Task<net::Response> post_pusher(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_notifications(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_turn_server(SyncCore& core, net::Request request);

}  // namespace chat
