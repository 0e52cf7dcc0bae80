#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <net/message.h>

namespace net {

/// A request target (RFC 9112, 3.2) taken apart, still encoded. The views look into the target.
struct Target {
    std::string_view path;   ///< begins with '/', or is "*"
    std::string_view query;  ///< without the '?'
};

/// Takes origin form, absolute form (its authority is ignored) and "*". Errors: net.bad_target (invalid).
base::Result<Target> split_target(std::string_view target);

/// Decodes "a=1&b=%20+" . Errors: net.bad_query (invalid): a broken encoding, text that is no UTF-8, over 256
/// pairs.
base::Result<Query> parse_query(std::string_view text);

/// Splits a path at its slashes and decodes each segment, so that an encoded slash stays inside its segment.
/// One trailing slash is dropped. Errors: net.bad_path (invalid): a broken encoding, no UTF-8, a zero byte,
/// over 64 segments.
base::Result<std::vector<std::string>> split_path(std::string_view path);

}  // namespace net
