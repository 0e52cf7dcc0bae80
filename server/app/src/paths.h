#pragma once

#include <filesystem>

#include <base/result.h>

namespace app {

/// The data directory: each process owns one folder of it.
struct Paths {
    std::filesystem::path data;
    std::filesystem::path core;     ///< database, media, the socket for administration
    std::filesystem::path gateway;  ///< model servers and their keys
    std::filesystem::path run;      ///< processes.json

    std::filesystem::path database() const { return core / "lingxi.db"; }
    std::filesystem::path admin_socket() const { return core / "admin.sock"; }
};

/// Makes the folders (0700) where they are missing. Errors: app.data_directory (unavailable).
base::Result<Paths> prepare_paths(const std::filesystem::path& data);

/// Takes the data directory for this server until the process and its forks have ended, before anything in it
/// is touched. What a killed server left behind is waited for, a moment. Errors: app.data_in_use (conflict),
/// app.data_directory.
base::Result<void> take_data_directory(const Paths& paths);

}  // namespace app
