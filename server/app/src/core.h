#pragma once

#include "paths.h"

#include <string>
#include <vector>

#include <base/log.h>
#include <base/setting.h>
#include <runtime/supervisor.h>

namespace app {

/// The core process, from its lock to its end. `addresses` are the listeners' as bound: clients first, then
/// metrics if there is one. Returns the exit code.
int run_core(const base::Settings& settings, const Paths& paths, const std::vector<std::string>& addresses,
             runtime::CoreStart start);

base::LogLevel log_level_of(const base::Settings& settings);

}  // namespace app
