#include "account_store.h"
#include "core.h"
#include "rules.h"
#include "secret_store.h"

#include <identity/identity.h>
#include <identity/users.h>

namespace identity {
namespace {

constexpr std::int64_t kSetupTtlMs = std::int64_t{24} * 60 * 60 * 1000;
constexpr std::size_t kSecretCharacters = 32;

struct Stored {
    std::optional<std::string> name;
    bool has_admin = false;
};

}  // namespace

Identity::Identity(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
                   base::Random& random, Options options)
    : core_(std::make_unique<Core>(runtime, database, clock, random, std::move(options))) {
    while (core_->options.public_url.ends_with('/')) core_->options.public_url.pop_back();
}

Identity::~Identity() = default;

void Identity::set_hooks(Hooks hooks) {
    core_->hooks = std::move(hooks);
}

runtime::Task<base::Result<void>> Identity::start() {
    const auto& configured = core_->options.server_name;
    if (!configured.empty() && !is_server_name(configured)) {
        co_return base::fail(
            base::ErrorKind::invalid, "identity.bad_server_name",
            "'" + configured + "' cannot be a server name: a host name, with a port at most.");
    }
    const auto stored = co_await core_->database.read([](storage::Transaction& tx) -> base::Result<Stored> {
        return Stored{.name = identity::server_name(tx), .has_admin = count_admins(tx) > 0};
    });
    if (!stored) co_return base::fail(stored.error());
    if (stored->name) {
        if (!configured.empty() && configured != *stored->name) {
            co_return base::fail(base::ErrorKind::conflict, "identity.server_name_differs",
                                 "This server is " + *stored->name + " and cannot become " + configured +
                                     ": every account's id holds the name.");
        }
        core_->name = *stored->name;
        core_->named = true;
    }
    core_->has_admin = stored->has_admin;
    auto nobody = co_await core_->hash(core_->random.alphanumeric(kSecretCharacters));
    if (!nobody) co_return base::fail(std::move(nobody.error()));
    core_->nobodys_hash = std::move(*nobody);
    core_->tasks.spawn(core_->tell_all());
    core_->tasks.spawn(core_->upkeep());
    co_return base::Result<void>{};
}

runtime::Task<void> Identity::stop() {
    co_await core_->tasks.stop();
    co_await core_->upkeep_once();
}

bool Identity::is_set_up() const {
    return core_->is_set_up();
}
bool Identity::has_admin() const {
    return core_->has_admin;
}
const std::string& Identity::server_name() const {
    return core_->name;
}

base::Result<std::string> renew_setup_token(storage::Transaction& tx, base::Random& random,
                                            std::int64_t now_ms) {
    if (count_admins(tx) > 0) {
        return base::fail(base::ErrorKind::conflict, "identity.has_admin",
                          "This server has an administrator; setup links are for the first one.");
    }
    auto token = random.alphanumeric(kSecretCharacters);
    delete_secrets(tx, Purpose::setup, std::nullopt);
    insert_secret(tx, Purpose::setup, token, std::nullopt, now_ms, now_ms + kSetupTtlMs);
    return token;
}

runtime::Task<base::Result<std::string>> Identity::make_setup_link() {
    const auto token = co_await core_->database.write(
        order_of_accounts(),
        [&random = core_->random, now_ms = core_->clock.now_ms()](storage::Transaction& tx)
            -> base::Result<std::string> { return renew_setup_token(tx, random, now_ms); });
    if (!token) co_return base::fail(token.error());
    co_return core_->options.public_url + "/setup#" + *token;
}

runtime::Task<base::Result<std::string>> Identity::make_login_link(UserNumber user, std::int64_t ttl_ms) {
    auto token = core_->random.alphanumeric(kSecretCharacters);
    const auto kept = co_await core_->database.write(
        order_of(user),
        [token, user, ttl_ms,
         now_ms = core_->clock.now_ms()](storage::Transaction& tx) -> base::Result<void> {
            insert_secret(tx, Purpose::login, token, user, now_ms, now_ms + ttl_ms);
            return {};
        });
    if (!kept) co_return base::fail(kept.error());
    co_return core_->options.public_url + "/login#token=" + token;
}

runtime::Task<base::Result<UserNumber>> Identity::add_person(Person person) {
    if (core_->name.empty()) {
        co_return base::fail(base::ErrorKind::conflict, "identity.not_named", "The server has no name yet.");
    }
    if (auto legal = check_localpart(person.localpart, core_->name); !legal)
        co_return base::fail(legal.error());
    if (auto strong = check_password(person.password); !strong) co_return base::fail(strong.error());
    if (auto named = check_display_name(person.display_name); !named) co_return base::fail(named.error());
    auto hash = co_await core_->hash(std::move(person.password));
    if (!hash) co_return base::fail(std::move(hash.error()));
    Joining joining{.localpart = std::move(person.localpart),
                    .password_hash = std::move(*hash),
                    .is_admin = person.is_admin,
                    .server_name = core_->name};
    if (!person.display_name.empty()) joining.display_name = std::move(person.display_name);
    const auto joined = co_await join(*core_, std::move(joining));
    if (!joined) co_return base::fail(joined.error());
    co_await core_->tell(joined->news_number);
    co_return joined->user;
}

net::Authenticator Identity::authenticator() {
    return [core = core_.get()](std::string token) { return core->authenticate(std::move(token)); };
}

std::vector<net::Route> Identity::noting_devices(std::vector<net::Route> routes) {
    for (auto& route : routes) {
        if (route.auth == net::Auth::none) continue;
        route.handler = [inner = std::move(route.handler), core = core_.get()](net::Request request) {
            if (request.principal) {
                core->tokens.saw(DeviceNumber{request.principal->device_number}, request.peer_address,
                                 core->clock.now_ms());
            }
            return inner(std::move(request));
        };
    }
    return routes;
}

}  // namespace identity
