#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include <chat/ids.h>
#include <identity/ids.h>

namespace chat {

/// The last changes of one stream, in memory: which rooms have something new since a position, without a look
/// at any room. Can be dropped at any time; what lies before its beginning is then asked of the database.
class RoomLog {
  public:
    struct Entry {
        std::int64_t position = 0;
        RoomNumber room;
        identity::UserNumber only;  ///< the change concerns this person alone; none: all in the room
    };

    explicit RoomLog(std::size_t limit = 65'536) : limit_(limit) {}

    /// Nothing up to `position` is known here; what was added after it already stays.
    void begin_at(std::int64_t position);
    /// Positions grow from call to call.
    void add(Entry entry);
    /// The last position that was added.
    std::int64_t last() const { return last_; }
    /// Whether every change after `position` is known here.
    bool covers(std::int64_t position) const { return position >= floor_; }
    /// Calls `visit` for each change after `position`, oldest first; covers(position).
    void since(std::int64_t position, const std::function<void(const Entry&)>& visit) const;

  private:
    std::size_t limit_;
    std::deque<Entry> entries_;
    std::int64_t floor_ = 0;
    std::int64_t last_ = 0;
};

}  // namespace chat
