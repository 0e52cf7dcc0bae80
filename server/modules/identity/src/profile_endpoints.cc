#include "account_store.h"
#include "endpoints.h"
#include "rules.h"

#include <algorithm>
#include <memory>

#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kProfileLimitBytes = 64 * 1024;
constexpr std::size_t kKeyLimitBytes = 255;
constexpr std::size_t kUriLimitBytes = 1024;
constexpr std::string_view kName = "displayname";
constexpr std::string_view kAvatar = "avatar_url";
constexpr std::string_view kZone = "m.tz";

base::Error invalid(std::string_view code, std::string message) {
    return {ErrorKind::invalid, std::string(code), std::move(message)};
}

/// displayname, avatar_url, m.tz, or a name of the common namespaced grammar with at least one dot.
base::Result<void> check_key(std::string_view key) {
    if (key.size() > kKeyLimitBytes) {
        return base::fail(invalid("M_KEY_TOO_LARGE", "A profile field's name has at most 255 bytes."));
    }
    if (key == kName || key == kAvatar) return {};
    bool at_start = true;
    bool dotted = false;
    for (const char c : key) {
        const bool letter = c >= 'a' && c <= 'z';
        const bool legal =
            at_start ? letter : letter || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        if (!legal) return base::fail(invalid("M_INVALID_PARAM", "This is no name for a profile field."));
        at_start = c == '.';
        dotted = dotted || c == '.';
    }
    if (!dotted || at_start) {
        return base::fail(
            invalid("M_INVALID_PARAM", "A profile field of your own has a name like org.example.field."));
    }
    return {};
}

bool is_time_zone(std::string_view name) {
    const auto id =
        icu::UnicodeString::fromUTF8(icu::StringPiece(name.data(), static_cast<int32_t>(name.size())));
    const std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(id));
    return zone && *zone != icu::TimeZone::getUnknown();
}

bool is_mxc(std::string_view uri) {
    if (uri.size() > kUriLimitBytes || !uri.starts_with("mxc://")) return false;
    const auto rest = uri.substr(6);
    const auto slash = rest.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < rest.size() &&
           is_server_name(rest.substr(0, slash)) && std::ranges::all_of(rest.substr(slash + 1), [](char c) {
               return c > ' ' && c < 0x7f && c != '/';
           });
}

/// The new value of a field as text, or nothing where it is to be removed: clients write "" and null so.
/// Errors: M_BAD_JSON, M_INVALID_PARAM, M_MISSING_PARAM (invalid).
base::Result<std::optional<std::string>> read_text(std::string_view key, const base::json::value& value) {
    if (value.is_null()) return std::optional<std::string>{};
    if (!value.is_string()) {
        return base::fail(invalid("M_BAD_JSON", "'" + std::string(key) + "' must be a string."));
    }
    std::string text(value.get_string());
    if (text.empty()) return std::optional<std::string>{};
    if (key == kName) {
        if (auto legal = check_display_name(text); !legal) return base::fail(legal.error());
    } else if (!is_mxc(text)) {
        return base::fail(invalid("M_INVALID_PARAM", "An avatar is an mxc:// URI."));
    }
    return std::optional(std::move(text));
}

base::json::object profile_json(storage::Transaction& tx, UserNumber user) {
    base::json::object body;
    const auto member = member_profile_of(tx, user);
    if (member.display_name) body[kName] = *member.display_name;
    if (member.avatar_url) body[kAvatar] = *member.avatar_url;
    for (const auto& field : profile_fields(tx, user))
        body[field.name] = base::parse_json(field.json, field.json.size()).value();  // as it came in
    return body;
}

/// A person whose profile can be read: deactivated accounts have none.
std::optional<UserNumber> find_shown(storage::Transaction& tx, std::string_view user_id) {
    const auto user = find_user(tx, user_id);
    if (!user || !is_active(tx, *user)) return std::nullopt;
    return user;
}

base::Error no_profile() {
    return {ErrorKind::not_found, "M_NOT_FOUND", "There is no such profile."};
}

/// Errors: M_FORBIDDEN.
base::Result<void> check_own(const net::Request& request) {
    if (request.value("userId") == request.principal->user_id) return {};
    return base::fail(ErrorKind::forbidden, "M_FORBIDDEN", "This is another's profile.");
}

struct Change {
    UserNumber user;
    std::string key;
    std::optional<std::string> text;  ///< of displayname and avatar_url
    std::optional<std::string> json;  ///< of the others
};

/// Returns the number of the news, 0 where nothing changed that others are told of.
base::Result<std::int64_t> write_change(storage::Transaction& tx, const Change& change, std::int64_t now_ms) {
    if (change.key != kName && change.key != kAvatar) {
        set_profile_field(tx, change.user, change.key, change.json);
    } else {
        const auto old = member_profile_of(tx, change.user);
        if ((change.key == kName ? old.display_name : old.avatar_url) == change.text) return 0;
        if (change.key == kName) {
            set_display_name(tx, change.user, change.text);
        } else {
            set_avatar_url(tx, change.user, change.text);
        }
    }
    if (base::json::serialize(profile_json(tx, change.user)).size() > kProfileLimitBytes) {
        return base::fail(invalid("M_PROFILE_TOO_LARGE", "A profile has at most 64 KiB."));
    }
    if (change.key != kName && change.key != kAvatar) return 0;
    return insert_news(tx, NewsKind::profile_changed, change.user, {}, now_ms);
}

runtime::Task<net::Response> apply(Core& core, Change change) {
    const auto user = change.user;
    const auto news = co_await core.database.write(
        order_of(user),
        [change = std::move(change), now_ms = core.clock.now_ms()](storage::Transaction& tx)
            -> base::Result<std::int64_t> { return write_change(tx, change, now_ms); });
    if (!news) co_return matrix_error(news.error());
    if (*news != 0) co_await core.tell(*news);
    co_return net::json(200, "{}");
}

}  // namespace

runtime::Task<net::Response> get_user_profile(Core& core, net::Request request) {
    const auto profile = co_await core.database.read(
        [id = request.value("userId")](storage::Transaction& tx) -> base::Result<std::string> {
            const auto user = find_shown(tx, id);
            if (!user) return base::fail(no_profile());
            return base::json::serialize(profile_json(tx, *user));
        });
    if (!profile) co_return matrix_error(profile.error());
    co_return net::json(200, *profile);
}

runtime::Task<net::Response> get_profile_field(Core& core, net::Request request) {
    const auto field =
        co_await core.database.read([id = request.value("userId"), key = request.value("keyName")](
                                        storage::Transaction& tx) -> base::Result<std::string> {
            const auto user = find_shown(tx, id);
            if (!user) return base::fail(no_profile());
            const auto profile = profile_json(tx, *user);
            const auto* value = profile.if_contains(key);
            if (value == nullptr) return base::fail(no_profile());
            return base::json::serialize(base::json::object{{key, *value}});
        });
    if (!field) co_return matrix_error(field.error());
    co_return net::json(200, *field);
}

runtime::Task<net::Response> set_profile_field_of(Core& core, net::Request request) {
    const auto& key = request.value("keyName");
    if (auto legal = check_key(key); !legal) co_return matrix_error(legal.error());
    Body body(request);
    if (body.failed()) co_return matrix_error(body.error());
    if (auto own = check_own(request); !own) co_return matrix_error(own.error());
    const auto* value = body.object().if_contains(key);
    if (value == nullptr) co_return matrix_error(invalid("M_MISSING_PARAM", "'" + key + "' is missing."));
    Change change{.user = user_of(request), .key = key};
    if (key == kName || key == kAvatar) {
        auto text = read_text(key, *value);
        if (!text) co_return matrix_error(text.error());
        change.text = std::move(*text);
    } else {
        if (key == kZone && (!value->is_string() || !is_time_zone(value->get_string()))) {
            co_return matrix_error(
                invalid("M_INVALID_PARAM", "'m.tz' is a name of the IANA time zone database."));
        }
        change.json = base::json::serialize(*value);
    }
    co_return co_await apply(core, std::move(change));
}

runtime::Task<net::Response> delete_profile_field(Core& core, net::Request request) {
    const auto& key = request.value("keyName");
    if (auto legal = check_key(key); !legal) co_return matrix_error(legal.error());
    if (auto own = check_own(request); !own) co_return matrix_error(own.error());
    co_return co_await apply(core, {.user = user_of(request), .key = key});
}

}  // namespace identity
