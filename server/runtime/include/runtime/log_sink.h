#pragma once

#include <string>

#include <base/log.h>

namespace runtime {

/// Installs the process's log sink: one line an event on standard error, `name=value` fields in logfmt.
/// `process` stands in each line ("core", "gateway", …). Ignores SIGPIPE: a log that nobody reads is no end.
void install_log_sink(std::string process, base::LogLevel least);

}  // namespace runtime
