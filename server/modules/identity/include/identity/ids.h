#pragma once

#include <string_view>

#include <base/id.h>

namespace identity {

/// "@localpart:server".
using UserId = base::TextId<struct UserIdTag>;
using DeviceId = base::TextId<struct DeviceIdTag>;

/// The short integers that stand for an account and a device in every table; never shown, never reused.
using UserNumber = base::NumberId<struct UserNumberTag>;
using DeviceNumber = base::NumberId<struct DeviceNumberTag>;

/// Whether `text` has the form of a user id: a sigil, a localpart (the historical grammar: printable ASCII
/// without ':'), a server name, at most 255 bytes. Says nothing about whether there is such an account.
bool is_user_id(std::string_view text);
/// "server" (with its port) of "@localpart:server"; empty where `id` is no user id.
std::string_view server_of(std::string_view id);
/// "localpart" of "@localpart:server"; empty where `id` is no user id.
std::string_view localpart_of(std::string_view id);
/// Whether `text` is a server name: a host name, IPv4 address or bracketed IPv6 address, with an optional
/// port.
bool is_server_name(std::string_view text);

}  // namespace identity
