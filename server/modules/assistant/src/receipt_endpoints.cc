#include "endpoints.h"
#include "erasure.h"
#include "receipt_store.h"

#include <charconv>
#include <limits>

#include <identity/matrix_error.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::int64_t kPageDefault = 50;
constexpr std::int64_t kPageLimit = 200;
constexpr std::size_t kExportPage = 500;

/// A number of the query; `fallback` where it is not given, nothing where it is none.
std::optional<std::int64_t> number_of(const net::Request& request, std::string_view name,
                                      std::int64_t fallback) {
    const auto text = request.query.get(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value < 0) return std::nullopt;
    return value;
}

runtime::Task<base::Result<std::vector<Receipt>>> read_page(Core& core, identity::UserNumber user,
                                                            std::int64_t before, std::size_t limit) {
    co_return co_await core.database.read(
        [user, before, limit](storage::Transaction& tx) -> base::Result<std::vector<Receipt>> {
            return receipts_of(tx, user, before, limit);
        });
}

/// Reads a page at a time, so that an export costs the same memory however many there are.
runtime::Task<void> write_export(Core& core, identity::UserNumber user, std::vector<Receipt> page,
                                 net::BodyWriter& out) {
    while (!page.empty()) {
        std::string lines;
        for (const Receipt& receipt : page) lines += json::serialize(receipt.json) + "\n";
        if (!co_await out.write(lines)) co_return;
        auto next = co_await read_page(core, user, page.back().number, kExportPage);
        if (!next) co_return;  // the body ends short of its end: the client sees a broken answer
        page = std::move(*next);
    }
}

}  // namespace

Task<net::Response> list_receipts(Core& core, net::Request request) {
    const auto before = number_of(request, "from", std::numeric_limits<std::int64_t>::max());
    const auto wanted = number_of(request, "limit", kPageDefault);
    if (!before || !wanted) {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'from' and 'limit' are numbers.", {}});
    }
    const auto limit = static_cast<std::size_t>(std::clamp<std::int64_t>(*wanted, 1, kPageLimit));
    const auto page = co_await read_page(core, user_of(request), *before, limit);
    if (!page) co_return identity::matrix_error(page.error());
    json::array receipts;
    for (const Receipt& receipt : *page) receipts.push_back(receipt.json);
    json::object body{{"receipts", std::move(receipts)}, {"next", nullptr}};
    if (page->size() == limit) body["next"] = std::to_string(page->back().number);
    co_return net::json(200, json::value(std::move(body)));
}

Task<net::Response> get_receipt(Core& core, net::Request request) {
    const auto receipt =
        co_await core.database.read([user = user_of(request), call_id = request.value("callId")](
                                        storage::Transaction& tx) -> base::Result<json::object> {
            auto found = find_receipt(tx, user, call_id);
            if (!found)
                return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such receipt.");
            return std::move(found->json);
        });
    if (!receipt) co_return identity::matrix_error(receipt.error());
    co_return net::json(200, json::value(*receipt));
}

Task<net::Response> export_receipts(Core& core, net::Request request) {
    const auto user = user_of(request);
    auto first = co_await read_page(core, user, std::numeric_limits<std::int64_t>::max(), kExportPage);
    if (!first) co_return identity::matrix_error(first.error());
    net::Response response;
    response.headers.set("Content-Type", "application/x-ndjson");
    response.headers.set("Content-Disposition", "attachment; filename=\"lingxi-receipts.ndjson\"");
    response.headers.set("Cache-Control", "no-store");
    response.writer = [&core, user, page = std::move(*first)](net::BodyWriter& out) mutable {
        return write_export(core, user, std::move(page), out);
    };
    co_return response;
}

/// A job at a time, so that nobody's message waits long; the answer comes when all are gone that were there
/// when it began.
Task<net::Response> delete_receipts(Core& core, net::Request request) {
    const auto user = user_of(request);
    const auto newest = co_await core.database.read(
        [user](storage::Transaction& tx) -> base::Result<std::int64_t> { return newest_receipt(tx, user); });
    if (!newest) co_return identity::matrix_error(newest.error());
    std::int64_t receipts = 0;
    for (bool is_all = false; !is_all;) {
        const auto erased = co_await core.database.write(
            {kBudgetOrder}, [user, newest = *newest](storage::Transaction& tx) -> base::Result<Erased> {
                return erase_receipts(tx, user, newest);
            });
        if (!erased) co_return identity::matrix_error(erased.error());
        receipts += erased->receipts;
        is_all = erased->is_all;
    }
    co_return net::json(200, json::value(json::object{{"erased", receipts}}));
}

}  // namespace assistant
