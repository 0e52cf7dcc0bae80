#pragma once

#include <base/result.h>
#include <runtime/sandbox.h>

namespace runtime {

/// Installs the system call filter for all threads of the process.
base::Result<void> apply_seccomp(const Allowances& allowances);

/// The same for the supervisor: what its children need until they are locked is allowed.
base::Result<void> apply_supervisor_seccomp();

}  // namespace runtime
