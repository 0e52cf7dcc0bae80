// What sends do while it is not known which of them are repetitions.
#include "house.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

TEST(TransactionIds, that_cannot_be_read_refuse_sends_and_are_read_once_they_can_be) {
    House house;
    const auto alice = house.person("alice");
    const auto room = house.room(alice);
    const auto send = [&](const std::string& txn) {
        return house.put("/_matrix/client/v3/rooms/" + in_path(room) + "/send/m.room.message/" + txn, alice,
                         {{"msgtype", "m.text"}, {"body", "a"}});
    };
    const auto rename = [&](std::string sql) {
        ASSERT_TRUE(house.write([sql](storage::Transaction& tx) -> base::Result<void> {
            tx.execute(sql);
            return {};
        }));
    };
    const auto first = send("1").text("event_id");

    rename("ALTER TABLE sent_transaction RENAME TO hidden");
    house.restart();
    const auto refused = send("1");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.errcode(), "M_UNKNOWN");
    // What has no transaction id is no repetition.
    EXPECT_EQ(house
                  .put("/_matrix/client/v3/rooms/" + in_path(room) + "/state/m.room.topic", alice,
                       {{"topic", "still here"}})
                  .status,
              200);

    rename("ALTER TABLE hidden RENAME TO sent_transaction");
    auto again = send("1");
    while (again.status == 503) {
        house.runtime().io().run_one();
        again = send("1");
    }
    EXPECT_EQ(again.text("event_id"), first);
    EXPECT_NE(send("2").text("event_id"), first);
}

}  // namespace
}  // namespace chat
