#pragma once

#include <base/result.h>
#include <net/message.h>

namespace identity {

/// The one table from what went wrong to how `/_matrix/` and `/_lingxi/` say it: status and
/// {"errcode", "error"}. An error whose code starts with "M_" or "IM.LINGXI." is sent under that errcode;
/// otherwise its kind decides.
net::Response matrix_error(const base::Error& error);

}  // namespace identity
