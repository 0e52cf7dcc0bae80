#pragma once

#include "core.h"
#include "excerpt.h"

#include <net/message.h>

namespace assistant {

using runtime::Task;

Task<net::Response> get_assist_status(Core& core, net::Request request);
Task<net::Response> get_label_key(Core& core, net::Request request);
Task<net::Response> suggest_chips(Core& core, net::Request request);
Task<net::Response> suggest_replies(Core& core, net::Request request);
Task<net::Response> translate(Core& core, net::Request request);

Task<net::Response> list_receipts(Core& core, net::Request request);
Task<net::Response> get_receipt(Core& core, net::Request request);
Task<net::Response> export_receipts(Core& core, net::Request request);
Task<net::Response> delete_receipts(Core& core, net::Request request);

Task<net::Response> get_budget(Core& core, net::Request request);
Task<net::Response> set_budget(Core& core, net::Request request);
Task<net::Response> list_models(Core& core, net::Request request);
Task<net::Response> order_models(Core& core, net::Request request);
Task<net::Response> put_model(Core& core, net::Request request);
Task<net::Response> delete_model(Core& core, net::Request request);
Task<net::Response> test_model(Core& core, net::Request request);
Task<net::Response> discover_models(Core& core, net::Request request);

identity::UserNumber user_of(const net::Request& request);

/// What stands in the way of any AI for this person, in this room. Part of a job.
Answered<void> check_allowed(storage::Transaction& tx, identity::UserNumber user,
                             const chat::RoomReading& room);

/// What a call hands over, and in whose name.
struct HandOver {
    identity::UserNumber user;
    std::string room_id;
    Purpose purpose = Purpose::suggest_replies;
    std::vector<identity::UserNumber> consenting;
    identity::UserNumber reader;  ///< who read the events: the person, or @assistant
    std::vector<chat::EventVersion> versions;
};
/// The check of CallWish::still_allowed: the switches, the room's policy, that both are in the room, the
/// consent of everybody who had to agree, and the words themselves (not redacted, not edited since), as they
/// are when the call goes.
std::function<Answered<void>(storage::Transaction&, const Destination&)> consent_check(HandOver hand_over);

/// The room as this person, who is in it, may read it; else M_FORBIDDEN's refusal.
Answered<chat::RoomReading> open_room(storage::Transaction& tx, std::string_view room_id,
                                      identity::UserNumber user);

/// Where words may go, best first, of the model servers as they were listed.
std::vector<Candidate> candidates_of(const std::vector<egress::Provider>& servers);

/// Counts a refusal and words it.
net::Response refused(Core& core, const Refusal& refusal);

}  // namespace assistant
