#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/steady_timer.hpp>

#include <base/clock.h>
#include <runtime/runtime.h>

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
    /// Long enough for the others of a room to read a message, short enough that what is taken back is soon
    /// gone.
    static constexpr std::chrono::minutes kKept{10};

    AnswerCache(runtime::Runtime& runtime, const base::Clock& clock,
                std::chrono::steady_clock::duration kept = kKept)
        : clock_(clock), kept_(kept), timer_(runtime.io()) {}

    std::optional<Answer> find(std::string_view provider_id, std::string_view scope,
                               std::string_view outbound_sha256);
    void put(std::string_view provider_id, std::string_view scope, std::string_view outbound_sha256,
             Answer answer);
    /// After a change of the provider: another server may stand behind its name.
    void forget(std::string_view provider_id);
    std::size_t size() const { return entries_.size(); }

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
    /// Sees to it that what is old goes though nobody asks any more.
    void plan();

    const base::Clock& clock_;
    std::chrono::steady_clock::duration kept_;
    Entries entries_;  ///< oldest first
    std::map<std::string, Entries::iterator, std::less<>> by_key_;
    std::size_t bytes_ = 0;
    boost::asio::steady_timer timer_;
    bool is_planned_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gateway
