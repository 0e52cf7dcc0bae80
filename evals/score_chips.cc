// Scores the offline reply suggestions on the cases beside this file:
//   score_chips LANGUAGE CASES.tsv NOFIT.tsv   (LANGUAGE: zh or en)
// prints one JSON object. A case counts as right among what is shown when its intent is one of the three
// chips, and as right in the top three when it is in the ranking behind them, which nobody sees; silence
// counts as wrong in both.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <offline/chips.h>

namespace {

std::vector<std::pair<std::string, std::string>> read_cases(const char* path, bool with_intent) {
    std::ifstream in(path);
    std::vector<std::pair<std::string, std::string>> cases;
    std::string line;
    std::getline(in, line);  // the header
    while (std::getline(in, line)) {
        const std::size_t tab = line.find('\t');
        if (with_intent && tab != std::string::npos) {
            cases.emplace_back(line.substr(0, tab), line.substr(tab + 1));
        } else if (!with_intent && !line.empty()) {
            cases.emplace_back("", line);
        }
    }
    return cases;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace assistant::offline;
    if (argc < 4) {
        std::cerr << "usage: score_chips LANGUAGE CASES.tsv NOFIT.tsv [--misses]\n";
        return 2;
    }
    const Chips chips;
    const bool show = argc > 4;
    int right = 0, spoken = 0, distinct = 0, first = 0, shown_right = 0;
    const auto cases = read_cases(argv[2], true);
    for (const auto& [intent, message] : cases) {
        const Turn turn{false, message};
        const auto offered = chips.suggest({&turn, 1});
        const auto ranked = chips.understand(message);
        const auto in_ranking = [&](std::size_t count) {
            const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(count, ranked.size()));
            return std::any_of(ranked.begin(), end,
                               [&](const auto& match) { return match.intent->name == intent; });
        };
        if (!offered.empty()) {
            ++spoken;
            std::set<std::string> stances, intents;
            for (const Chip& chip : offered) {
                stances.insert(std::string(to_string(chip.stance)));
                intents.insert(chip.intent);
            }
            if (offered.size() == 3 && (stances.size() == 3 || intents.size() == 3)) ++distinct;
            if (intents.contains(intent)) ++shown_right;
            if (in_ranking(3)) {
                ++right;
                if (in_ranking(1)) ++first;
            }
        }
        if (show && (offered.empty() || !in_ranking(3))) {
            std::cerr << intent << '\t' << message << '\t'
                      << (ranked.empty() ? "silence" : ranked[0].intent->name) << '\n';
        }
    }
    int silent = 0;
    const auto strangers = read_cases(argv[3], false);
    for (const auto& [none, message] : strangers) {
        const Turn turn{false, message};
        if (chips.suggest({&turn, 1}).empty()) ++silent;
    }
    const auto share = [](int part, std::size_t whole) {
        return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    std::cout << "{\"language\": \"" << argv[1] << "\", \"cases\": " << cases.size()
              << ", \"right_in_top_three\": " << share(right, cases.size())
              << ", \"right_among_shown\": " << share(shown_right, cases.size())
              << ", \"right_first\": " << share(first, cases.size())
              << ", \"spoken\": " << share(spoken, cases.size())
              << ", \"distinct_where_spoken\": " << share(distinct, static_cast<std::size_t>(spoken))
              << ", \"nofit_cases\": " << strangers.size()
              << ", \"silent_on_nofit\": " << share(silent, strangers.size()) << "}\n";
}
