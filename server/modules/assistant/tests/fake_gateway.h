#pragma once

#include <sys/socket.h>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <base/crypto.h>
#include <egress/codec.h>
#include <wire/channel.h>

namespace assistant::test {

/// The other end of the wire to the gateway, which is outside of this process: says what it is told to say,
/// in the gateway's own messages.
class FakeGateway {
  public:
    /// What the next call does; the last script stays.
    struct Script {
        std::vector<std::string> provider_ids{"cloud"};  ///< each is prepared in turn; the last one answers
        std::vector<std::string> deltas{R"({"suggestions": ["好的", "不行", "几点？"]})"};
        std::int64_t input_tokens = 40;
        std::int64_t output_tokens = 12;
        std::int64_t received_bytes = 0;  ///< said with every piece
        bool estimated = false;
        bool retracted = false;
        std::string finish_reason = "stop";
        bool known = false;        ///< the answer is one that the gateway holds still
        bool paid_before = false;  ///< a provider that failed may have worked on it
        std::optional<base::Error> before_prepared;
        std::optional<base::Error> after_go;
        std::optional<base::Error> after_deltas;
        /// Said before anything else, as it stands: what a gateway that was taken over might say.
        std::vector<std::string> raw;
        egress::Left left_before = egress::Left::unknown;  ///< what a provider that failed was to be sent
        std::optional<egress::Fate> last_words;            ///< said by a call that hangs, once it is given up
        bool hangs_before_prepared = false;
        bool hangs_after_go = false;
        bool hangs_after_deltas = false;
    };

    FakeGateway(runtime::Runtime& runtime, wire::Peer& peer) : runtime_(runtime), peer_(peer) { attach(); }

    void attach() {
        std::array<int, 2> fds{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
            throw std::runtime_error("socketpair");
        channel_ = std::make_unique<wire::Channel>(
            runtime_, fds[1], [this](std::string method, wire::Message request, wire::ServedCall& call) {
                return serve(*this, std::move(method), std::move(request), call);
            });
        peer_.attach(fds[0]);
    }
    runtime::Task<void> stop() {
        if (channel_) co_await channel_->stop();
        channel_.reset();
    }

    Script script;
    bool has_model = true;
    bool on_this_machine = false;
    std::vector<std::string> servers;  ///< in order of preference; empty: the first that the script names
    std::set<std::string> resting;     ///< of these
    std::vector<egress::ModelRequest> requests;
    int went = 0;       ///< calls that were told to go
    int hanging = 0;    ///< calls that came to where the script hangs
    int cancelled = 0;  ///< calls that were given up
    /// After the list of model servers was read, before it is answered.
    std::function<runtime::Task<void>()> listed;
    std::function<runtime::Task<void>()> preparing;   ///< after a call came, before it is prepared
    std::function<void()> before_go;                  ///< between prepared and the wait for go
    std::function<runtime::Task<void>()> between;     ///< after one provider was told to go, before another
    std::function<runtime::Task<void>()> before_end;  ///< after the text, before the call's end
    std::optional<base::Error> refusal;               ///< of every change of the list
    std::optional<egress::Provider> put;
    std::optional<std::string> put_key;

  private:
    egress::Provider provider(const std::string& id) const {
        return {.id = id,
                .name = "Provider " + id,
                .base_url = "https://" + id + ".example/v1",
                .model = "model-" + id,
                .has_key = true,
                .on_this_machine = on_this_machine,
                .input_price_micros_per_million = 1'000'000,
                .output_price_micros_per_million = 2'000'000,
                .currency = "CNY"};
    }

    /// The first of the listed servers that runs and that the call may go to.
    std::vector<std::string> fitting(const egress::ModelRequest& request) const {
        for (const auto& id : servers) {
            const auto shown = provider(id);
            const bool is_wanted = request.provider_name.empty() || request.provider_name == shown.name;
            if (is_wanted && (request.known_only || !resting.contains(id))) return {id};
        }
        return {};
    }

    static runtime::Task<base::Result<void>> send(wire::ServedCall& call, base::json::object object) {
        co_return co_await call.send(wire::Message{base::json::serialize(object), {}});
    }

    static runtime::Task<base::Result<void>> serve(FakeGateway& self, std::string method,
                                                   wire::Message request, wire::ServedCall& call) {
        if (method == "providers.list") {
            egress::ProviderList list{.file = "gateway.toml"};
            auto ids = self.servers;
            if (ids.empty() && self.has_model) ids.push_back(self.script.provider_ids.front());
            for (const auto& id : ids) {
                list.providers.push_back(self.provider(id));
                list.providers.back().circuit_open = self.resting.contains(id);
            }
            if (self.listed) co_await self.listed();
            co_return co_await send(call, egress::to_json(list));
        }
        if (method == "providers.put" && self.refusal) co_return base::fail(*self.refusal);
        if (method == "providers.put") {
            const auto body = base::json::parse(request.text).as_object();
            self.put = *egress::read_provider(body.at("provider"));
            self.put_key.reset();
            if (const auto key = base::get_string(body, "api_key")) self.put_key = std::string(*key);
            co_return co_await send(call, {});
        }
        if (method != "model.call")
            co_return base::fail(base::ErrorKind::invalid, "gateway.no_method", "No such method.");
        co_return co_await serve_model(self, std::move(request), call);
    }

    static runtime::Task<base::Result<void>> serve_model(FakeGateway& self, wire::Message request,
                                                         wire::ServedCall& call) {
        const Script script = self.script;
        auto read = egress::read_model_request(request.text, std::chrono::steady_clock::now());
        self.requests.push_back(*read);
        if (read->known_only && !script.known)
            co_return base::fail(base::ErrorKind::unavailable, "model.none_available", "Not known.");
        if (self.preparing) co_await self.preparing();
        for (const auto& text : script.raw) {
            if (auto sent = co_await call.send(wire::Message{text, {}}); !sent) co_return sent;
        }
        if (script.before_prepared) co_return base::fail(*script.before_prepared);
        const auto hang = [&]() -> runtime::Task<base::Result<void>> {
            ++self.hanging;
            auto ended = co_await call.next();
            ++self.cancelled;
            base::Error given_up{base::ErrorKind::cancelled, "wire.cancelled", "Given up.", {}};
            if (script.last_words) given_up = egress::with_fate(std::move(given_up), *script.last_words);
            co_return base::fail(std::move(given_up));
        };
        if (script.hangs_before_prepared) co_return co_await hang();
        const auto ids = self.servers.empty() ? script.provider_ids : self.fitting(*read);
        if (ids.empty())
            co_return base::fail(base::ErrorKind::unavailable, "model.none_available", "None fits.");
        for (const auto& id : ids) {
            if (self.between && id != ids.front()) co_await self.between();
            const auto shown = self.provider(id);
            egress::Prepared prepared{
                .known = script.known,
                .paid_before = script.paid_before && id != ids.front(),
                .left_before = script.left_before,
                .outbound_sha256 = base::hex_encode(base::sha256(request.text)),
                .outbound_bytes = script.known ? 0 : static_cast<std::int64_t>(request.text.size()),
                .provider_id = id,
                .provider_name = shown.name,
                .model = shown.model,
                .on_this_machine = shown.on_this_machine,
                .input_price_micros_per_million = shown.input_price_micros_per_million,
                .output_price_micros_per_million = shown.output_price_micros_per_million,
                .currency = shown.currency};
            if (auto sent = co_await send(call, egress::to_json(prepared)); !sent) co_return sent;
            if (self.before_go) self.before_go();
            auto go = co_await call.next();
            if (!go) {
                ++self.cancelled;
                co_return base::fail(go.error());
            }
            ++self.went;
        }
        if (script.hangs_after_go) co_return co_await hang();
        if (script.after_go) co_return base::fail(*script.after_go);
        for (const auto& text : script.deltas) {
            const egress::Delta delta{text, script.received_bytes};
            if (auto sent = co_await send(call, egress::to_json(delta)); !sent) co_return sent;
        }
        if (script.hangs_after_deltas) co_return co_await hang();
        if (self.before_end) co_await self.before_end();
        if (script.after_deltas) co_return base::fail(*script.after_deltas);
        co_return co_await send(call, egress::to_json(egress::Finished{.input_tokens = script.input_tokens,
                                                                       .output_tokens = script.output_tokens,
                                                                       .estimated = script.estimated,
                                                                       .finish_reason = script.finish_reason,
                                                                       .retracted = script.retracted}));
    }

    runtime::Runtime& runtime_;
    wire::Peer& peer_;
    std::unique_ptr<wire::Channel> channel_;
};

}  // namespace assistant::test
