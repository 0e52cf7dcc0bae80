#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <chat/ids.h>
#include <chat/membership.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// An event as somebody may read it.
struct ReadEvent {
    EventId id;
    Position position;
    identity::UserNumber sender;
    std::string type;
    bool is_state = false;
    bool is_redacted = false;
    std::int64_t origin_server_ts = 0;
    base::json::object content;  ///< as it was sent; what a redaction left of it
    /// The content with the latest edit in its place (m.new_content), where the reader may see that edit.
    base::json::object latest;
};

/// A room as one person may read it, for the modules above chat: inside a job, over Transaction&.
class RoomReading {
  public:
    /// Nothing where there is no such room, or the person may see nothing of it.
    static std::optional<RoomReading> open(storage::Transaction& tx, std::string_view room_id,
                                           identity::UserNumber reader);
    static std::optional<RoomReading> open(storage::Transaction& tx, RoomNumber room,
                                           identity::UserNumber reader);
    ~RoomReading();
    RoomReading(RoomReading&&) noexcept;
    RoomReading& operator=(RoomReading&&) noexcept;

    RoomNumber number() const;
    const std::string& room_id() const;
    Membership membership() const;
    std::int64_t joined_count() const;
    std::vector<identity::UserNumber> joined(std::size_t limit) const;

    /// Nothing where the event is not in this room, or the person may not see it.
    std::optional<ReadEvent> event(std::string_view event_id);
    std::optional<ReadEvent> event(Position position);
    /// Those before `before` that the person may see, newest first; looks at no more than `limit` events.
    std::vector<ReadEvent> events_before(Position before, std::size_t limit);

    /// The content of the room's current state; nothing where it has none.
    std::optional<base::json::object> state(std::string_view type, std::string_view state_key = {}) const;
    struct State {
        std::string state_key;
        base::json::object content;
    };
    std::vector<State> states_of_type(std::string_view type) const;

  private:
    struct Inside;
    explicit RoomReading(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

/// The rooms in which an account has this membership.
std::vector<RoomNumber> rooms_with(storage::Transaction& tx, identity::UserNumber user, Membership membership,
                                   std::size_t limit);

/// A person's global account data of this type.
std::optional<base::json::object> account_data(storage::Transaction& tx, identity::UserNumber user,
                                               std::string_view type);

}  // namespace chat
