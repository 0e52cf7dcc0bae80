// Labels of AI on what people send: a forged one is refused, ours hold.
#include "fuzz.h"
#include "labels.h"
#include "offline/features.h"

#include <string>

#include <base/encoding.h>
#include <base/json.h>

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const assistant::Labels labels(base::SigningKey::from_seed({7}));
    const auto text = fuzz::text_of(data, size);
    if (base::is_utf8(text)) {
        const auto label = labels.generated("call", "model", text);
        base::json::object content{{"msgtype", "m.text"}, {"body", text}, {assistant::kLabelKey, label}};
        require(labels.verify(content).has_value());
        content["body"] = std::string(text) + "!";
        require(!labels.verify(content).has_value());
        // The offline method reads the same words.
        for (const auto& feature :
             assistant::offline::features_of(text, assistant::offline::language_of(text)))
            require(!feature.empty());
    }
    const auto value = base::parse_json(text, 1 << 20);
    if (value && value->is_object()) std::ignore = labels.verify(value->get_object());
    return 0;
}
