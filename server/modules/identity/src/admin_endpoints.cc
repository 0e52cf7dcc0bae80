#include "account_store.h"
#include "closing.h"
#include "directory_key.h"
#include "endpoints.h"
#include "rules.h"

#include <algorithm>
#include <charconv>

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kPageMost = 200;
constexpr std::size_t kPageUsual = 50;

base::json::object person_json(const PersonRow& person) {
    base::json::object body{{"user_id", person.user_id.value},       {"display_name", nullptr},
                            {"is_admin", person.is_admin},           {"deactivated", person.deactivated},
                            {"created_at_ms", person.created_at_ms}, {"last_seen_ms", nullptr}};
    if (person.display_name) body["display_name"] = *person.display_name;
    if (person.last_seen_at_ms) body["last_seen_ms"] = *person.last_seen_at_ms;
    return body;
}

/// A decimal parameter; `fallback` where it is absent. Errors: M_INVALID_PARAM.
base::Result<std::int64_t> read_number(const net::Query& query, std::string_view name,
                                       std::int64_t fallback) {
    const auto text = query.get(name);
    if (!text || text->empty()) return fallback;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size() || number < 0) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "'" + std::string(name) + "' is a number.");
    }
    return number;
}

struct Page {
    std::vector<PersonRow> people;
    std::optional<std::int64_t> next;
};

/// The directory's key; for those who are in no directory, made now.
std::string search_key_of(storage::Transaction& tx, const PersonRow& person) {
    if (auto stored = stored_directory_key(tx, person.user)) return *std::move(stored);
    return directory_key(localpart_of(person.user_id.value), person.display_name.value_or(""));
}

/// A page of those who fit `term` (folded; empty: all). Walks the accounts in order of their numbers.
Page read_page(storage::Transaction& tx, UserNumber after, std::size_t limit, const std::string& term) {
    constexpr std::size_t kStep = 500;
    Page page;
    for (;;) {
        const auto rows = list_people(tx, after, term.empty() ? limit + 1 : kStep);
        for (const auto& row : rows) {
            if (!term.empty()) {
                after = row.user;
                if (match_rank(search_key_of(tx, row), term) == 0) continue;
            }
            if (page.people.size() == limit) {
                page.next = page.people.back().user.value;
                return page;
            }
            page.people.push_back(row);
        }
        if (term.empty() || rows.size() < kStep) return page;
    }
}

struct AccountChange {
    std::optional<bool> is_admin;
    std::optional<bool> deactivated;
    std::optional<std::string> display_name;
};

struct Changed {
    PersonRow person;
    std::vector<std::int64_t> news;
};

base::Result<Changed> apply(storage::Transaction& tx, Core& core, const DeviceRemoved& removed,
                            const std::string& id, const AccountChange& change, std::int64_t now_ms) {
    const auto user = find_user(tx, id);
    const auto account = user ? find_account(tx, *user) : std::nullopt;
    if (!account || account->is_system) {
        return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such person.");
    }
    Changed changed;
    if (change.display_name) {
        const auto name = change.display_name->empty() ? std::nullopt : change.display_name;
        if (member_profile_of(tx, *user).display_name != name) {
            set_display_name(tx, *user, name);
            changed.news.push_back(insert_news(tx, NewsKind::profile_changed, *user, {}, now_ms));
        }
    }
    if (change.deactivated == false && account->deactivated) mark_reactivated(tx, *user);
    if (change.is_admin) set_admin(tx, *user, *change.is_admin);
    if (change.deactivated == true && !account->deactivated) {
        changed.news.push_back(close_account(tx, core, removed, *user, false, now_ms));
    }
    if (account->is_admin && !account->deactivated && count_admins(tx) == 0) {
        return base::fail(ErrorKind::forbidden, "IM.LINGXI.LAST_ADMIN",
                          "The server would have no administrator.");
    }
    tx.after_commit([&core, user = *user] { core.tokens.forget_user(user); });
    changed.person = *find_person(tx, *user);
    return changed;
}

}  // namespace

runtime::Task<net::Response> list_users(Core& core, net::Request request) {
    const auto from = read_number(request.query, "from", 0);
    const auto limit = read_number(request.query, "limit", static_cast<std::int64_t>(kPageUsual));
    if (!from) co_return matrix_error(from.error());
    if (!limit) co_return matrix_error(limit.error());
    const auto page = co_await core.database.read(
        [after = UserNumber{*from}, term = std::string(request.query.get("q").value_or("")),
         limit = std::clamp(static_cast<std::size_t>(*limit), std::size_t{1}, kPageMost)](
            storage::Transaction& tx) -> base::Result<Page> {
            return read_page(tx, after, limit, fold_search_term(term));
        });
    if (!page) co_return matrix_error(page.error());
    base::json::array people;
    for (const auto& person : page->people) people.push_back(person_json(person));
    base::json::object body{{"users", std::move(people)}, {"next", nullptr}};
    if (page->next) body["next"] = std::to_string(*page->next);
    co_return net::json(200, base::json::value(std::move(body)));
}

runtime::Task<net::Response> change_user(Core& core, net::Request request) {
    Body body(request);
    AccountChange change{.is_admin = body.optional_boolean("is_admin"),
                         .deactivated = body.optional_boolean("deactivated"),
                         .display_name = body.optional_string("display_name")};
    if (body.failed()) co_return matrix_error(body.error());
    if (change.display_name) {
        if (auto legal = check_display_name(*change.display_name); !legal)
            co_return matrix_error(legal.error());
    }
    const auto changed = co_await core.database.write(
        order_of_accounts(),
        [&core, id = request.value("userId"), change = std::move(change), now_ms = core.clock.now_ms(),
         removed = core.hooks.device_removed](storage::Transaction& tx) -> base::Result<Changed> {
            return apply(tx, core, removed, id, change, now_ms);
        });
    if (!changed) co_return matrix_error(changed.error());
    for (const auto news : changed->news) co_await core.tell(news);
    co_return net::json(200, base::json::value(person_json(changed->person)));
}

runtime::Task<net::Response> get_who_is(Core& core, net::Request request) {
    const auto& id = request.value("userId");
    if (id != request.principal->user_id && !request.principal->is_admin) {
        co_return matrix_error({ErrorKind::forbidden, "M_FORBIDDEN", "You may look up yourself only."});
    }
    const auto devices =
        co_await core.database.read([id](storage::Transaction& tx) -> base::Result<std::vector<Device>> {
            const auto user = find_user(tx, id);
            if (!user) return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such person.");
            return list_devices(tx, *user);
        });
    if (!devices) co_return matrix_error(devices.error());
    base::json::object shown;
    for (const auto& device : *devices) {
        base::json::object connection;
        if (device.last_seen_address) connection["ip"] = *device.last_seen_address;
        if (device.last_seen_at_ms) connection["last_seen"] = *device.last_seen_at_ms;
        base::json::object session{{"connections", base::json::array{std::move(connection)}}};
        shown[device.device_id] = base::json::object{{"sessions", base::json::array{std::move(session)}}};
    }
    co_return net::json(200, base::json::object{{"user_id", id}, {"devices", std::move(shown)}});
}

}  // namespace identity
