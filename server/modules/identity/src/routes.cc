#include "endpoints.h"

namespace identity {
namespace {

using Endpoint = runtime::Task<net::Response> (*)(Core&, net::Request);

constexpr std::size_t kSmallBytes = 16 * 1024;

class Table {
  public:
    explicit Table(Core& core) : core_(core) {}

    net::Route& add(net::Method method, std::string_view path, std::string_view operation_id, net::Auth auth,
                    net::RateClass rate, Endpoint endpoint, std::string_view summary) {
        const bool has_body = method != net::Method::get && method != net::Method::head;
        return rows_.emplace_back(net::Route{
            .method = method,
            .path = path,
            .operation_id = operation_id,
            .auth = auth,
            .rate = rate,
            .body_limit_bytes = has_body ? kSmallBytes : 0,
            .streams_body = false,
            .handler = [&core = core_,
                        endpoint](net::Request request) { return endpoint(core, std::move(request)); },
            .summary = summary});
    }
    std::vector<net::Route> take() { return std::move(rows_); }

  private:
    Core& core_;
    std::vector<net::Route> rows_;
};

using enum net::Method;
using net::Auth;
using net::RateClass;

void add_sessions(Table& table) {
    table
        .add(get, "/_matrix/client/v3/login", "getLoginFlows", Auth::none, RateClass::read, get_login_flows,
             "The ways to log in")
        .aliases = {"/_matrix/client/r0/login"};
    table
        .add(post, "/_matrix/client/v3/login", "login", Auth::none, RateClass::login, login,
             "Logs in by password or login token")
        .aliases = {"/_matrix/client/r0/login"};
    table.add(post, "/_matrix/client/v1/login/get_token", "generateLoginToken", Auth::required,
              RateClass::login, generate_login_token, "A token that logs another client in");
    table
        .add(post, "/_matrix/client/v3/refresh", "refresh", Auth::none, RateClass::login, refresh,
             "New tokens for a refresh token")
        .aliases = {"/_matrix/client/v1/refresh"};
    table
        .add(post, "/_matrix/client/v3/logout", "logout", Auth::required, RateClass::write, logout,
             "Ends this session and removes its device")
        .aliases = {"/_matrix/client/r0/logout"};
    table
        .add(post, "/_matrix/client/v3/logout/all", "logout_all", Auth::required, RateClass::write,
             logout_all, "Ends every session of the account")
        .aliases = {"/_matrix/client/r0/logout/all"};
    table
        .add(get, "/_matrix/client/v3/account/whoami", "getTokenOwner", Auth::required, RateClass::read,
             get_token_owner, "Whose token this is")
        .aliases = {"/_matrix/client/r0/account/whoami"};
}

void add_registration(Table& table) {
    table
        .add(post, "/_matrix/client/v3/register", "register", Auth::none, RateClass::registration,
             register_account, "Makes an account, by invitation or freely")
        .aliases = {"/_matrix/client/r0/register"};
    table
        .add(get, "/_matrix/client/v3/register/available", "checkUsernameAvailability", Auth::none,
             RateClass::read, check_username_availability, "Whether a user name is legal and free")
        .aliases = {"/_matrix/client/r0/register/available"};
    table.add(get, "/_matrix/client/v1/register/m.login.registration_token/validity",
              "registrationTokenValidity", Auth::none, RateClass::registration, registration_token_validity,
              "Whether an invitation can be used");
    table.add(get, "/_lingxi/client/v1/localpart", "offerLocalpart", Auth::none, RateClass::read,
              offer_localpart, "A free user name made of a person's name (pinyin of a Chinese one)");
}

}  // namespace

std::vector<net::Route> Identity::routes() {
    Table table(*core_);
    add_sessions(table);
    add_registration(table);
    return table.take();
}

}  // namespace identity
