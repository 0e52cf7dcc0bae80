#pragma once

#include "features.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assistant::offline {

enum class Stance : std::uint8_t { accept, decline, ask };
std::string_view to_string(Stance stance);

struct Reply {
    Stance stance;
    std::string text;
};

/// A class of incoming message: how people say it, and what one may answer.
struct Intent {
    std::string name;
    std::vector<std::string> examples;
    std::vector<Reply> replies;
};

/// Reads the line format of intents/*/*.intents ("# name", "> example", "+ accept", "- decline", "? ask").
std::vector<Intent> read_intents(std::string_view text);

/// The texts that are built into the executable.
std::span<const std::string_view> embedded_intents(Language language);

}  // namespace assistant::offline
