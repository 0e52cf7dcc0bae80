#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assistant {

/// Stand-ins for the names of other people in what is handed to a model ("人物A", "Person B"), and the way
/// back. Lives as long as one call.
class Names {
  public:
    /// The stand-in of a person; the same name gets the same one. `chinese` chooses its words.
    std::string stand_in(std::string_view name, bool chinese);
    /// Another name of somebody who has a stand-in (their id, what they are called in this room), and the
    /// parts of it that people say alone ("Emma" of "Emma Hart"; written like that, since "Will" is a name
    /// and "will" is none).
    void add_alias(std::string_view name, std::string_view alias);
    /// The text with every name that has a stand-in replaced. Names that are too short to tell from words
    /// stay.
    std::string hide(std::string_view text) const;

    /// Puts names back into a stream whose pieces may cut a stand-in anywhere. Both languages' stand-ins are
    /// known, since a translation turns one into the other.
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
    struct Entry {
        std::string name;
        std::string letters;
        bool chinese;
        bool is_alias;
        bool is_part = false;
    };
    void add_parts(const Entry& whole);

    std::vector<Entry> entries_;
};

}  // namespace assistant
