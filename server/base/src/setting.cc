#include <algorithm>
#include <charconv>
#include <regex>
#include <stdexcept>
#include <utility>

#include <toml++/toml.h>

#include <base/setting.h>

namespace base {
namespace {

const Setting* find_row(std::span<const Setting> rows, std::string_view name) {
    const auto found = std::ranges::find(rows, name, &Setting::name);
    return found == rows.end() ? nullptr : &*found;
}

std::string with_underscores(std::string_view name) {
    std::string text(name);
    std::ranges::replace(text, '-', '_');
    return text;
}

constexpr std::string_view kVariablePrefix = "LINGXI_";

std::string variable_of(std::string_view name) {
    std::string text = std::string(kVariablePrefix) + with_underscores(name);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

/// The name of the setting that a variable would be of.
std::string name_of(std::string_view variable) {
    std::string text(variable.substr(kVariablePrefix.size()));
    std::ranges::transform(text, text.begin(), [](char c) {
        if (c == '_') return '-';
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

/// What Kubernetes puts into the environment of every container beside a service called "lingxi", or one
/// whose name begins so ("lingxi-metrics"): …SERVICE_HOST, …SERVICE_PORT…, …PORT_8008_TCP…, and …PORT, which
/// is a URL there.
bool tells_of_a_service(std::string_view variable, std::string_view value) {
    static const std::regex names(
        "LINGXI(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
        "PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");
    if (std::regex_match(variable.begin(), variable.end(), names)) return true;
    return variable.ends_with("_PORT") && value.find("://") != std::string_view::npos;
}

/// How many letters have to be changed, left out or put in to make one of the other.
std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

/// The row whose name is so near that it was probably meant.
const Setting* nearest_row(std::span<const Setting> rows, std::string_view name) {
    constexpr std::size_t kMostEdits = 3;
    constexpr std::size_t kLongestName = 64;
    if (name.size() > kLongestName) return nullptr;
    const Setting* best = nullptr;
    std::size_t fewest = kMostEdits + 1;
    for (const Setting& row : rows) {
        const std::size_t edits = edits_between(name, row.name);
        if (edits < fewest && edits < row.name.size()) {
            fewest = edits;
            best = &row;
        }
    }
    return best;
}

std::unexpected<Error> unknown_setting(std::string_view source, std::string_view name,
                                       std::string_view meant) {
    return fail(ErrorKind::invalid, "base.unknown_setting",
                std::string(source) + ": there is no setting '" + std::string(name) + "'; " +
                    (meant.empty() ? "" : "did you mean '" + std::string(meant) + "'? ") +
                    "(lingxi --help lists them all)");
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        if (const std::string_view part = text.substr(0, end); !part.empty()) parts.emplace_back(part);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return parts;
}

std::string_view type_word(const Setting& row) {
    switch (row.type) {
        case SettingType::integer:
            return "number";
        case SettingType::boolean:
            return "on|off";
        case SettingType::choice:
            return row.choices;
        case SettingType::list:
            return "a,b,…";
        case SettingType::path:
            return "path";
        case SettingType::text:
            return "text";
    }
    return "text";
}

/// A TOML value as the text that a flag would have; nothing for a kind that no setting takes.
std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* string = node.as_string()) return string->get();
    if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
    if (const auto* boolean = node.as_boolean()) return boolean->get() ? "on" : "off";
    if (const auto* array = node.as_array()) {
        std::string joined;
        for (const auto& element : *array) {
            const auto* string = element.as_string();
            if (string == nullptr) return std::nullopt;
            joined += (joined.empty() ? "" : ",") + string->get();
        }
        return joined;
    }
    return std::nullopt;
}

}  // namespace

Settings::Settings(std::span<const Setting> rows) : rows_(rows) {
    for (const Setting& row : rows) values_.emplace(row.name, row.default_value);
}

Result<void> Settings::assign(std::string_view name, std::string value, std::string_view source) {
    const Setting* row = find_row(rows_, name);
    if (row == nullptr) {
        const Setting* meant = nearest_row(rows_, name);
        return unknown_setting(source, name, meant == nullptr ? "" : meant->name);
    }
    const auto refuse = [&](std::string_view wanted) {
        return fail(ErrorKind::invalid, "base.bad_setting",
                    std::string(source) + ": --" + std::string(name) + " takes " + std::string(wanted) +
                        (row->secret ? "." : ", not '" + value + "'."));
    };
    if (row->type == SettingType::integer) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size() || number < 0) {
            return refuse("a whole number of 0 or more");
        }
    }
    if (row->type == SettingType::boolean) {
        if (value == "true" || value == "1" || value == "yes") value = "on";
        if (value == "false" || value == "0" || value == "no") value = "off";
        if (value != "on" && value != "off") return refuse("on or off");
    }
    if (row->type == SettingType::choice) {
        const auto choices = split(row->choices, '|');
        if (std::ranges::find(choices, value) == choices.end())
            return refuse("one of " + std::string(row->choices));
    }
    values_[std::string(name)] = std::move(value);
    set_[std::string(name)] = true;
    return {};
}

Result<void> Settings::apply_toml(std::string_view text, std::string_view source) {
    try {
        const toml::table table = toml::parse(text, source);
        for (const auto& [key, node] : table) {
            std::string name(key.str());
            std::ranges::replace(name, '_', '-');
            auto value = text_of(node);
            if (!value) {
                return fail(
                    ErrorKind::invalid, "base.bad_setting",
                    std::string(source) + ": '" + name + "' has a value of a kind that no setting takes.");
            }
            if (auto done = assign(name, std::move(*value), source); !done) return done;
        }
    } catch (const toml::parse_error& error) {
        return fail(ErrorKind::invalid, "base.bad_setting",
                    std::string(source) + ", line " + std::to_string(error.source().begin.line) + ": " +
                        std::string(error.description()) + ".");
    }
    return {};
}

Result<void> Settings::apply_environment(const std::map<std::string, std::string>& environment,
                                         std::span<const std::string_view> others) {
    for (const auto& [variable, value] : environment) {
        if (!variable.starts_with(kVariablePrefix)) continue;
        const auto row = std::ranges::find(rows_, variable,
                                           [](const Setting& setting) { return variable_of(setting.name); });
        if (row != rows_.end()) {
            if (auto done = assign(row->name, value, variable); !done) return done;
            continue;
        }
        if (std::ranges::find(others, variable) != others.end() || tells_of_a_service(variable, value))
            continue;
        const Setting* meant = nearest_row(rows_, name_of(variable));
        return unknown_setting("environment", variable, meant == nullptr ? "" : variable_of(meant->name));
    }
    return {};
}

Result<void> Settings::apply_arguments(std::span<const std::string_view> arguments,
                                       std::vector<std::string>& rest) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view argument = arguments[i];
        if (!argument.starts_with("--")) {
            rest.emplace_back(argument);
            continue;
        }
        argument.remove_prefix(2);
        const std::size_t equals = argument.find('=');
        const std::string_view name = argument.substr(0, equals);
        const Setting* row = find_row(rows_, name);
        const bool last = i + 1 == arguments.size();
        std::string value;
        if (equals != std::string_view::npos) {
            value = argument.substr(equals + 1);
        } else if (row != nullptr && row->type == SettingType::boolean &&
                   (last || arguments[i + 1].starts_with("--"))) {
            value = "on";
        } else if (row != nullptr) {
            if (last)
                return fail(
                    ErrorKind::invalid, "base.bad_setting",
                    "--" + std::string(name) + " needs a value (" + std::string(type_word(*row)) + ").");
            value = arguments[++i];
        }
        if (auto done = assign(name, std::move(value), "command line"); !done) return done;
    }
    return {};
}

const std::string& Settings::text(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::logic_error("no such setting: " + std::string(name));
    return found->second;
}

std::int64_t Settings::integer(std::string_view name) const {
    return std::stoll(text(name));
}
bool Settings::boolean(std::string_view name) const {
    return text(name) == "on";
}
std::vector<std::string> Settings::list(std::string_view name) const {
    return split(text(name), ',');
}
bool Settings::is_set(std::string_view name) const {
    return set_.contains(name);
}

std::string Settings::help() const {
    std::string out;
    for (const Setting& row : rows_) {
        out += "  --" + std::string(row.name) + " <" + std::string(type_word(row)) + ">\n      " +
               std::string(row.help);
        if (!row.default_value.empty()) {
            out += " Default: " + std::string(row.default_value) +
                   (row.unit.empty() ? "" : " " + std::string(row.unit)) + ".";
        }
        out += '\n';
    }
    return out;
}

std::string Settings::markdown() const {
    std::string out =
        "| flag | TOML | environment | takes | default | what it does |\n|---|---|---|---|---|---|\n";
    for (const Setting& row : rows_) {
        std::string takes(type_word(row));
        for (std::size_t at = 0; (at = takes.find('|', at)) != std::string::npos; at += 2)
            takes.insert(at, "\\");
        out += "| `--" + std::string(row.name) + "` | `" + with_underscores(row.name) + "` | `" +
               variable_of(row.name) + "` | " + takes +
               (row.unit.empty() ? "" : " (" + std::string(row.unit) + ")") + " | " +
               (row.default_value.empty() ? "" : "`" + std::string(row.default_value) + "`") + " | " +
               std::string(row.help) + " |\n";
    }
    return out;
}

}  // namespace base
