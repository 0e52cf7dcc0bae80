#pragma once

#include <base/result.h>
#include <runtime/sandbox.h>

namespace runtime {

/// Binds the calling thread by Landlock as far as the kernel knows it; answers the kernel's version of it, 0
/// for none.
base::Result<int> apply_landlock(const Allowances& allowances);

/// The same for the supervisor, and for whatever it starts: reading stays free.
base::Result<int> apply_supervisor_landlock(const SupervisorAllowances& allowances);

}  // namespace runtime
