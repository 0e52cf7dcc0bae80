#pragma once

#include <chrono>

#include <base/json.h>
#include <base/result.h>
#include <egress/model.h>

namespace egress {

/// How the types of model.h stand in wire messages: one place for both ends. What comes from the other
/// process is checked like bytes from outside. Errors: egress.bad_message (invalid).

base::json::object to_json(const ModelRequest& request, std::chrono::steady_clock::time_point now);
base::Result<ModelRequest> read_model_request(std::string_view text,
                                              std::chrono::steady_clock::time_point now);

/// The object lives in `memory`, which must outlive it.
base::json::object to_json(const ModelEvent& event, base::json::storage_ptr memory = {});
/// Its text.
std::string write_model_event(const ModelEvent& event);
base::Result<ModelEvent> read_model_event(std::string_view text);

/// A failure of a model call as the error that ends it: its message, which nobody reads, says what became of
/// the request. Any other error says nothing of that.
base::Error with_fate(base::Error error, const Fate& fate);
Fate read_fate(const base::Error& error);

base::json::object to_json(const Provider& provider);
base::Result<Provider> read_provider(const base::json::value& value);

base::json::object to_json(const ProviderList& list);
base::Result<ProviderList> read_provider_list(std::string_view text);

base::json::object to_json(const Found& found);
base::Result<std::vector<Found>> read_found_list(std::string_view text);

}  // namespace egress
