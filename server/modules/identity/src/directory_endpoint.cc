#include "account_store.h"
#include "directory_key.h"
#include "directory_store.h"
#include "endpoints.h"

#include <algorithm>

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

constexpr std::int64_t kLimitMost = 100;
constexpr std::int64_t kLimitUsual = 10;

struct Found {
    std::vector<DirectoryRow> rows;
    bool limited = false;
};

}  // namespace

runtime::Task<net::Response> search_user_directory(Core& core, net::Request request) {
    Body body(request);
    const auto term = body.string("search_term");
    const auto limit =
        std::clamp(body.optional_int("limit").value_or(kLimitUsual), std::int64_t{1}, kLimitMost);
    if (body.failed()) co_return matrix_error(body.error());

    const auto found = co_await core.database.read(
        [term, limit, viewer = user_of(request), everyone = core.options.directory == Directory::everyone,
         findable_by = core.hooks.findable_by](storage::Transaction& tx) -> base::Result<Found> {
            Found result;
            std::function<bool(UserNumber)> visible = [everyone](UserNumber) { return everyone; };
            if (!everyone && findable_by) visible = findable_by(tx, viewer);
            result.rows = search_directory(tx, fold_search_term(term), static_cast<std::size_t>(limit) + 1,
                                           viewer, visible);
            result.limited = result.rows.size() > static_cast<std::size_t>(limit);
            if (result.limited) result.rows.pop_back();
            return result;
        });
    if (!found) co_return matrix_error(found.error());
    base::json::array results;
    for (const auto& row : found->rows) {
        base::json::object one{{"user_id", row.user_id.value}};
        if (row.profile.display_name) one["display_name"] = *row.profile.display_name;
        if (row.profile.avatar_url) one["avatar_url"] = *row.profile.avatar_url;
        results.push_back(std::move(one));
    }
    co_return net::json(200,
                        base::json::object{{"results", std::move(results)}, {"limited", found->limited}});
}

}  // namespace identity
