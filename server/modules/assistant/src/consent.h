#pragma once

#include "budget.h"

#include <optional>
#include <string>
#include <vector>

#include <base/json.h>
#include <chat/reading.h>
#include <storage/transaction.h>

namespace assistant {

/// Where words would go.
struct Destination {
    bool on_this_machine = false;
    std::string provider_name;
    std::string model = {};  ///< nobody agrees to one; empty where it is not known
};
/// As a card asks for it, and a consent agrees to it.
base::json::object to_json(const Destination& destination);

/// Whether a consent's "destination" is this one.
bool reaches(const base::json::object& agreed, const Destination& destination);

/// The room's own word on AI (state im.lingxi.ai_policy); allowed where it says nothing.
bool is_ai_allowed(const chat::RoomReading& room);

/// Whether `content` of somebody's im.lingxi.consent agrees to this. Agreeing to a provider by name is not
/// agreeing to this machine, nor the other way round: people agree to what they read.
bool agrees(const base::json::object& content, Purpose purpose, const Destination& destination);
/// What a person has answered in this room, while it holds: they are in the room, could take it back, and
/// have not switched AI off for themselves. Nothing where it does not, or they said nothing.
std::optional<base::json::object> consent_in_force(storage::Transaction& tx, const chat::RoomReading& room,
                                                   identity::UserNumber user);
/// agrees() of consent_in_force(). Their own words are everybody's own to hand over; that is the caller's to
/// know.
bool has_agreed(storage::Transaction& tx, const chat::RoomReading& room, identity::UserNumber user,
                Purpose purpose, const Destination& destination);

/// What all those who agreed hold a call to, so that no server is tried that one of them has not agreed to.
struct Agreed {
    bool this_machine_only = false;
    std::string provider_name;  ///< empty: whatever it is called

    /// Narrows it to what somebody, who has agreed to it, said.
    void take(const base::json::object& consent);
};

/// Who agreed to what, while it is in force, as the AI panel and the cards show it to `reader`. Their own is
/// there while they have AI off, too: it waits, and they may take it back.
base::json::array consents_of(storage::Transaction& tx, const chat::RoomReading& room,
                              identity::UserNumber reader);

/// What a person set for themselves (account data im.lingxi.settings).
struct PersonSettings {
    bool ai_enabled = true;  ///< else nothing is asked for them, nor are their words handed over by others
    std::string language;
};
PersonSettings person_settings(storage::Transaction& tx, identity::UserNumber user);

}  // namespace assistant
