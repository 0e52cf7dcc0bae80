#include "paths.h"

#include <string>
#include <system_error>

namespace app {

base::Result<Paths> prepare_paths(const std::filesystem::path& data) {
    std::error_code error;
    const std::filesystem::path root = std::filesystem::absolute(data, error);
    Paths paths{.data = root, .core = root / "core", .gateway = root / "gateway", .run = root / "run"};
    for (const auto& folder : {paths.data, paths.core, paths.gateway, paths.run}) {
        const bool made = std::filesystem::create_directories(folder, error);
        if (!error && made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
        if (error) {
            return base::fail(
                base::ErrorKind::unavailable, "app.data_directory",
                "The data directory " + root.string() + " cannot be used: " + error.message() + ".");
        }
    }
    return paths;
}

}  // namespace app
