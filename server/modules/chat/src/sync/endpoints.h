#pragma once

#include "sync/core.h"

#include <net/message.h>
#include <runtime/task.h>

namespace chat {

// Named as the specification names them.

runtime::Task<net::Response> sync(SyncCore& core, net::Request request);
runtime::Task<net::Response> define_filter(SyncCore& core, net::Request request);
runtime::Task<net::Response> get_filter(SyncCore& core, net::Request request);

}  // namespace chat
