#include "endpoints.h"

#include <identity/matrix_error.h>

namespace identity {
namespace {

std::string_view name_of(Registration registration) {
    switch (registration) {
        case Registration::invitation:
            return "invitation";
        case Registration::open:
            return "open";
        case Registration::closed:
            return "closed";
    }
    return "closed";
}

base::json::object capability(bool enabled) {
    return {{"enabled", enabled}};
}

}  // namespace

runtime::Task<net::Response> get_versions(Core& core, net::Request) {
    base::json::array versions;
    for (int minor = 1; minor <= 13; ++minor) versions.emplace_back("v1." + std::to_string(minor));
    base::json::object features;
    for (const auto& feature : core.options.unstable_features) features[feature] = true;
    co_return net::json(200, base::json::object{{"versions", std::move(versions)},
                                                {"unstable_features", std::move(features)}});
}

runtime::Task<net::Response> get_wellknown(Core& core, net::Request) {
    if (core.options.public_url.empty()) {
        co_return matrix_error(
            {base::ErrorKind::not_found, "M_NOT_FOUND", "This server has no public address."});
    }
    co_return net::json(
        200, base::json::object{{"m.homeserver", base::json::object{{"base_url", core.options.public_url}}}});
}

runtime::Task<net::Response> get_wellknown_support(Core& core, net::Request) {
    // The administrators' ids are nobody's business who has no account: only a page that was named is told
    // of.
    if (core.options.support_page.empty()) {
        co_return matrix_error(
            {base::ErrorKind::not_found, "M_NOT_FOUND", "This server names no support page."});
    }
    co_return net::json(200, base::json::object{{"support_page", core.options.support_page}});
}

runtime::Task<net::Response> get_capabilities(Core& core, net::Request) {
    base::json::object available;
    for (const auto& version : core.options.room_versions) available[version] = "stable";
    base::json::object capabilities{
        {"m.room_versions", base::json::object{{"default", core.options.default_room_version},
                                               {"available", std::move(available)}}},
        {"m.change_password", capability(true)},
        {"m.set_displayname", capability(true)},
        {"m.set_avatar_url", capability(true)},
        {"m.profile_fields", capability(true)},
        {"m.3pid_changes", capability(false)},
        {"m.get_login_token", capability(true)},
    };
    co_return net::json(200, base::json::object{{"capabilities", std::move(capabilities)}});
}

runtime::Task<net::Response> get_server(Core& core, net::Request) {
    base::json::object body{{"server_name", nullptr},
                            {"setup_needed", !core.is_set_up()},
                            {"registration", name_of(core.options.registration)},
                            {"version", core.options.version},
                            {"public_url", core.options.public_url},
                            {"max_upload_bytes", core.options.max_upload_bytes}};
    if (core.is_set_up()) body["server_name"] = core.name;
    co_return net::json(200, base::json::value(std::move(body)));
}

}  // namespace identity
