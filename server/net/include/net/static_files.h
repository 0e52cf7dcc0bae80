#pragma once

#include <filesystem>

#include <net/route.h>

namespace net {

/// Serves a built web client: `index.html` for application paths, precompressed `.br`/`.gz` siblings by
/// Accept-Encoding, hashed assets immutable, everything else revalidated by ETag, strict security headers.
/// Files are opened when asked for, below `root` only.
Handler static_files(std::filesystem::path root);

}  // namespace net
