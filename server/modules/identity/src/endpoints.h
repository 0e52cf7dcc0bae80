#pragma once

#include "core.h"

#include <net/message.h>
#include <runtime/task.h>

namespace identity {

// One function an endpoint, called as its specification calls it; routes.cc says where each stands.

// session_endpoints.cc
runtime::Task<net::Response> get_login_flows(Core& core, net::Request request);
runtime::Task<net::Response> login(Core& core, net::Request request);
runtime::Task<net::Response> generate_login_token(Core& core, net::Request request);
runtime::Task<net::Response> refresh(Core& core, net::Request request);
runtime::Task<net::Response> logout(Core& core, net::Request request);
runtime::Task<net::Response> logout_all(Core& core, net::Request request);
runtime::Task<net::Response> get_token_owner(Core& core, net::Request request);

// registration_endpoints.cc
runtime::Task<net::Response> register_account(Core& core, net::Request request);
runtime::Task<net::Response> check_username_availability(Core& core, net::Request request);
runtime::Task<net::Response> registration_token_validity(Core& core, net::Request request);
runtime::Task<net::Response> offer_localpart(Core& core, net::Request request);

}  // namespace identity
