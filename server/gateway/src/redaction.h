#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// Replaces what identifies people (addresses, numbers, keys) by typed placeholders before a text leaves, and
/// puts the originals back into the answer. The table lives as long as one call, in memory alone.
///
/// A text may be a JSON document (that is how excerpts stand in prompts) or plain words: escapes of JSON are
/// read as the characters that they stand for, and never cut in two.
class Redaction {
  public:
    static constexpr std::size_t kRestoredLimitBytes = std::size_t{256} * 1024;

    /// What already looks like a placeholder in a text of this call will not be one of ours: what a model
    /// copies from there stays as it was written. To be called for every text before the first redact().
    void keep_literals(std::string_view text);
    /// The text with placeholders; the same original gets the same placeholder throughout the call.
    std::string redact(std::string_view text);
    /// The originals back in a whole text.
    std::string restore(std::string_view text) const;
    /// How many different originals were replaced.
    std::size_t size() const { return originals_.size(); }

    /// Restores a stream whose pieces may cut a placeholder anywhere. Of originals it puts in
    /// kRestoredLimitBytes at most, since a server may send a short placeholder for a long one as often as it
    /// likes; the placeholders beyond stay.
    class Restorer {
      public:
        explicit Restorer(const Redaction& redaction) : redaction_(redaction) {}
        std::string feed(std::string_view piece);
        std::string finish();

      private:
        const Redaction& redaction_;
        std::string held_;  ///< what may be the start of a placeholder
        std::size_t restored_bytes_ = 0;
    };

  private:
    std::string placeholder_for(std::string_view kind, std::string_view original);

    std::map<std::string, std::string, std::less<>> placeholders_;  ///< original → placeholder
    std::map<std::string, std::string, std::less<>> originals_;     ///< placeholder → original
    std::map<std::string, int, std::less<>> counts_;
    std::set<std::string, std::less<>> literals_;  ///< placeholders that people wrote themselves
};

}  // namespace gateway
