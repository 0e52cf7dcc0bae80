// The metrics that a helper hands to core, which may have been taken over. What must hold: it speaks for
// itself alone, in lines of the text format.
#include "fuzz.h"

#include <algorithm>
#include <string>

#include <base/metrics_json.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto families = base::read_metrics(fuzz::text_of(data, size), "render");
    if (!families) return 0;
    const auto written = base::metrics_text(*families);
    std::string_view rest = written;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        require(end != std::string_view::npos);
        auto line = rest.substr(0, end);
        for (const std::string_view head : {"# HELP ", "# TYPE "}) {
            if (line.starts_with(head)) line.remove_prefix(head.size());
        }
        require(line.starts_with("render_"));
        rest.remove_prefix(end + 1);
    }
    // Not to the last digit of a number: decimals of any length are read.
    const auto again = base::read_metrics(base::metrics_json(*families), "render");
    require(again &&
            std::ranges::count(base::metrics_text(*again), '\n') == std::ranges::count(written, '\n'));
    return 0;
}
