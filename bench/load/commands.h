#pragma once

#include "options.h"

namespace bench {

/// The subcommands of the load generator. Each is bounded in count and time, and prints one JSON object a
/// line.
int furnish(const Options& options);     // registers people, makes their rooms, writes the people file
int send_load(const Options& options);   // sends, closed loop or at a rate
int send_pairs(const Options& options);  // a send, then the incremental sync that brings it
int wake(const Options& options);  // parked long-polls, and how long after a commit the last is answered
int park(const Options& options);  // parks long-polls until standard input ends
int initial_sync(const Options& options);
int assist_load(const Options& options);  // translations, as fast as they are answered
int storm(const Options& options);        // sends that outlive the server, repeated until acknowledged
int fan_out(const Options& options);      // the reference of wake: a bare loop that answers N sockets

}  // namespace bench
