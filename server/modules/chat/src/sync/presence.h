#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <base/clock.h>
#include <identity/ids.h>

namespace chat {

enum class PresenceState : std::uint8_t { offline, unavailable, online };
std::string_view to_string(PresenceState state);
std::optional<PresenceState> parse_presence(std::string_view text);

/// Who is there, in memory; stored are what people say of themselves, and who was there, so that those who do
/// not come back after a restart are known to have gone. Each device speaks for itself, and
/// what is told of a person is the most active of them: or one that is idle and one that is not would
/// contradict each other for ever, and wake everybody each time. Positions begin at the time of the start in
/// milliseconds, so that a token of before a restart lies before them. I/O thread only.
class Presence {
  public:
    explicit Presence(const base::Clock& clock);

    struct Known {
        std::string user_id;
        PresenceState state = PresenceState::offline;
        std::string status_message;
        std::int64_t last_active_ms = 0;
        std::int64_t position = 0;  ///< of the last change
    };

    /// Which device speaks.
    struct Speaker {
        identity::UserNumber user;
        identity::DeviceNumber device;
    };
    /// A device asks for news, saying so of itself. Offline: leaves things as they are. To be ended with
    /// poll_ends(), by the number that this returns.
    std::uint64_t poll_begins(Speaker speaker, std::string_view user_id, PresenceState says);
    void poll_ends(identity::UserNumber user, std::uint64_t poll);
    /// Holds for the requests of the device that are under way as well.
    void set(Speaker speaker, std::string_view user_id, PresenceState state,
             std::optional<std::string> status_message);
    /// What a person said of themselves before the last restart, and whether they were there. They are held
    /// to be for as long as if their device had just been heard of. Only who asks for everything is told of
    /// it: the others know.
    void restore(identity::UserNumber user, std::string user_id, std::string status_message, bool was_here);
    /// Nobody is told: for who shares no room with anybody any more.
    void forget(identity::UserNumber user);
    /// Tells of a person who is there once more: somebody has come who was not told before.
    void tell_again(identity::UserNumber user);
    /// A position after all that were told up to now.
    std::int64_t next() { return ++last_; }
    /// What was said by those who have not been heard of for a while holds no longer.
    void expire();

    const Known* find(identity::UserNumber user) const;
    std::int64_t last() const { return last_; }
    struct Change {
        identity::UserNumber user;
        Known known;
    };
    /// What changed after `position`, oldest first, at most `limit`; from 0 on: those who are not offline, or
    /// say something of themselves.
    std::vector<Change> changed_since(std::int64_t position, std::size_t limit) const;
    /// Up to where that is all that changed; last() where it is not cut by the limit.
    std::int64_t page_end(std::int64_t position, std::size_t limit) const;
    /// Whose presence changed since this was asked last.
    std::vector<identity::UserNumber> take_news();

    /// Who has come or gone in a way that is not stored yet, at most `limit`; from now on held to be stored.
    struct Whereabouts {
        identity::UserNumber user;
        bool is_here = false;
    };
    std::vector<Whereabouts> take_unstored(std::size_t limit);
    /// They were not stored after all.
    void keep_unstored(const std::vector<Whereabouts>& whereabouts);

    /// The content of m.presence.
    static std::string content(const Known& known, std::int64_t now_ms);

  private:
    /// What one request says of its device; it holds for a while after the request has ended.
    struct Voice {
        std::uint64_t poll = 0;
        identity::DeviceNumber device;
        PresenceState says = PresenceState::offline;
        bool is_asking = false;
        bool is_overruled = false;                       ///< the device said something else later
        std::chrono::steady_clock::time_point heard_at;  ///< where it is not asking: when it ended
    };
    struct Person : Known {
        std::vector<Voice> voices;  ///< those that are asking, and a few that were
        bool is_restored = false;   ///< nothing was heard of them since the start
        bool is_stored_here = false;
    };
    void add_voice(Person& person, const Voice& voice);
    /// A device says something now.
    void speak(Person& person, const Voice& voice);
    /// Tells what the voices say together, where that is not what was told last, or `is_news` anyway.
    void tell(identity::UserNumber user, Person& person, bool is_news = false);
    void change(identity::UserNumber user, Person& person, PresenceState state);
    /// Whether it is to be stored that they have come or gone.
    void note_whereabouts(identity::UserNumber user, const Person& person);
    /// Whether anybody who asks for everything is told of them.
    static bool is_worth_telling(const Known& person);
    /// Forgets what was restored, for what a device says now; true where that is to be told in any case.
    static bool hears_first_of(Person& person);

    const base::Clock& clock_;
    std::int64_t last_;
    std::uint64_t last_poll_ = 0;
    std::unordered_map<identity::UserNumber, Person> people_;
    std::map<std::int64_t, identity::UserNumber> order_;  ///< by position of the last change
    std::vector<identity::UserNumber> news_;
    std::unordered_set<identity::UserNumber> unstored_;
    std::int64_t restored_ = 0;  ///< their positions are 1, 2, …: before any token
};

}  // namespace chat
