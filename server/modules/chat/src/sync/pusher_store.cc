#include "sync/pusher_store.h"

namespace chat {

void put_pusher(storage::Transaction& tx, const Pusher& pusher) {
    auto statement = tx.prepare(
        "INSERT INTO pusher (user_number, app_id, pushkey, device_number, json) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (user_number, app_id, pushkey) DO UPDATE SET device_number = ?4, json = ?5");
    statement.bind(pusher.user, pusher.app_id, pusher.pushkey, pusher.device, pusher.json);
    statement.run();
}

void delete_pusher(storage::Transaction& tx, identity::UserNumber user, std::string_view app_id,
                   std::string_view pushkey) {
    auto statement = tx.prepare("DELETE FROM pusher WHERE user_number = ?1 AND app_id = ?2 AND pushkey = ?3");
    statement.bind(user, app_id, pushkey);
    statement.run();
}

void delete_other_pushers(storage::Transaction& tx, identity::UserNumber user, std::string_view app_id,
                          std::string_view pushkey) {
    auto statement =
        tx.prepare("DELETE FROM pusher WHERE app_id = ?1 AND pushkey = ?2 AND user_number <> ?3");
    statement.bind(app_id, pushkey, user);
    statement.run();
}

void delete_pushers_of_device(storage::Transaction& tx, identity::UserNumber user,
                              identity::DeviceNumber device) {
    auto statement = tx.prepare("DELETE FROM pusher WHERE user_number = ?1 AND device_number = ?2");
    statement.bind(user, device);
    statement.run();
}

std::vector<Pusher> pushers_of(storage::Transaction& tx, identity::UserNumber user) {
    auto statement = tx.prepare(
        "SELECT app_id, pushkey, device_number, json FROM pusher WHERE user_number = ?1 ORDER BY app_id, "
        "pushkey");
    statement.bind(user);
    std::vector<Pusher> pushers;
    while (statement.step()) {
        pushers.push_back({user, std::string(statement.text(0)), std::string(statement.text(1)),
                           identity::DeviceNumber{statement.integer(2)}, std::string(statement.text(3))});
    }
    return pushers;
}

}  // namespace chat
