#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <base/random.h>
#include <base/result.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace bench {

/// A person with a session, as a write job made them.
struct Seat {
    identity::UserNumber user;
    identity::DeviceNumber device;
    std::string user_id;
    std::string token;
    std::vector<std::string> rooms;  ///< that they write in
};

/// Names the server, once. Part of a job.
base::Result<void> name_the_server(storage::Transaction& tx);
/// An account without a password and a session of it. Part of a job.
base::Result<Seat> seat_person(storage::Transaction& tx, base::Random& random, const std::string& localpart,
                               std::int64_t now_ms);

/// The rooms of a history and their messages, by chat's own rules and in its own tables.
class Rooms {
  public:
    explicit Rooms(base::Random& random);
    ~Rooms();
    Rooms(const Rooms&) = delete;
    Rooms& operator=(const Rooms&) = delete;

    /// A room of the first with the others in it. Part of a job.
    base::Result<std::string> make(storage::Transaction& tx, const std::vector<const Seat*>& members,
                                   std::int64_t now_ms);
    /// A message in the room with this index, by the member of it with that one. Part of a job.
    /// `with_transaction`: as a client sent it lately.
    base::Result<void> say(storage::Transaction& tx, std::size_t room, std::size_t member,
                           std::int64_t now_ms, bool with_transaction);
    std::size_t count() const;

  private:
    struct Room;
    base::Random& random_;
    std::vector<Room> rooms_;
    std::uint64_t number_ = 0;
};

}  // namespace bench
