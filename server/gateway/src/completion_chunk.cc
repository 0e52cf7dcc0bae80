#include "completion_chunk.h"

#include <array>
#include <cmath>

#include <boost/json/basic_parser_impl.hpp>

namespace gateway {
namespace {

namespace json = boost::json;

/// What the values that come stand in. Everything else is passed over.
enum class Place : std::uint8_t { chunk, usage, choices, first_choice, delta };

enum class Field : std::uint8_t {
    none,
    error,
    usage,
    choices,
    prompt_tokens,
    completion_tokens,
    finish_reason,
    delta,
    content,
    reasoning,
    reasoning_content
};

Field field_of(Place place, std::string_view name) {
    switch (place) {
        case Place::chunk:
            if (name == "error") return Field::error;
            if (name == "usage") return Field::usage;
            if (name == "choices") return Field::choices;
            break;
        case Place::usage:
            if (name == "prompt_tokens") return Field::prompt_tokens;
            if (name == "completion_tokens") return Field::completion_tokens;
            break;
        case Place::first_choice:
            if (name == "finish_reason") return Field::finish_reason;
            if (name == "delta") return Field::delta;
            break;
        case Place::delta:
            if (name == "content") return Field::content;
            if (name == "reasoning") return Field::reasoning;
            if (name == "reasoning_content") return Field::reasoning_content;
            break;
        case Place::choices:
            break;
    }
    return Field::none;
}

/// What json::basic_parser calls as it reads. All of it answers whether to go on.
class Handler {
  public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using Error = boost::system::error_code;
    using Text = json::string_view;

    CompletionChunk chunk;

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }

    bool on_object_begin(Error&) {
        if (passed_over_ > 0) return pass_over();
        if (places_ == 0) return enter(Place::chunk);
        begin_value(false);
        switch (place()) {
            case Place::chunk:
                if (field_ != Field::usage) break;
                chunk.has_usage = true;
                return enter(Place::usage);
            case Place::choices:
                if (elements_ > 0) break;
                chunk.choice = CompletionChunk::Choice::object;
                return enter(Place::first_choice);
            case Place::first_choice:
                if (field_ != Field::delta) break;
                return enter(Place::delta);
            case Place::usage:
            case Place::delta:
                break;
        }
        return pass_over();
    }
    bool on_object_end(std::size_t, Error&) { return leave(); }

    bool on_array_begin(Error& error) {
        if (passed_over_ > 0) return pass_over();
        if (places_ == 0) return refuse(error);
        begin_value(false);
        if (place() == Place::chunk && field_ == Field::choices) {
            elements_ = 0;
            return enter(Place::choices);
        }
        note_element();
        return pass_over();
    }
    bool on_array_end(std::size_t, Error&) { return leave(); }

    bool on_key_part(Text part, std::size_t, Error&) {
        if (passed_over_ == 0) key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(Text part, std::size_t, Error&) {
        if (passed_over_ > 0) return true;
        if (key_.empty()) {
            field_ = field_of(place(), {part.data(), part.size()});
        } else {
            key_.append(part.data(), part.size());
            field_ = field_of(place(), key_);
            key_.clear();
        }
        forget();
        return true;
    }

    bool on_string_part(Text part, std::size_t, Error& error) {
        if (places_ == 0) return refuse(error);
        if (auto* const wanted = wanted_text()) wanted->append(part.data(), part.size());
        return true;
    }
    bool on_string(Text part, std::size_t size, Error& error) {
        if (!on_string_part(part, size, error)) return false;
        return scalar(error, false);
    }

    bool on_number_part(Text, Error&) { return true; }
    bool on_int64(std::int64_t value, Text, Error& error) {
        if (passed_over_ == 0 && places_ > 0 && place() == Place::usage) {
            if (field_ == Field::prompt_tokens) chunk.input_tokens = value;
            if (field_ == Field::completion_tokens) chunk.output_tokens = value;
        }
        return scalar(error, false);
    }
    bool on_uint64(std::uint64_t, Text, Error& error) { return scalar(error, false); }
    bool on_double(double value, Text, Error& error) {
        return std::isfinite(value) ? scalar(error, false) : refuse(error);
    }
    bool on_bool(bool, Error& error) { return scalar(error, false); }
    bool on_null(Error& error) { return scalar(error, true); }
    bool on_comment_part(Text, Error&) { return true; }
    bool on_comment(Text, Error&) { return true; }

  private:
    Place place() const { return stack_.at(places_ - 1); }

    bool enter(Place next) {
        stack_.at(places_++) = next;
        field_ = Field::none;
        return true;
    }
    bool pass_over() {
        ++passed_over_;
        return true;
    }
    bool leave() {
        if (passed_over_ > 0) {
            --passed_over_;
        } else {
            --places_;
            field_ = Field::none;
        }
        if (passed_over_ == 0 && places_ > 0 && place() == Place::choices) ++elements_;
        return true;
    }
    static bool refuse(Error& error) {
        error = json::error::syntax;
        return false;
    }

    void begin_value(bool is_null) {
        if (place() == Place::chunk && field_ == Field::error) chunk.reports_error = !is_null;
    }
    void note_element() {
        if (place() == Place::choices && elements_ == 0) chunk.choice = CompletionChunk::Choice::other;
    }
    bool scalar(Error& error, bool is_null) {
        if (passed_over_ > 0) return true;
        if (places_ == 0) return refuse(error);
        begin_value(is_null);
        note_element();
        if (place() == Place::choices) ++elements_;
        return true;
    }

    /// Where the text of the string goes that is being read.
    std::string* wanted_text() {
        if (passed_over_ > 0) return nullptr;
        switch (field_) {
            case Field::finish_reason:
                if (!chunk.finish_reason) chunk.finish_reason.emplace();
                return &*chunk.finish_reason;
            case Field::content:
                return &chunk.content;
            case Field::reasoning:
                return &chunk.reasoning;
            case Field::reasoning_content:
                return &chunk.reasoning_content;
            default:
                return nullptr;
        }
    }

    /// What an earlier value of the same name said.
    void forget() {
        switch (field_) {
            case Field::usage:
                chunk.has_usage = false;
                chunk.input_tokens = chunk.output_tokens = std::nullopt;
                break;
            case Field::prompt_tokens:
                chunk.input_tokens = std::nullopt;
                break;
            case Field::completion_tokens:
                chunk.output_tokens = std::nullopt;
                break;
            case Field::choices:
                chunk.choice = CompletionChunk::Choice::none;
                chunk.finish_reason = std::nullopt;
                forget_delta();
                break;
            case Field::finish_reason:
                chunk.finish_reason = std::nullopt;
                break;
            case Field::delta:
                forget_delta();
                break;
            case Field::content:
                chunk.content.clear();
                break;
            case Field::reasoning:
                chunk.reasoning.clear();
                break;
            case Field::reasoning_content:
                chunk.reasoning_content.clear();
                break;
            case Field::error:
            case Field::none:
                break;
        }
    }
    void forget_delta() {
        chunk.content.clear();
        chunk.reasoning.clear();
        chunk.reasoning_content.clear();
    }

    std::array<Place, 4> stack_{};  ///< chunk, choices, first choice, delta
    std::size_t places_ = 0;
    std::size_t passed_over_ = 0;  ///< depth inside a value that does not matter
    std::size_t elements_ = 0;     ///< of `choices`, that are over
    Field field_ = Field::none;
    std::string key_;  ///< the parts of one that does not come whole
};

}  // namespace

std::optional<CompletionChunk> read_completion_chunk(std::string_view text, std::size_t depth) {
    json::parse_options options;
    options.max_depth = depth;
    json::basic_parser<Handler> parser(options);
    boost::system::error_code error;
    const auto read = parser.write_some(false, text.data(), text.size(), error);
    if (error || read < text.size()) return std::nullopt;
    return std::move(parser.handler().chunk);
}

}  // namespace gateway
