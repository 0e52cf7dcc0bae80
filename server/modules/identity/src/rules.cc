#include "rules.h"

#include <algorithm>
#include <array>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kIdLimitBytes = 255;
constexpr std::size_t kPasswordLeastBytes = 8;
constexpr std::size_t kPasswordLimitBytes = 512;  // more is an attack on the hash, not a password
constexpr std::size_t kDisplayNameLimitBytes = 256;
constexpr std::size_t kDeviceIdLimitBytes = 255;

constexpr std::array<std::string_view, 32> kReserved{
    "abuse",    "admin",    "administrator", "all",     "assistant", "bot",        "channel", "everyone",
    "help",     "here",     "host",          "info",    "lingxi",    "moderator",  "noreply", "notice",
    "notify",   "official", "operator",      "owner",   "pay",       "postmaster", "root",    "room",
    "security", "server",   "staff",         "support", "sysadmin",  "system",     "wallet",  "webmaster",
};

}  // namespace

bool is_reserved_localpart(std::string_view localpart) {
    return std::ranges::find(kReserved, localpart) != kReserved.end() || localpart.starts_with("_") ||
           localpart.starts_with("lingxi-") || localpart.starts_with("lingxi_");
}

base::Result<void> check_localpart(std::string_view localpart, std::string_view server_name) {
    const auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '=' ||
               c == '-' || c == '/' || c == '+';
    };
    if (localpart.empty() || !std::ranges::all_of(localpart, legal)) {
        return base::fail(ErrorKind::invalid, "M_INVALID_USERNAME",
                          "A user name is made of a-z, 0-9 and . _ = - / + only.");
    }
    if (1 + localpart.size() + 1 + server_name.size() > kIdLimitBytes) {
        return base::fail(ErrorKind::invalid, "M_INVALID_USERNAME", "This user name is too long.");
    }
    if (is_reserved_localpart(localpart)) {
        return base::fail(ErrorKind::invalid, "M_INVALID_USERNAME", "This user name is kept for the server.");
    }
    return {};
}

base::Result<void> check_password(std::string_view password) {
    if (password.size() < kPasswordLeastBytes) {
        return base::fail(ErrorKind::invalid, "M_WEAK_PASSWORD", "A password needs at least 8 characters.");
    }
    if (password.size() > kPasswordLimitBytes) {
        return base::fail(ErrorKind::invalid, "M_WEAK_PASSWORD", "A password has at most 512 bytes.");
    }
    return {};
}

base::Result<void> check_display_name(std::string_view name) {
    if (name.size() > kDisplayNameLimitBytes) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "A display name has at most 256 bytes.");
    }
    return {};
}

base::Result<void> check_device_id(std::string_view device_id) {
    if (device_id.empty() || device_id.size() > kDeviceIdLimitBytes) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "A device id has between 1 and 255 bytes.");
    }
    return {};
}

}  // namespace identity
