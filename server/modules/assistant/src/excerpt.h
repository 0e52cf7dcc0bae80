#pragma once

#include "consent.h"
#include "names.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chat/reading.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

inline constexpr std::size_t kExcerptEventsLimit = 50;
inline constexpr std::size_t kExcerptLineLimitBytes = 8 * 1024;
inline constexpr std::size_t kExcerptLimitBytes = 24 * 1024;

enum class DropReason : std::uint8_t { not_visible, redacted, no_consent, not_text, over_limit };
std::string_view to_string(DropReason reason);

struct ExcerptLine {
    std::string event_id;
    bool own = false;
    std::string speaker;  ///< a stand-in; "me" for the caller
    std::string text;     ///< names of others replaced
};

/// A model server that is switched on.
struct Candidate {
    Destination destination;
    bool is_resting = false;  ///< after failures, for a moment
};
/// The first that runs; where none does, the first that rests.
const Candidate* first_of(const std::vector<Candidate>& candidates);

/// The model server that some words are for, among `people` who must agree, `agreed_to` of whom have: one
/// that all agreed to goes before one that some agreed to, of these the one that most did, and that before a
/// better one that nobody did. People agree to one, and asking them again would take it from them: so whoever
/// agreed to one that rests is not asked for another meanwhile. Null where none is left to ask them for.
const Candidate* choose_server(const std::vector<Candidate>& candidates, std::size_t people,
                               const std::function<std::size_t(const Destination&)>& agreed_to);

/// What of a conversation may be handed over, and what not, and why.
struct Excerpt {
    std::vector<ExcerptLine> lines;  ///< oldest first
    std::vector<std::string> used;
    std::vector<chat::EventVersion> versions;  ///< of those, as they were read
    std::vector<std::pair<std::string, DropReason>> dropped;
    std::vector<identity::UserNumber> whose;       ///< everybody whose words are in it
    std::vector<identity::UserNumber> consenting;  ///< those of them who had to agree
    Agreed agreed;                                 ///< what these agreed to
    std::vector<std::string> unwilling_user_ids;   ///< whose words were dropped for want of consent
    /// Where it may go; nothing where no model server can be used.
    std::optional<Destination> destination;
    /// That server rests, and none that runs will do: there is nothing to ask people for, and nothing can be
    /// had but what it answered a while ago.
    bool destination_rests = false;
    Names names;

    bool has_words_of_others() const;
    void go_to(const Candidate* chosen);
};

struct ExcerptWish {
    identity::UserNumber caller;
    identity::UserNumber assistant;  ///< its messages count as the words of whom it answered
    std::vector<std::string> event_ids;
    Purpose purpose = Purpose::suggest_replies;
    std::vector<Candidate> candidates;  ///< best first
};

/// The one way from a room to a model: drops what the caller may not see, what was redacted, what is no text,
/// and the words of everybody who has not agreed; takes the latest edit; cuts quotes; replaces names. It is
/// for the model server that choose_server() says. Part of a job.
Excerpt gather_excerpt(storage::Transaction& tx, chat::RoomReading& room, const ExcerptWish& wish);

/// What a message says, without the reply's fallback; nothing where it is no text. An edit is no message of
/// its own: it is read through what it edits, where the latest counts.
std::optional<std::string> text_of(const chat::ReadEvent& event);
/// Makes known every person of the room but these two, those who left too: what they are called, their id,
/// their name in this room. In a large room, those whose ids stand in `text` come first.
void know_people(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber caller,
                 identity::UserNumber assistant, std::string_view text, bool chinese, Names& names);
/// The ids of those whom a message speaks to, one after another.
std::string mentioned_ids(const chat::ReadEvent& event);
/// Whether a message is one that its sender passed on: the words of somebody else, who cannot be asked.
bool is_forwarded(const chat::ReadEvent& event);
/// What a message says in its author's own words: text_of() without quotes.
std::optional<std::string> own_text_of(const chat::ReadEvent& event);
bool is_mostly_chinese(std::string_view text);

}  // namespace assistant
