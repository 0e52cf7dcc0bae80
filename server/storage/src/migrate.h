#pragma once

#include "connection.h"

#include <span>
#include <vector>

namespace storage {

/// Applies what is missing, one transaction a step. Errors: storage.newer_version, storage.migration_changed
/// (conflict), and those of the database.
base::Result<void> migrate(Connection& connection, std::span<const std::span<const Migration>> modules);

}  // namespace storage
