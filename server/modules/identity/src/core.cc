#include "core.h"

#include "account_store.h"
#include "invitation_store.h"
#include "network_store.h"
#include "rules.h"
#include "secret_store.h"

#include <base/log.h>
#include <identity/users.h>
#include <net/server.h>

namespace identity {
namespace {

constexpr auto kUpkeepEvery = std::chrono::seconds(60);
constexpr std::size_t kNewsAtOnce = 100;
constexpr std::size_t kDeviceNameLimitBytes = 256;
constexpr std::size_t kIdLimitBytes = 255;

AccountCreated read_account_created(const News& news, UserId user_id) {
    AccountCreated created{.user = news.user, .user_id = std::move(user_id)};
    if (const auto inviter = base::get_int(news.payload, "inviter")) created.inviter = UserNumber{*inviter};
    if (const auto* rooms = base::get_array(news.payload, "room_ids")) {
        for (const auto& id : *rooms) created.room_ids.emplace_back(id.as_string());
    }
    if (const auto* steps = base::get_object(news.payload, "first_steps")) {
        created.first_steps =
            FirstSteps{.room_name = std::string(base::get_string(*steps, "room_name").value_or("")),
                       .language = std::string(base::get_string(*steps, "language").value_or("")),
                       .time_zone = std::string(base::get_string(*steps, "time_zone").value_or(""))};
    }
    return created;
}

base::json::object write_account_created(const Joining& joining,
                                         const std::optional<Invitation>& invitation) {
    base::json::object payload;
    if (invitation) {
        payload["inviter"] = invitation->inviter.value;
        base::json::array rooms;
        for (const auto& id : invitation->room_ids) rooms.emplace_back(id);
        payload["room_ids"] = std::move(rooms);
    }
    if (joining.first_steps) {
        payload["first_steps"] = base::json::object{{"room_name", joining.first_steps->room_name},
                                                    {"language", joining.first_steps->language},
                                                    {"time_zone", joining.first_steps->time_zone}};
    }
    return payload;
}

struct Tidings {
    News news;
    UserId user_id;
};

}  // namespace

storage::OrderKey order_of(UserNumber user) {
    return {"account:" + std::to_string(user.value)};
}
storage::OrderKey order_of_accounts() {
    return {"accounts"};
}

UserNumber user_of(const net::Request& request) {
    return UserNumber{request.principal->user_number};
}
DeviceNumber device_of(const net::Request& request) {
    return DeviceNumber{request.principal->device_number};
}

runtime::Task<base::Result<net::Principal>> Identity::Core::authenticate(std::string token) {
    const auto bytes = token_hash(token);
    const std::string key(bytes.begin(), bytes.end());
    const auto now_ms = clock.now_ms();
    auto row = tokens.find(key);
    if (!row) {
        const auto generation = tokens.generation();
        auto read = co_await database.read(
            [bytes](storage::Transaction& tx) -> base::Result<std::optional<TokenRow>> {
                return find_token(tx, bytes);
            });
        if (!read) co_return base::fail(std::move(read.error()));
        row = std::move(*read);
        if (row && !row->first_use) tokens.insert(key, *row, generation);
    }
    if (row && row->first_use && tokens.may_confirm(row->principal.token_number, now_ms))
        row = co_await confirm(bytes, std::move(*row));
    if (!row) {
        co_return base::fail(base::ErrorKind::unauthenticated, "identity.unknown_token",
                             "Unknown access token.");
    }
    if (row->expires_at_ms && *row->expires_at_ms <= now_ms) {
        co_return base::fail(base::ErrorKind::unauthenticated, std::string(net::kTokenExpired),
                             "The access token has expired: refresh it or log in again.");
    }
    co_return std::move(row->principal);
}

runtime::Task<std::optional<TokenRow>> Identity::Core::confirm(base::Bytes hash, TokenRow row) {
    const auto user = UserNumber{row.principal.user_number};
    auto confirmed =
        co_await database.write(order_of(user),
                                [this, user, hash = std::move(hash), number = row.principal.token_number](
                                    storage::Transaction& tx) -> base::Result<std::optional<TokenRow>> {
                                    confirm_refresh(tx, number);
                                    tx.after_commit([this, user] { tokens.forget_user(user); });
                                    return find_token(tx, hash);  // it may have ended since it was read
                                });
    if (confirmed) co_return std::move(*confirmed);
    tokens.not_confirmed(row.principal.token_number, clock.now_ms());
    co_return row;
}

runtime::Task<base::Result<bool>> Identity::Core::verify(std::string localpart, GuessOrigin origin,
                                                         std::optional<std::string> hash,
                                                         std::string password) {
    localpart = base::ascii_lower(base::utf8_prefix(localpart, kIdLimitBytes));
    if (options.rate_limits) {
        if (const auto wait = failed_logins.begin(localpart, origin, clock.now_ms())) {
            base::Error slowed{base::ErrorKind::rate_limited, "identity.too_many_guesses",
                               "Too many wrong passwords; wait a little."};
            slowed.retry_after = wait;
            co_return base::fail(std::move(slowed));
        }
    }
    const bool somebody = hash.has_value();
    auto same = co_await runtime.on_pool<bool>(
        passwords, [phc = somebody ? std::move(*hash) : nobodys_hash, password = std::move(password)] {
            return base::verify_password(phc, password);
        });
    if (!same) {
        if (options.rate_limits) failed_logins.given_up(localpart, origin);
        co_return base::fail(std::move(same.error()));
    }
    const bool right = somebody && *same;
    if (right) failed_logins.succeeded(localpart, origin);
    co_return right;
}

runtime::Task<base::Result<std::string>> Identity::Core::hash(std::string password) {
    co_return co_await runtime.on_pool<std::string>(
        passwords, [password = std::move(password), cost = options.password_cost] {
            return base::hash_password(password, cost);
        });
}

runtime::Task<base::Result<std::optional<std::string>>> Identity::Core::deliver(News news, UserId user_id) {
    using Room = std::optional<std::string>;
    // A fault of whoever listens is one piece of news untold, not the end of the upkeep.
    try {
        switch (news.kind) {
            case NewsKind::account_created:
                if (!hooks.account_created) break;
                co_return co_await hooks.account_created(read_account_created(news, std::move(user_id)));
            case NewsKind::profile_changed: {
                if (!hooks.profile_changed) break;
                auto told = co_await hooks.profile_changed(news.user);
                if (!told) co_return base::fail(std::move(told.error()));
                break;
            }
            case NewsKind::account_deactivated: {
                if (!hooks.account_deactivated) break;
                const bool erase = base::get_bool(news.payload, "erase").value_or(false);
                auto told = co_await hooks.account_deactivated(news.user, erase);
                if (!told) co_return base::fail(std::move(told.error()));
                break;
            }
        }
    } catch (const std::exception& fault) {
        base::log_error("identity.hook_fault", {{"number", news.number}, {"what", fault.what()}});
        co_return base::fail(base::ErrorKind::internal, "identity.hook_fault",
                             "A part of the server failed.");
    }
    co_return Room{};
}

runtime::Task<std::optional<std::string>> Identity::Core::tell(std::int64_t news_number) {
    if (!telling.insert(news_number).second) co_return std::nullopt;
    struct Done {
        std::set<std::int64_t>& telling;
        std::int64_t number;
        ~Done() { telling.erase(number); }
    } const done{telling, news_number};

    auto tidings = co_await database.read(
        [news_number](storage::Transaction& tx) -> base::Result<std::optional<Tidings>> {
            auto news = find_news(tx, news_number);
            if (!news) return std::optional<Tidings>{};
            auto user_id = user_id_of(tx, news->user);
            return Tidings{std::move(*news), std::move(user_id)};
        });
    if (!tidings) {
        base::log_warning("identity.news_unread", {{"code", tidings.error().code}});
        co_return std::nullopt;
    }
    if (!*tidings) co_return std::nullopt;  // told already
    auto& [news, user_id] = **tidings;

    const auto number = news.number;
    const auto user = news.user;
    const auto delivered = co_await deliver(std::move(news), std::move(user_id));
    auto told = delivered ? co_await database.write(order_of(user),
                                                    [number](storage::Transaction& tx) -> base::Result<void> {
                                                        delete_news(tx, number);
                                                        return {};
                                                    })
                          : base::Result<void>(base::fail(delivered.error()));
    if (!told) base::log_warning("identity.news_untold", {{"number", number}, {"code", told.error().code}});
    co_return delivered ? *delivered : std::nullopt;
}

runtime::Task<void> Identity::Core::tell_all() {
    std::int64_t after = 0;
    for (;;) {  // by pages: what cannot be told stays, and others come behind it
        const auto waiting = co_await database.read(
            [after](storage::Transaction& tx) -> base::Result<std::vector<std::int64_t>> {
                return news_numbers(tx, after, kNewsAtOnce);
            });
        if (!waiting || waiting->empty()) co_return;  // the next upkeep asks again
        for (const auto number : *waiting) co_await tell(number);
        after = waiting->back();
    }
}

runtime::Task<void> Identity::Core::upkeep_once() {
    const auto seen = tokens.take_seen();
    const auto now_ms = clock.now_ms();
    const auto kept = co_await database.write(order_of_accounts(),
                                              [seen, now_ms](storage::Transaction& tx) -> base::Result<void> {
                                                  for (const auto& [device, sight] : seen)
                                                      write_last_seen(tx, device, sight);
                                                  purge_expired_secrets(tx, now_ms);
                                                  purge_old_networks(tx, now_ms);
                                                  return {};
                                              });
    if (kept) co_return;
    tokens.keep_seen(seen);
    base::log_warning("identity.upkeep_failed", {{"code", kept.error().code}});
}

runtime::Task<void> Identity::Core::upkeep() {
    for (;;) {
        co_await runtime::sleep_for(kUpkeepEvery);
        if ((co_await boost::asio::this_coro::cancellation_state).cancelled() !=
            boost::asio::cancellation_type::none) {
            co_return;
        }
        co_await upkeep_once();
        co_await tell_all();
    }
}

runtime::Task<base::Result<Joined>> join(Core& core, Joining joining) {
    const auto now_ms = core.clock.now_ms();
    co_return co_await core.database.write(
        order_of_accounts(),
        [&core, now_ms, joining = std::move(joining),
         server_named = core.hooks.server_named](storage::Transaction& tx) -> base::Result<Joined> {
            // Whoever became administrator another way has ended the links.
            if (joining.setup_token &&
                (!take_secret(tx, Purpose::setup, *joining.setup_token, now_ms) || count_admins(tx) > 0)) {
                return base::fail(
                    base::ErrorKind::forbidden, "IM.LINGXI.BAD_SETUP_TOKEN",
                    "This setup link was used or has expired; `lingxi admin setup-link` makes a new one.");
            }
            std::optional<Invitation> invitation;
            if (joining.invitation) {
                auto used = use_invitation(tx, *joining.invitation, now_ms);
                if (!used) return base::fail(std::move(used.error()));
                invitation = std::move(*used);
            }
            if (!server_name(tx)) {
                if (auto named = name_server(tx, joining.server_name); !named)
                    return base::fail(named.error());
                if (server_named) {
                    if (auto told = server_named(tx); !told) return base::fail(told.error());
                }
            } else if (auto same = name_server(tx, joining.server_name); !same) {
                return base::fail(same.error());
            }
            const auto user = create_account(tx, {.localpart = joining.localpart,
                                                  .password_hash = joining.password_hash,
                                                  .display_name = joining.display_name,
                                                  .is_admin = joining.is_admin,
                                                  .created_at_ms = now_ms});
            if (!user) return base::fail(user.error());
            Joined joined{.user = *user, .user_id = user_id_of(tx, *user)};
            if (joining.session)
                joined.session = open_session(tx, *user, joining.secrets, *joining.session, now_ms);
            joined.news_number = insert_news(tx, NewsKind::account_created, *user,
                                             write_account_created(joining, invitation), now_ms);
            tx.after_commit([&core, name = joining.server_name, admin = joining.is_admin] {
                core.name = name;
                core.named = true;
                core.has_admin = core.has_admin || admin;
            });
            return joined;
        });
}

base::Result<SessionWish> read_session_wish(const Core& core, const net::Request& request, Body& body) {
    SessionWish wish{.device_id = body.optional_string("device_id"),
                     .device_name = body.optional_string("initial_device_display_name"),
                     .address = request.peer_address,
                     .refreshable = body.boolean("refresh_token", false),
                     .ttl_ms = core.options.access_token_ttl_ms};
    if (wish.device_id && wish.device_id->empty()) wish.device_id.reset();
    if (wish.device_id) {
        if (auto legal = check_device_id(*wish.device_id); !legal) return base::fail(legal.error());
    }
    if (wish.device_name)
        wish.device_name = std::string(base::utf8_prefix(*wish.device_name, kDeviceNameLimitBytes));
    return wish;
}

base::json::object session_json(const Core& core, const Session& session) {
    // No `well_known` here: a client would move to the public URL, which by default is a loopback address.
    base::json::object body{{"user_id", session.user_id.value},
                            {"access_token", session.access_token},
                            {"device_id", session.device_id},
                            {"home_server", core.name}};
    if (session.refresh_token) body["refresh_token"] = *session.refresh_token;
    if (session.expires_in_ms) body["expires_in_ms"] = *session.expires_in_ms;
    return body;
}

}  // namespace identity
