#pragma once

#include <string>
#include <vector>

#include <base/setting.h>

namespace app {

/// `lingxi admin COMMAND…`: asks the running server. Returns the exit code.
int administer(const base::Settings& settings, const std::vector<std::string>& arguments);

}  // namespace app
