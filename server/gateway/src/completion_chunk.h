#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// What one event of a streamed completion says, as far as it matters here. Where a name stands twice in an
/// object, its last value counts.
struct CompletionChunk {
    enum class Choice : std::uint8_t { none, object, other };

    bool reports_error = false;  ///< some servers say in each chunk that there is none
    bool has_usage = false;
    std::optional<std::int64_t> input_tokens, output_tokens;
    Choice choice = Choice::none;  ///< what the first of `choices` is
    std::optional<std::string> finish_reason;
    std::string content, reasoning, reasoning_content;
};

/// Reads one in a single pass and without a tree: a chunk comes for every token, and most of it does not
/// matter. Nothing where the text is no JSON object, is nested deeper than `depth`, or holds a number that no
/// double can.
std::optional<CompletionChunk> read_completion_chunk(std::string_view json, std::size_t depth);

}  // namespace gateway
