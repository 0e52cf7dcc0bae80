#pragma once

#include <storage/migration.h>

#include <span>

namespace chat {

std::span<const storage::Migration> migrations();

}  // namespace chat
