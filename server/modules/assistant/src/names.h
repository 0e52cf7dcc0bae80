#pragma once

#include "folded.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace assistant {

/// Stand-ins for the names of other people in what is handed to a model ("人物A", "Person B"), and the way
/// back. Lives as long as one call.
class Names {
  public:
    static constexpr std::size_t kNameLimitBytes = 256;  ///< of a longer name, so much is looked for
    static constexpr std::size_t kPartsLimit = 8;        ///< of one name
    static constexpr std::size_t kEntriesLimit = 2048;

    /// Before any name: whatever could be taken for a stand-in in a text that goes out is nobody's, so that
    /// a "Person A" that somebody wrote never becomes a name.
    void avoid(std::string_view text);
    /// Makes a person known; `chinese` chooses the words of their stand-in. The same name is one person.
    void add(std::string_view name, bool chinese);
    /// Another name of somebody known (their id, what they are called in this room), and the parts of it that
    /// people say alone ("Emma" of "Emma Hart", "小波" of "王小波"; written like that, since "Will" is a name
    /// and "will" is none).
    void add_alias(std::string_view name, std::string_view alias);
    /// What the asker calls somebody ("妈妈", "Boss"): they write it of others too, so it is put back as it
    /// was written, and what is a word of every day is none.
    void add_remark(std::string_view name, std::string_view remark);
    /// The short form of somebody's id ("emma"), which may be a word ("will"): then only with an @ before it.
    void add_handle(std::string_view name, std::string_view handle);
    /// The stand-in of a person, made known where they are not, as it will be handed over.
    std::string stand_in(std::string_view name, bool chinese);
    /// The text with every known name replaced, in whatever case and form of Unicode it is written. Names
    /// that are too short to tell from words are replaced only with an @ before them.
    std::string hide(std::string_view text);

    /// Puts names back into a stream whose pieces may cut a stand-in anywhere: only those that the model was
    /// given. Both languages' stand-ins are known, since a translation turns one into the other.
    class Restorer {
      public:
        explicit Restorer(const Names& names);
        std::string feed(std::string_view piece);
        std::string finish();

      private:
        std::string take(bool is_last);

        std::vector<std::pair<std::string, std::string>> words_;  ///< stand-in, name; longest first
        std::size_t longest_ = 0;
        std::string held_;
    };

  private:
    struct Person {
        std::string name;
        std::string letters;
        bool chinese;
        bool is_given = false;  ///< the stand-in stands in what the model gets
        std::string said;       ///< what the asker's own word for them was, where that is what was replaced
    };
    enum class Written : std::uint8_t { in_any_case, as_it_is, after_at };
    struct Entry {
        std::string name;     ///< folded
        std::string in_case;  ///< for `as_it_is`: composed, in its own case
        std::size_t person;
        Written written;
        bool is_alias;
        bool is_cut;  ///< goes on where this ends
        bool is_remark;
    };

    std::size_t person_of(std::string_view name, bool chinese);
    void add_entry(std::string_view name, std::size_t person, Written written, bool is_alias,
                   bool is_remark = false);
    void add_parts(std::string_view name, std::size_t person);
    std::string free_letters();
    void sort_entries();
    const Entry* entry_at(std::string_view written, const Folded& text, std::size_t at) const;

    std::vector<Person> people_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    std::vector<Entry> entries_;
    std::set<std::string, std::less<>> known_;  ///< names of entries, as they are looked for
    std::set<std::string, std::less<>> avoided_;
    std::size_t next_letters_ = 0;
    /// By the first character, folded; the longest first.
    std::unordered_map<char32_t, std::vector<std::size_t>> by_first_;
    bool is_sorted_ = false;
};

}  // namespace assistant
