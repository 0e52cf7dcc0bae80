#pragma once

#include <base/setting.h>

namespace app {

/// Looks at what a start needs and says what to do about what is missing. 0: nothing stands in the way.
int examine(const base::Settings& settings);

}  // namespace app
