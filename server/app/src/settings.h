#pragma once

#include <span>

#include <base/setting.h>

namespace app {

/// Every setting of `lingxi serve`, declared once.
std::span<const base::Setting> setting_rows();

}  // namespace app
