#include "endpoints.h"

namespace identity {
namespace {

using Endpoint = runtime::Task<net::Response> (*)(Core&, net::Request);

constexpr std::size_t kSmallBytes = 16 * 1024;
constexpr std::size_t kLargeBytes = 128 * 1024;  // a profile of 64 KiB with all its escapes, 1000 device ids

class Table {
  public:
    explicit Table(Core& core) : core_(core) {}

    net::Route& add(net::Method method, std::string_view path, std::string_view operation_id, net::Auth auth,
                    net::RateClass rate, Endpoint endpoint, std::string_view summary,
                    std::vector<std::string_view> aliases = {}) {
        return rows_.emplace_back(net::Route{
            .method = method,
            .path = path,
            .operation_id = operation_id,
            .auth = auth,
            .rate = rate,
            .body_limit_bytes = kSmallBytes,
            .streams_body = false,
            .handler = [&core = core_,
                        endpoint](net::Request request) { return endpoint(core, std::move(request)); },
            .summary = summary,
            .aliases = std::move(aliases)});
    }
    std::vector<net::Route> take() { return std::move(rows_); }

  private:
    Core& core_;
    std::vector<net::Route> rows_;
};

using enum net::Method;
using net::Auth;
using net::RateClass;

void add_discovery(Table& table) {
    table.add(get, "/_matrix/client/versions", "getVersions", Auth::none, RateClass::read, get_versions,
              "Versions of the specification that hold");
    table.add(get, "/.well-known/matrix/client", "getWellknown", Auth::none, RateClass::read, get_wellknown,
              "Where clients find this server");
    table.add(get, "/.well-known/matrix/support", "getWellknownSupport", Auth::none, RateClass::read,
              get_wellknown_support, "Where people find help");
    table.add(get, "/_matrix/client/v3/capabilities", "getCapabilities", Auth::required, RateClass::read,
              get_capabilities, "What an account may change, and the room versions",
              {"/_matrix/client/r0/capabilities"});
    table.add(get, "/_lingxi/client/v1/server", "getServer", Auth::none, RateClass::read, get_server,
              "The server's name, and whether it still waits to be set up");
}

void add_sessions(Table& table) {
    table.add(get, "/_matrix/client/v3/login", "getLoginFlows", Auth::none, RateClass::read, get_login_flows,
              "The ways to log in", {"/_matrix/client/r0/login"});
    table.add(post, "/_matrix/client/v3/login", "login", Auth::none, RateClass::login, login,
              "Logs in by password or login token", {"/_matrix/client/r0/login"});
    table.add(post, "/_matrix/client/v1/login/get_token", "generateLoginToken", Auth::required,
              RateClass::login, generate_login_token, "A token that logs another client in");
    table.add(post, "/_matrix/client/v3/refresh", "refresh", Auth::none, RateClass::write, refresh,
              "New tokens for a refresh token", {"/_matrix/client/r0/refresh", "/_matrix/client/v1/refresh"});
    table.add(post, "/_matrix/client/v3/logout", "logout", Auth::required, RateClass::write, logout,
              "Ends this session and removes its device", {"/_matrix/client/r0/logout"});
    table.add(post, "/_matrix/client/v3/logout/all", "logout_all", Auth::required, RateClass::write,
              logout_all, "Ends every session of the account", {"/_matrix/client/r0/logout/all"});
    table.add(get, "/_matrix/client/v3/account/whoami", "getTokenOwner", Auth::required, RateClass::read,
              get_token_owner, "Whose token this is", {"/_matrix/client/r0/account/whoami"});
}

void add_registration(Table& table) {
    table.add(post, "/_matrix/client/v3/register", "register", Auth::none, RateClass::registration,
              register_account, "Makes an account, by invitation or freely", {"/_matrix/client/r0/register"});
    table.add(get, "/_matrix/client/v3/register/available", "checkUsernameAvailability", Auth::none,
              RateClass::read, check_username_availability, "Whether a user name is legal and free",
              {"/_matrix/client/r0/register/available"});
    table.add(get, "/_matrix/client/v1/register/m.login.registration_token/validity",
              "registrationTokenValidity", Auth::none, RateClass::registration, registration_token_validity,
              "Whether an invitation can be used");
    constexpr std::string_view kFallback = "/_matrix/client/v3/auth/{stageType}/fallback/web";
    const std::vector<std::string_view> older{"/_matrix/client/r0/auth/{stageType}/fallback/web"};
    table
        .add(get, kFallback, "getAuthFallback", Auth::none, RateClass::read, get_auth_fallback,
             "A page that leads through a stage which the client does not know", older)
        .answers = "text/html";
    table
        .add(post, kFallback, "postAuthFallback", Auth::none, RateClass::login, post_auth_fallback,
             "What was written into the page of a stage", older)
        .answers = "text/html";
    table
        .add(get, "/_lingxi/client/v1/localpart", "offerLocalpart", Auth::none, RateClass::read,
             offer_localpart, "A free user name made of a person's name (pinyin of a Chinese one)")
        .asks = "name:string";
    table
        .add(post, "/_lingxi/client/v1/setup/check", "checkSetup", Auth::none, RateClass::login, check_setup,
             "Whether a setup link works, and the name it proposes")
        .asks = "token:string";
    table
        .add(post, "/_lingxi/client/v1/setup", "setUp", Auth::none, RateClass::login, set_up,
             "Names the server and makes its administrator")
        .asks =
        "token:string localpart:string password:string server_name?:string display_name?:string "
        "room_name?:string language?:string time_zone?:string";
}

void add_devices(Table& table) {
    table.add(get, "/_matrix/client/v3/devices", "getDevices", Auth::required, RateClass::read, get_devices,
              "The account's devices", {"/_matrix/client/r0/devices"});
    table.add(get, "/_matrix/client/v3/devices/{deviceId}", "getDevice", Auth::required, RateClass::read,
              get_device, "One device", {"/_matrix/client/r0/devices/{deviceId}"});
    table.add(put, "/_matrix/client/v3/devices/{deviceId}", "updateDevice", Auth::required, RateClass::write,
              update_device, "Names a device", {"/_matrix/client/r0/devices/{deviceId}"});
    table.add(del, "/_matrix/client/v3/devices/{deviceId}", "deleteDevice", Auth::required, RateClass::login,
              delete_device, "Logs a device out and forgets it", {"/_matrix/client/r0/devices/{deviceId}"});
    table
        .add(post, "/_matrix/client/v3/delete_devices", "deleteDevices", Auth::required, RateClass::login,
             delete_devices, "Logs several devices out", {"/_matrix/client/r0/delete_devices"})
        .body_limit_bytes = kLargeBytes;
}

void add_account(Table& table) {
    table.add(post, "/_matrix/client/v3/account/password", "changePassword", Auth::required, RateClass::login,
              change_password, "A new password, confirmed by the old one",
              {"/_matrix/client/r0/account/password"});
    table.add(post, "/_matrix/client/v3/account/deactivate", "deactivateAccount", Auth::required,
              RateClass::login, deactivate_account,
              "Ends the account; with `erase` its profile and messages too",
              {"/_matrix/client/r0/account/deactivate"});
    table.add(post, "/_matrix/client/v3/user/{userId}/openid/request_token", "requestOpenIdToken",
              Auth::required, RateClass::write, request_open_id_token,
              "A token that proves to a widget who somebody is",
              {"/_matrix/client/r0/user/{userId}/openid/request_token"});
    table.add(get, "/_matrix/federation/v1/openid/userinfo", "exchangeOpenIdToken", Auth::none,
              RateClass::login, exchange_open_id_token, "Whose OpenID token this is");
}

/// There are no e-mail addresses and telephone numbers; clients ask all the same.
void add_third_party_ids(Table& table) {
    table.add(get, "/_matrix/client/v3/account/3pid", "getAccount3PIDs", Auth::required, RateClass::read,
              get_account_3pids, "No addresses: always empty", {"/_matrix/client/r0/account/3pid"});
    table.add(post, "/_matrix/client/v3/account/3pid", "post3PIDs", Auth::required, RateClass::write,
              refuse_3pid, "Refused: no addresses are kept", {"/_matrix/client/r0/account/3pid"});
    table.add(post, "/_matrix/client/v3/account/3pid/add", "add3PID", Auth::required, RateClass::write,
              refuse_3pid, "Refused: no addresses are kept", {"/_matrix/client/r0/account/3pid/add"});
    table.add(post, "/_matrix/client/v3/account/3pid/bind", "bind3PID", Auth::required, RateClass::write,
              refuse_3pid, "Refused: no addresses are kept", {"/_matrix/client/r0/account/3pid/bind"});
    table.add(post, "/_matrix/client/v3/account/3pid/delete", "delete3pidFromAccount", Auth::required,
              RateClass::write, forget_3pid, "Nothing to forget", {"/_matrix/client/r0/account/3pid/delete"});
    table.add(post, "/_matrix/client/v3/account/3pid/unbind", "unbind3pidFromAccount", Auth::required,
              RateClass::write, forget_3pid, "Nothing to forget", {"/_matrix/client/r0/account/3pid/unbind"});
    table.add(post, "/_matrix/client/v3/account/3pid/email/requestToken", "requestTokenTo3PIDEmail",
              Auth::none, RateClass::login, refuse_3pid_medium, "Refused: no addresses are kept",
              {"/_matrix/client/r0/account/3pid/email/requestToken"});
    table.add(post, "/_matrix/client/v3/account/3pid/msisdn/requestToken", "requestTokenTo3PIDMSISDN",
              Auth::none, RateClass::login, refuse_3pid_medium, "Refused: no numbers are kept",
              {"/_matrix/client/r0/account/3pid/msisdn/requestToken"});
    table.add(post, "/_matrix/client/v3/register/email/requestToken", "requestTokenToRegisterEmail",
              Auth::none, RateClass::login, refuse_3pid, "Refused: no addresses are kept",
              {"/_matrix/client/r0/register/email/requestToken"});
    table.add(post, "/_matrix/client/v3/register/msisdn/requestToken", "requestTokenToRegisterMSISDN",
              Auth::none, RateClass::login, refuse_3pid, "Refused: no numbers are kept",
              {"/_matrix/client/r0/register/msisdn/requestToken"});
    table.add(post, "/_matrix/client/v3/account/password/email/requestToken",
              "requestTokenToResetPasswordEmail", Auth::none, RateClass::login, no_3pid_password_reset,
              "Refused: the administrator gives a link",
              {"/_matrix/client/r0/account/password/email/requestToken"});
    table.add(post, "/_matrix/client/v3/account/password/msisdn/requestToken",
              "requestTokenToResetPasswordMSISDN", Auth::none, RateClass::login, no_3pid_password_reset,
              "Refused: the administrator gives a link",
              {"/_matrix/client/r0/account/password/msisdn/requestToken"});
}

void add_profiles(Table& table) {
    constexpr std::string_view kField = "/_matrix/client/v3/profile/{userId}/{keyName}";
    const std::vector<std::string_view> older{
        "/_matrix/client/r0/profile/{userId}/{keyName}",
        "/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}"};
    table.add(get, "/_matrix/client/v3/profile/{userId}", "getUserProfile", Auth::none, RateClass::read,
              get_user_profile, "A person's profile",
              {"/_matrix/client/r0/profile/{userId}",
               "/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}"});
    table.add(get, kField, "getProfileField", Auth::none, RateClass::read, get_profile_field,
              "One field of a profile", older);
    table
        .add(put, kField, "setProfileField", Auth::required, RateClass::write, set_profile_field_of,
             "Sets a field of one's own profile", older)
        .body_limit_bytes = kLargeBytes;
    table.add(del, kField, "deleteProfileField", Auth::required, RateClass::write, delete_profile_field,
              "Removes a field of one's own profile", older);
    table.add(post, "/_matrix/client/v3/user_directory/search", "searchUserDirectory", Auth::required,
              RateClass::read, search_user_directory,
              "Finds people by any part of a name, and Chinese names by pinyin",
              {"/_matrix/client/r0/user_directory/search"});
}

void add_invitations(Table& table) {
    table
        .add(post, "/_lingxi/client/v1/invitations", "createInvitation", Auth::required, RateClass::write,
             create_invitation, "Makes an invitation: a registration token with a link")
        .asks = "uses?:integer expires_in_seconds?:integer room_ids?:strings";
    table
        .add(get, "/_lingxi/client/v1/invitations", "listInvitations", Auth::required, RateClass::read,
             list_own_invitations, "One's own invitations; an administrator's `?all=true`: everyone's")
        .asks = "all?:boolean";
    table.add(del, "/_lingxi/client/v1/invitations/{token}", "endInvitation", Auth::required,
              RateClass::write, end_invitation, "Ends an invitation");
    table
        .add(post, "/_lingxi/client/v1/invitations/preview", "previewInvitation", Auth::none,
             RateClass::registration, preview_invitation, "Who invites, and into which rooms")
        .asks = "token:string";
}

void add_administration(Table& table) {
    table
        .add(post, "/_lingxi/client/v1/password-reset/check", "checkPasswordReset", Auth::none,
             RateClass::login, check_password_reset, "Whose reset link this is")
        .asks = "token:string";
    table
        .add(post, "/_lingxi/client/v1/password-reset", "resetPassword", Auth::none, RateClass::login,
             reset_password, "A new password by an administrator's link; ends every session")
        .asks = "token:string new_password:string";
    table
        .add(get, "/_lingxi/admin/v1/users", "listUsers", Auth::admin, RateClass::read, list_users,
             "The people of the server")
        .asks = "q?:string from?:integer limit?:integer";
    table
        .add(put, "/_lingxi/admin/v1/users/{userId}", "changeUser", Auth::admin, RateClass::write,
             change_user, "Changes a person's name, standing or access")
        .asks = "is_admin?:boolean deactivated?:boolean display_name?:string";
    table.add(post, "/_lingxi/admin/v1/users/{userId}/reset-link", "makeResetLink", Auth::admin,
              RateClass::write, make_reset_link, "A link that sets a new password, once");
    table.add(get, "/_matrix/client/v3/admin/whois/{userId}", "getWhoIs", Auth::required, RateClass::read,
              get_who_is, "The devices of oneself; an administrator's: of anyone",
              {"/_matrix/client/r0/admin/whois/{userId}"});
}

}  // namespace

std::vector<net::Route> Identity::routes() {
    Table table(*core_);
    add_discovery(table);
    add_sessions(table);
    add_registration(table);
    add_devices(table);
    add_account(table);
    add_third_party_ids(table);
    add_profiles(table);
    add_invitations(table);
    add_administration(table);
    return table.take();
}

}  // namespace identity
