#pragma once

#include <span>
#include <string_view>

#include <base/setting.h>

namespace app {

/// Every setting of `lingxi serve`, declared once.
std::span<const base::Setting> setting_rows();

/// Variables that begin as those of settings do but are read by scripts and tests of ours.
std::span<const std::string_view> other_variables();

}  // namespace app
