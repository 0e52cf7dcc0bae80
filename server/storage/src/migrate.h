#pragma once

#include "connection.h"

#include <span>
#include <vector>

#include <base/result.h>
#include <storage/migration.h>

namespace storage {

/// Brings the schema up to what the program knows: each missing step in a transaction of its own, together
/// with its row in schema_migration.
/// Errors: storage.newer_version, storage.migration_changed, storage.foreign_file (conflict);
/// storage.migration_failed (internal); and those of a write.
base::Result<void> migrate(Connection& connection, std::span<const std::span<const Migration>> of_modules);

}  // namespace storage
