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

// uia_fallback_endpoint.cc
runtime::Task<net::Response> get_auth_fallback(Core& core, net::Request request);
runtime::Task<net::Response> post_auth_fallback(Core& core, net::Request request);

// device_endpoints.cc
runtime::Task<net::Response> get_devices(Core& core, net::Request request);
runtime::Task<net::Response> get_device(Core& core, net::Request request);
runtime::Task<net::Response> update_device(Core& core, net::Request request);
runtime::Task<net::Response> delete_device(Core& core, net::Request request);
runtime::Task<net::Response> delete_devices(Core& core, net::Request request);

// account_endpoints.cc
runtime::Task<net::Response> change_password(Core& core, net::Request request);
runtime::Task<net::Response> deactivate_account(Core& core, net::Request request);
runtime::Task<net::Response> get_account_3pids(Core& core, net::Request request);
runtime::Task<net::Response> refuse_3pid(Core& core, net::Request request);
runtime::Task<net::Response> refuse_3pid_medium(Core& core, net::Request request);
runtime::Task<net::Response> no_3pid_password_reset(Core& core, net::Request request);
runtime::Task<net::Response> forget_3pid(Core& core, net::Request request);
runtime::Task<net::Response> request_open_id_token(Core& core, net::Request request);
runtime::Task<net::Response> exchange_open_id_token(Core& core, net::Request request);

// profile_endpoints.cc
runtime::Task<net::Response> get_user_profile(Core& core, net::Request request);
runtime::Task<net::Response> get_profile_field(Core& core, net::Request request);
runtime::Task<net::Response> set_profile_field_of(Core& core, net::Request request);
runtime::Task<net::Response> delete_profile_field(Core& core, net::Request request);

// directory_endpoint.cc
runtime::Task<net::Response> search_user_directory(Core& core, net::Request request);

// discovery_endpoints.cc
runtime::Task<net::Response> get_versions(Core& core, net::Request request);
runtime::Task<net::Response> get_wellknown(Core& core, net::Request request);
runtime::Task<net::Response> get_wellknown_support(Core& core, net::Request request);
runtime::Task<net::Response> get_capabilities(Core& core, net::Request request);
runtime::Task<net::Response> get_server(Core& core, net::Request request);

// setup_endpoints.cc
runtime::Task<net::Response> check_setup(Core& core, net::Request request);
runtime::Task<net::Response> set_up(Core& core, net::Request request);

// invitation_endpoints.cc
runtime::Task<net::Response> create_invitation(Core& core, net::Request request);
runtime::Task<net::Response> list_own_invitations(Core& core, net::Request request);
runtime::Task<net::Response> end_invitation(Core& core, net::Request request);
runtime::Task<net::Response> preview_invitation(Core& core, net::Request request);

// reset_endpoints.cc
runtime::Task<net::Response> make_reset_link(Core& core, net::Request request);
runtime::Task<net::Response> check_password_reset(Core& core, net::Request request);
runtime::Task<net::Response> reset_password(Core& core, net::Request request);

// admin_endpoints.cc
runtime::Task<net::Response> list_users(Core& core, net::Request request);
runtime::Task<net::Response> change_user(Core& core, net::Request request);
runtime::Task<net::Response> get_who_is(Core& core, net::Request request);

}  // namespace identity
