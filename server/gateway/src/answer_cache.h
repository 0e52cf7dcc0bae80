#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <base/clock.h>

namespace gateway {

/// What models answered to requests that may be answered alike again: a translation that a whole room wants
/// is paid for once. Keyed by the provider, the scope (core's: a room, or one person) and the hash of the
/// exact bytes, so that nobody learns what was asked for elsewhere; held as the model saw it, with
/// placeholders, so that whoever asks gets their own words back. In memory alone, bounded, for minutes.
class AnswerCache {
  public:
    struct Answer {
        std::string text;
        std::string finish_reason;
    };

    explicit AnswerCache(const base::Clock& clock) : clock_(clock) {}

    std::optional<Answer> find(std::string_view provider_id, std::string_view scope,
                               std::string_view outbound_sha256);
    void put(std::string_view provider_id, std::string_view scope, std::string_view outbound_sha256,
             Answer answer);
    /// After a change of the provider: another server may stand behind its name.
    void forget(std::string_view provider_id);

  private:
    struct Entry {
        std::string provider_id;
        std::string key;
        Answer answer;
        std::chrono::steady_clock::time_point until;
    };
    using Entries = std::list<Entry>;

    void drop(Entries::iterator entry);
    void drop_old();

    const base::Clock& clock_;
    Entries entries_;  ///< oldest first
    std::map<std::string, Entries::iterator, std::less<>> by_key_;
    std::size_t bytes_ = 0;
};

}  // namespace gateway
