#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

struct Pusher {
    identity::UserNumber user;
    std::string app_id;
    std::string pushkey;
    identity::DeviceNumber device;  ///< that set it
    std::string json;               ///< as the client is told of it
};

void put_pusher(storage::Transaction& tx, const Pusher& pusher);
void delete_pusher(storage::Transaction& tx, identity::UserNumber user, std::string_view app_id,
                   std::string_view pushkey);
/// Takes the key away from everybody but `user`: a phone that changed hands.
void delete_other_pushers(storage::Transaction& tx, identity::UserNumber user, std::string_view app_id,
                          std::string_view pushkey);
void delete_pushers_of_device(storage::Transaction& tx, identity::UserNumber user,
                              identity::DeviceNumber device);
std::vector<Pusher> pushers_of(storage::Transaction& tx, identity::UserNumber user);

}  // namespace chat
