#pragma once

#include "core.h"
#include "excerpt.h"

#include <chrono>
#include <string>

#include <net/message.h>

namespace assistant {

/// No spinner turns longer than this.
inline constexpr std::chrono::seconds kAnswerLimit{28};
/// A long text that is seen to come may take longer.
inline constexpr std::chrono::seconds kLongAnswerLimit{120};

/// Everything that the answer of one streamed call needs; owned by the response that streams it.
struct ModelStream {
    Seats::Seat seat;
    RunReader run;
    Excerpt excerpt;
    std::chrono::steady_clock::time_point began;
    int announced = 0;  ///< attempts that the reader was told of
};

/// Starts the call and waits until it has been told to go, so that what keeps it from going is an ordinary
/// error.
runtime::Task<Answered<ModelStream>> begin_stream(Core& core, Seats::Seat seat, CallWish wish,
                                                  Excerpt excerpt);
/// Errors: M_LIMIT_EXCEEDED.
Answered<Seats::Seat> take_seat(Core& core, identity::UserNumber user);

/// Tells the reader where the words went, first of all, and again if another model server is tried. False
/// once the reader has gone.
runtime::Task<bool> announce(ModelStream& stream, net::EventStream& out);
/// What comes last in a stream that went well; `cut` where the answer reached the limit of its tokens before
/// its end. `label` null where each text has one of its own.
std::string done_event(const ModelStream& stream, base::json::value label);

}  // namespace assistant
