#pragma once

#include "failed_logins.h"
#include "news_store.h"
#include "token_cache.h"
#include "uia.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <identity/body.h>
#include <identity/identity.h>
#include <runtime/task_group.h>

namespace identity {

/// What the endpoints share. I/O thread only.
struct Identity::Core {
    Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
         base::Random& random_in, Options options_in)
        : runtime(runtime_in),
          database(database_in),
          clock(clock_in),
          random(random_in),
          options(std::move(options_in)),
          name(options.server_name),
          tasks(runtime_in, "identity") {}

    runtime::Runtime& runtime;
    storage::Database& database;
    const base::Clock& clock;
    base::Random& random;
    Options options;
    Hooks hooks;
    TokenCache tokens;
    UiaSessions uia;
    FailedLogins failed_logins;
    /// A thread of its own: whoever floods the server with logins keeps no message and no picture waiting,
    /// whose work is the CPU pool's. Full, it is a wait of two or three seconds.
    runtime::WorkerPool passwords{"password", 1, 128};

    // What the database says, as of the last commit.
    std::string name;  ///< written, or else configured
    bool named = false;
    bool has_admin = false;

    std::string nobodys_hash;  ///< what an unknown user's password is compared with, so that it takes as long
    std::set<std::int64_t> telling;  ///< news under way
    runtime::TaskGroup tasks;

    bool is_set_up() const { return named || (!name.empty() && options.registration == Registration::open); }

    runtime::Task<base::Result<net::Principal>> authenticate(std::string token);
    /// Writes that a refreshed token is in use, which ends those before it; nothing where it has ended
    /// itself. Where that cannot be written (the disk is full) the token holds all the same, and those before
    /// it on.
    runtime::Task<std::optional<TokenRow>> confirm(base::Bytes hash, TokenRow row);
    /// Whether `password` makes `hash`; false for no hash too, in the same time. Wrong ones count against
    /// `localpart`, where they come from. Errors: identity.too_many_guesses (rate_limited).
    runtime::Task<base::Result<bool>> verify(std::string localpart, GuessOrigin origin,
                                             std::optional<std::string> hash, std::string password);
    runtime::Task<base::Result<std::string>> hash(std::string password);

    runtime::Task<base::Result<std::optional<std::string>>> deliver(News news, UserId user_id);
    /// Tells other modules what was written, and forgets it where they are done. What fails is told again
    /// later. Returns the room that an account_created made.
    runtime::Task<std::optional<std::string>> tell(std::int64_t news_number);
    runtime::Task<void> tell_all();
    runtime::Task<void> upkeep();
    runtime::Task<void> upkeep_once();
};

using Core = Identity::Core;

storage::OrderKey order_of(UserNumber user);
/// The order of jobs that make accounts.
storage::OrderKey order_of_accounts();

UserNumber user_of(const net::Request& request);
DeviceNumber device_of(const net::Request& request);

/// What a confirmation by password came to.
struct Confirmation {
    std::optional<net::Response> refusal;  ///< what to answer where it is none
    std::string password_hash;             ///< of the account, as it was confirmed
};
/// Whether the request's principal has just given the account's password for `operation`.
runtime::Task<Confirmation> ask_password(Core& core, net::Principal principal, std::string operation,
                                         base::json::object body);
/// For the job that was confirmed: whether that password still holds. While it was being verified the account
/// may have got another one (a reset link ends whoever knew the old one) or been closed.
/// Errors: M_FORBIDDEN.
base::Result<void> check_confirmed(storage::Transaction& tx, UserNumber user, std::string_view password_hash);

/// The stages of a registration, each a flow of its own. An invitation works on an open server too: it leads
/// into its rooms.
std::vector<std::string> registration_stages(Registration registration);
/// Whether an invitation has this token and may still be used.
runtime::Task<base::Result<bool>> is_usable_invitation(Core& core, std::string token);

/// An account that is to be made, with all rules checked that do not depend on what is stored.
struct Joining {
    std::string localpart;
    std::string password_hash;
    std::optional<std::string> display_name;
    bool is_admin = false;
    std::optional<std::string> invitation;
    std::optional<std::string> setup_token;
    std::string server_name;
    std::optional<FirstSteps> first_steps;
    std::optional<SessionWish> session;  ///< nothing: no device yet
    SessionSecrets secrets;
};
struct Joined {
    UserNumber user;
    UserId user_id;
    std::optional<Session> session;
    std::int64_t news_number = 0;
};
/// Makes the account in one job: invitation or setup token, server name, row, device, news.
/// Errors: M_USER_IN_USE, M_FORBIDDEN, IM.LINGXI.BAD_SETUP_TOKEN, identity.server_name_differs.
runtime::Task<base::Result<Joined>> join(Core& core, Joining joining);

/// What a client says about its device, in a login, a registration or a setup. Errors: M_INVALID_PARAM
/// (invalid).
base::Result<SessionWish> read_session_wish(const Core& core, const net::Request& request, Body& body);

/// The answer to a login, a registration or a setup.
base::json::object session_json(const Core& core, const Session& session);

}  // namespace identity
