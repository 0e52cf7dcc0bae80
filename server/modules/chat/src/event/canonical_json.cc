#include "event/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace chat {
namespace {

using base::json::kind;

base::Result<void> bad_number() {
    return base::fail(base::ErrorKind::invalid, "M_BAD_JSON",
                      "Numbers must be integers between -(2^53)+1 and (2^53)-1.");
}

void append_integer(std::string& out, std::int64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

base::Result<void> append_number(std::string& out, const base::json::value& value, Floats floats) {
    constexpr auto kLimit = kCanonicalIntegerLimit;
    if (value.is_int64()) {
        const auto number = value.get_int64();
        if (number < -kLimit || number > kLimit) return bad_number();
        append_integer(out, number);
        return {};
    }
    if (value.is_double() && floats == Floats::write_integral) {
        const double number = value.get_double();
        if (std::trunc(number) != number || std::abs(number) > static_cast<double>(kLimit))
            return bad_number();
        append_integer(out, static_cast<std::int64_t>(number));
        return {};
    }
    return bad_number();  // a float, or an unsigned number beyond 2^63
}

}  // namespace

void append_canonical_string(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain_from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, plain_from, i - plain_from);
        plain_from = i + 1;
        out.push_back('\\');
        switch (c) {
            case '"':
            case '\\':
                out.push_back(static_cast<char>(c));
                break;
            case '\b':
                out.push_back('b');
                break;
            case '\t':
                out.push_back('t');
                break;
            case '\n':
                out.push_back('n');
                break;
            case '\f':
                out.push_back('f');
                break;
            case '\r':
                out.push_back('r');
                break;
            default:
                out.append("u00");
                out.push_back(kHex[c >> 4]);
                out.push_back(kHex[c & 15]);
        }
    }
    out.append(text, plain_from, text.size() - plain_from);
    out.push_back('"');
}

base::Result<void> append_canonical_json(std::string& out, const base::json::object& object, Floats floats) {
    // Bytes of UTF-8 compare as their code points do.
    std::vector<const base::json::key_value_pair*> members;
    members.reserve(object.size());
    for (const auto& member : object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });

    out.push_back('{');
    bool first = true;
    for (const auto* member : members) {
        if (!first) out.push_back(',');
        first = false;
        append_canonical_string(out, member->key());
        out.push_back(':');
        if (auto done = append_canonical_json(out, member->value(), floats); !done) return done;
    }
    out.push_back('}');
    return {};
}

base::Result<void> append_canonical_json(std::string& out, const base::json::value& value, Floats floats) {
    switch (value.kind()) {
        case kind::null:
            out.append("null");
            return {};
        case kind::bool_:
            out.append(value.get_bool() ? "true" : "false");
            return {};
        case kind::string:
            append_canonical_string(out, value.get_string());
            return {};
        case kind::object:
            return append_canonical_json(out, value.get_object(), floats);
        case kind::int64:
        case kind::uint64:
        case kind::double_:
            return append_number(out, value, floats);
        case kind::array:
            break;
    }
    out.push_back('[');
    bool first = true;
    for (const auto& element : value.get_array()) {
        if (!first) out.push_back(',');
        first = false;
        if (auto done = append_canonical_json(out, element, floats); !done) return done;
    }
    out.push_back(']');
    return {};
}

base::Result<std::string> canonical_json(const base::json::value& value, Floats floats) {
    std::string out;
    if (auto done = append_canonical_json(out, value, floats); !done)
        return base::fail(std::move(done.error()));
    return out;
}

base::Result<std::string> canonical_json(const base::json::object& object, Floats floats) {
    std::string out;
    if (auto done = append_canonical_json(out, object, floats); !done)
        return base::fail(std::move(done.error()));
    return out;
}

}  // namespace chat
