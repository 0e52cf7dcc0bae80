#pragma once

#include <base/setting.h>

namespace app {

/// `lingxi serve`: binds, starts the supervisor and its three processes, prints what to do next. Returns the
/// exit code.
int serve(const base::Settings& settings);

}  // namespace app
