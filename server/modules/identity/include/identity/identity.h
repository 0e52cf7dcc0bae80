#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <base/clock.h>
#include <base/crypto.h>
#include <base/random.h>
#include <base/result.h>
#include <identity/hooks.h>
#include <identity/ids.h>
#include <net/route.h>
#include <net/server.h>
#include <runtime/runtime.h>
#include <storage/database.h>

namespace identity {

std::span<const storage::Migration> migrations();

enum class Registration : std::uint8_t { invitation, open, closed };
enum class Directory : std::uint8_t { everyone, shared_rooms };

struct Options {
    std::string public_url;   ///< of links and well-known; without a slash at its end
    std::string server_name;  ///< as configured; empty: the setup page asks
    Registration registration = Registration::invitation;
    Directory directory = Directory::everyone;
    std::string support_page;  ///< URL for /.well-known/matrix/support; empty: none
    std::string version;
    std::int64_t max_upload_bytes = 0;
    bool rate_limits = true;  ///< of wrong passwords for one account
    base::PasswordCost password_cost{};
    std::int64_t access_token_ttl_ms =
        std::int64_t{60} * 60 * 1000;  ///< of clients that can refresh; others' do not expire
    std::string default_room_version = "12";
    std::vector<std::string> room_versions{"11", "12"};
    /// Proposals that are served under the names by which released clients ask for them: fields of profiles.
    std::vector<std::string> unstable_features{"uk.tcpip.msc4133", "uk.tcpip.msc4133.stable"};
};

/// Accounts, devices, tokens, profiles, invitations: who is who on this server.
class Identity {
  public:
    /// The references outlive it.
    Identity(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
             base::Random& random, Options options);
    ~Identity();
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;

    /// Set before start().
    void set_hooks(Hooks hooks);
    /// Reads what is stored, tells again the news that a crash cut short, starts the upkeep.
    /// Errors: identity.server_name_differs (conflict): the configured name is not the one that was written;
    /// identity.bad_server_name (invalid).
    runtime::Task<base::Result<void>> start();
    /// Writes what was kept back (last_seen) and ends the upkeep.
    runtime::Task<void> stop();

    /// Whether people can use the server: it has its name, or needs no setup page to get it.
    bool is_set_up() const;
    bool has_admin() const;
    /// The name written with the first account, else the configured one, else empty.
    const std::string& server_name() const;

    /// PUBLIC_URL/setup#TOKEN. One use, a day; an earlier link ends.
    /// Errors: identity.has_admin (conflict).
    runtime::Task<base::Result<std::string>> make_setup_link();
    /// PUBLIC_URL/login#token=TOKEN for `--demo`. One use, `ttl_ms`.
    runtime::Task<base::Result<std::string>> make_login_link(UserNumber user, std::int64_t ttl_ms);
    /// Makes an account as the setup page would, without a device: demonstrations, the command line.
    /// Errors: those of the rules for names and passwords; M_USER_IN_USE.
    struct Person {
        std::string localpart;
        std::string password;
        std::string display_name;
        bool is_admin = false;
    };
    runtime::Task<base::Result<UserNumber>> add_person(Person person);

    net::Authenticator authenticator();
    std::vector<net::Route> routes();
    /// The same routes, and whose request it is that they answer is noted as last seen, and where.
    std::vector<net::Route> noting_devices(std::vector<net::Route> routes);

    struct Core;  ///< what the endpoints share (src/core.h)

  private:
    std::unique_ptr<Core> core_;
};

/// The same as Identity::make_setup_link for a stopped server: `lingxi admin setup-link` on the database
/// itself. Returns the token of the link.
base::Result<std::string> renew_setup_token(storage::Transaction& tx, base::Random& random,
                                            std::int64_t now_ms);

}  // namespace identity
