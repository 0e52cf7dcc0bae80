#pragma once

#include "keyed_lock.h"
#include "media_files.h"
#include "media_store.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <chat/media.h>
#include <net/message.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace chat {

/// What the endpoints of media share. I/O thread only.
struct Media::Core {
    Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
         base::Random& random_in, imaging::Renderer& renderer_in, Options options_in)
        : runtime(runtime_in),
          database(database_in),
          clock(clock_in),
          random(random_in),
          renderer(renderer_in),
          options(std::move(options_in)),
          files(std::make_shared<const MediaFiles>(options.directory)),
          locks(runtime_in),
          uploaded(runtime_in),
          withdrawn(runtime_in),
          tasks(runtime_in, "media"),
          disk("media", 2, 1024) {}

    runtime::Runtime& runtime;
    storage::Database& database;
    const base::Clock& clock;
    base::Random& random;
    imaging::Renderer& renderer;
    const Options options;
    const std::shared_ptr<const MediaFiles> files;
    /// By hash: whoever puts content in its place or takes it away, with its rows; by hash and "/thumbnail":
    /// whoever has a thumbnail of it made. An upload needs the first alone, so it never waits for render.
    KeyedLock locks;
    runtime::Notifier uploaded;
    runtime::Notifier withdrawn;
    bool has_withdrawn = false;  ///< something may be shown by no event any more
    bool stopping = false;
    std::size_t waiting = 0;              ///< requests for what was promised
    std::map<std::int64_t, int> uploads;  ///< under way, by person
    runtime::TaskGroup tasks;
    runtime::WorkerPool disk;  ///< files block: never on the I/O thread

    std::string new_id() { return random.alphanumeric(32); }
    std::string uri(const std::string& media_id) const {
        return "mxc://" + options.server_name() + "/" + media_id;
    }

    /// The row of what the request's path names. What was promised is waited for, within `timeout_ms`.
    /// Errors: M_NOT_FOUND, M_NOT_YET_UPLOADED, M_INVALID_PARAM.
    runtime::Task<base::Result<MediaRow>> find(net::Request& request);
};

using MediaAnswer = runtime::Task<net::Response>;

// upload_endpoints.cc
MediaAnswer upload_content(Media::Core& core, net::Request request);
MediaAnswer create_content(Media::Core& core, net::Request request);
MediaAnswer upload_content_to_mxc(Media::Core& core, net::Request request);

// download_endpoints.cc
MediaAnswer get_media_config(Media::Core& core, net::Request request);
MediaAnswer get_content(Media::Core& core, net::Request request);

// thumbnail_endpoint.cc
MediaAnswer get_content_thumbnail(Media::Core& core, net::Request request);

/// Whether `text` has the form of an id of media.
bool is_media_id(std::string_view text);
std::unexpected<base::Error> no_such_media();
std::string media_etag(const base::Sha256& sha256);

}  // namespace chat
