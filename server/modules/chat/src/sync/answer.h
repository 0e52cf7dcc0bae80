#pragma once

#include "sync/sync_query.h"

#include <storage/transaction.h>

namespace chat {

/// Makes one answer of /sync from one snapshot of the database. Runs on a reader thread.
SyncAnswer make_answer(storage::Transaction& tx, const SyncQuery& query);
/// The answer that tells nothing but where to go on.
std::string empty_answer(const StreamToken& next_batch);

}  // namespace chat
