#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <base/clock.h>
#include <base/random.h>
#include <base/result.h>
#include <chat/news.h>
#include <identity/ids.h>
#include <imaging/renderer.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <storage/database.h>

namespace chat {

/// What people upload: addresses in the database, bytes in files named by their hash, thumbnails beside them.
/// When the last event that shows a file is redacted, file and thumbnails are deleted within seconds, and
/// at the latest at the next start or hour (`kUpkeepEvery`).
class Media {
  public:
    struct Options {
        std::filesystem::path directory;  ///< made if it is not there; within core's own folder
        std::int64_t upload_limit_bytes = std::int64_t{100} << 20;
        std::int64_t quota_bytes = 0;  ///< of one person; 0: none
        std::function<std::string()> server_name;
    };

    /// The references outlive it; `news` stops before it goes.
    Media(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
          base::Random& random, imaging::Renderer& renderer, News& news, Options options);
    ~Media();
    Media(const Media&) = delete;
    Media& operator=(const Media&) = delete;

    /// Clears away what a crash left half-written. Errors: chat.media_folder (internal).
    runtime::Task<base::Result<void>> start();
    runtime::Task<void> stop();

    std::vector<net::Route> routes();

    /// Deletes all that this person uploaded but for what others' events still show, which goes with the last
    /// of those. Bytes that somebody else uploaded too stay. May be repeated.
    runtime::Task<base::Result<void>> erase_user(identity::UserNumber user);

    struct Core;  ///< what the endpoints share (src/media/media_core.h)

  private:
    std::unique_ptr<Core> core_;
};

}  // namespace chat
