#include "intents.h"

#include <stdexcept>

namespace assistant::offline {

std::string_view to_string(Stance stance) {
    switch (stance) {
        case Stance::accept:
            return "accept";
        case Stance::decline:
            return "decline";
        case Stance::ask:
            return "ask";
    }
    return "ask";
}

std::vector<Intent> read_intents(std::string_view text) {
    std::vector<Intent> intents;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        if (line.size() < 3 || line[1] != ' ') {
            if (line.empty()) continue;
            throw std::logic_error("intents: not a line of the format: " + std::string(line));
        }
        const std::string_view rest = line.substr(2);
        if (line[0] != '#' && intents.empty())
            throw std::logic_error("intents: a line before the first name");
        switch (line[0]) {
            case '#':
                intents.push_back({.name = std::string(rest)});
                break;
            case '>':
                intents.back().examples.emplace_back(rest);
                break;
            case '+':
                intents.back().replies.push_back({Stance::accept, std::string(rest)});
                break;
            case '-':
                intents.back().replies.push_back({Stance::decline, std::string(rest)});
                break;
            case '?':
                intents.back().replies.push_back({Stance::ask, std::string(rest)});
                break;
            default:
                throw std::logic_error("intents: not a line of the format: " + std::string(line));
        }
    }
    return intents;
}

}  // namespace assistant::offline
