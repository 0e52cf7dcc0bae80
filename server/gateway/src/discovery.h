#pragma once

#include "http_client.h"

#include <vector>

#include <egress/model.h>

namespace gateway {

/// Looks for model servers on loopback at the ports that they use by default, 200 ms each at most, all at
/// once. What is found is offered to the administrator, never switched on.
runtime::Task<std::vector<egress::Found>> discover(runtime::Runtime& runtime, HttpClient& http);

}  // namespace gateway
