#pragma once

#include <chrono>
#include <filesystem>

#include <runtime/task.h>

namespace runtime {

/// Resolves when `file` can no longer be read for want of permission. In a locked process that means that it
/// was replaced (another network, another name server): a fresh process may read the new one, this one would
/// resolve no name.
Task<void> resolver_file_lost(std::filesystem::path file = "/etc/resolv.conf",
                              std::chrono::milliseconds interval = std::chrono::seconds(5));

}  // namespace runtime
