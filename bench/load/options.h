#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace bench {

/// `--name value` pairs behind a subcommand. What is missing and has no default ends the program: these are
/// tools of bench/run, which gives all that they need.
class Options {
  public:
    explicit Options(std::span<char*> arguments) {
        for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
            const std::string_view name = arguments[i];
            if (!name.starts_with("--")) fail("expected --name value", name);
            values_.emplace(name.substr(2), arguments[i + 1]);
        }
        if (arguments.size() % 2 != 0) fail("a value is missing", arguments.back());
    }

    std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) fail("an option is missing", name);
        return found->second;
    }
    std::string text(const std::string& name, const std::string& otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : found->second;
    }
    std::int64_t number(const std::string& name, std::int64_t otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : std::atoll(found->second.c_str());
    }
    double real(const std::string& name, double otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : std::atof(found->second.c_str());
    }

  private:
    [[noreturn]] static void fail(std::string_view what, std::string_view which) {
        std::cerr << what << ": " << which << "\n";
        std::exit(2);
    }
    std::map<std::string, std::string> values_;
};

}  // namespace bench
