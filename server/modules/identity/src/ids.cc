#include <algorithm>

#include <identity/ids.h>

namespace identity {
namespace {

constexpr std::size_t kIdLimitBytes = 255;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The position of the ':' that ends the localpart, or npos where `id` is no user id.
std::size_t end_of_localpart(std::string_view id) {
    if (id.size() < 3 || id.size() > kIdLimitBytes || id.front() != '@') return std::string_view::npos;
    const auto colon = id.find(':');
    if (colon == std::string_view::npos || colon < 2) return std::string_view::npos;
    const auto localpart = id.substr(1, colon - 1);
    if (!std::ranges::all_of(localpart, [](char c) { return c > ' ' && c < 0x7f; }))
        return std::string_view::npos;
    return is_server_name(id.substr(colon + 1)) ? colon : std::string_view::npos;
}

}  // namespace

bool is_server_name(std::string_view text) {
    if (text.empty() || text.size() > kIdLimitBytes) return false;
    std::string_view rest;
    if (text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos || close < 3) return false;
        const auto address = text.substr(1, close - 1);
        const auto allowed = [](char c) {
            return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
        };
        if (!std::ranges::all_of(address, allowed)) return false;
        rest = text.substr(close + 1);
    } else {
        const auto colon = text.find(':');
        const auto host = text.substr(0, colon);
        const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '.'; };
        if (host.empty() || !std::ranges::all_of(host, allowed)) return false;
        rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    }
    if (rest.empty()) return true;
    const auto port = rest.substr(1);
    return rest.front() == ':' && !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
}

bool is_user_id(std::string_view text) {
    return end_of_localpart(text) != std::string_view::npos;
}

std::string_view server_of(std::string_view id) {
    const auto colon = end_of_localpart(id);
    return colon == std::string_view::npos ? std::string_view{} : id.substr(colon + 1);
}

std::string_view localpart_of(std::string_view id) {
    const auto colon = end_of_localpart(id);
    return colon == std::string_view::npos ? std::string_view{} : id.substr(1, colon - 1);
}

}  // namespace identity
