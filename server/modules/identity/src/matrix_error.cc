#include <algorithm>
#include <array>
#include <string_view>

#include <base/json.h>
#include <identity/matrix_error.h>
#include <net/server.h>

namespace identity {
namespace {

using base::ErrorKind;

struct KindRow {
    ErrorKind kind;
    int status;
    std::string_view errcode;
};

constexpr std::array kKinds{
    KindRow{ErrorKind::invalid, 400, "M_INVALID_PARAM"},
    KindRow{ErrorKind::unauthenticated, 401, "M_UNKNOWN_TOKEN"},
    KindRow{ErrorKind::forbidden, 403, "M_FORBIDDEN"},
    KindRow{ErrorKind::not_found, 404, "M_NOT_FOUND"},
    KindRow{ErrorKind::conflict, 409, "M_UNKNOWN"},
    KindRow{ErrorKind::too_large, 413, "M_TOO_LARGE"},
    KindRow{ErrorKind::exhausted, 403, "M_RESOURCE_LIMIT_EXCEEDED"},
    KindRow{ErrorKind::rate_limited, 429, "M_LIMIT_EXCEEDED"},
    KindRow{ErrorKind::unavailable, 503, "M_UNKNOWN"},
    KindRow{ErrorKind::timeout, 504, "M_UNKNOWN"},
    KindRow{ErrorKind::cancelled, 503, "M_UNKNOWN"},
    KindRow{ErrorKind::internal, 500, "M_UNKNOWN"},
};

struct CodeRow {
    std::string_view code;
    int status;
    std::string_view errcode;
};

/// Codes of the layers below that Matrix has a word of its own for.
constexpr std::array kCodes{
    CodeRow{"base.not_json", 400, "M_NOT_JSON"},          CodeRow{"base.json_too_deep", 400, "M_BAD_JSON"},
    CodeRow{"base.json_too_large", 413, "M_TOO_LARGE"},   CodeRow{"net.bad_json", 400, "M_BAD_JSON"},
    CodeRow{"net.missing_token", 401, "M_MISSING_TOKEN"}, CodeRow{"net.no_route", 404, "M_UNRECOGNIZED"},
    CodeRow{"net.wrong_method", 405, "M_UNRECOGNIZED"},   CodeRow{net::kTokenExpired, 401, "M_UNKNOWN_TOKEN"},
};

}  // namespace

net::Response matrix_error(const base::Error& error) {
    const auto kind = std::ranges::find(kKinds, error.kind, &KindRow::kind);
    int status = kind == kKinds.end() ? 500 : kind->status;
    std::string_view errcode = kind == kKinds.end() ? "M_UNKNOWN" : kind->errcode;
    if (error.code.starts_with("M_") || error.code.starts_with("IM.LINGXI.")) {
        errcode = error.code;
        // A conflict that Matrix names (M_USER_IN_USE, M_ROOM_IN_USE, …) is a bad request there.
        if (error.kind == ErrorKind::conflict) status = 400;
    } else if (const auto row = std::ranges::find(kCodes, error.code, &CodeRow::code); row != kCodes.end()) {
        status = row->status;
        errcode = row->errcode;
    }
    base::json::object body{{"errcode", errcode}, {"error", error.message}};
    // Soft logout: the session is there still, only its token is too old.
    if (error.code == net::kTokenExpired) body["soft_logout"] = true;
    if (error.kind == ErrorKind::rate_limited) {
        body["retry_after_ms"] = error.retry_after ? error.retry_after->count() : 1000;
    }
    auto response = net::json(status, base::json::value(std::move(body)));
    if (error.kind == ErrorKind::rate_limited) {
        const auto wait_ms = error.retry_after ? error.retry_after->count() : 1000;
        response.headers.set("Retry-After", std::to_string(std::max<long long>(1, (wait_ms + 999) / 1000)));
    }
    return response;
}

}  // namespace identity
