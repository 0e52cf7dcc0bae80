#include "house.h"

#include <stdlib.h>

#include <stdexcept>

#include <gtest/gtest.h>

#include <base/encoding.h>
#include <identity/identity.h>
#include <identity/users.h>

namespace chat {
namespace {

std::vector<std::string> segments(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto end = std::min(path.find('/'), path.size());
        parts.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    if (!parts.empty() && parts.back().empty()) parts.pop_back();  // net: a trailing slash is no segment
    return parts;
}

using Values = std::vector<std::pair<std::string, std::string>>;

std::optional<Values> match(std::string_view pattern, std::string_view path) {
    const auto wanted = segments(pattern);
    const auto given = segments(path);
    if (wanted.size() != given.size()) return std::nullopt;
    Values values;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].starts_with('{')) {
            values.emplace_back(wanted[i].substr(1, wanted[i].size() - 2), *base::percent_decode(given[i]));
        } else if (wanted[i] != given[i]) {
            return std::nullopt;
        }
    }
    return values;
}

net::Query read_query(std::string_view text) {
    net::Query query;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        query.add(*base::percent_decode(pair.substr(0, equals), true),
                  *base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return query;
}

}  // namespace

std::string in_path(std::string_view id) {
    return base::percent_encode(id);
}

std::string Reply::text(std::string_view key) const {
    const auto* fields = body.if_object();
    if (fields == nullptr) return "";
    return std::string(base::get_string(*fields, key).value_or(std::string_view{}));
}

House::House() : work_(runtime_.io().get_executor()) {
    base::initialise_crypto();
    directory_ = (std::filesystem::temp_directory_path() / "lingxi-chat-XXXXXX").string();
    if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no temporary directory");
    auto opened = storage::Database::open(runtime_, {.path = std::filesystem::path(directory_) / "test.db"},
                                          {identity::migrations(), migrations()});
    if (!opened) throw std::runtime_error(opened.error().message);
    database_ = std::move(*opened);
    const auto named =
        write([](storage::Transaction& tx) -> base::Result<void> { return identity::name_server(tx, "x"); });
    if (!named) throw std::runtime_error(named.error().message);
    start();
}

House::~House() {
    await(chat_->stop());
    routes_.clear();
    chat_.reset();
    database_->close();
    database_.reset();
    std::error_code ignored;  // a directory that stays behind harms no test
    std::filesystem::remove_all(directory_, ignored);
}

void House::start() {
    chat_ = std::make_unique<Chat>(runtime_, *database_, clock_, random_);
    chat_->news().subscribe([this](const RoomNews& told) { news.push_back(told); });
    routes_ = chat_->routes();
    const auto started = await(chat_->start());
    if (!started) throw std::runtime_error(started.error().message);
}

void House::restart() {
    await(chat_->stop());
    routes_.clear();
    chat_.reset();
    start();
}

Actor House::person(const std::string& localpart) {
    const auto user = write([&](storage::Transaction& tx) {
        return identity::create_account(tx, {.localpart = localpart, .display_name = "Name of " + localpart});
    });
    EXPECT_TRUE(user);
    return {*user, "@" + localpart + ":x", identity::DeviceNumber{user->value * 10}, false};
}

Actor House::other_device(Actor actor) const {
    ++actor.device.value;
    return actor;
}

Reply House::call(net::Method method, const std::string& target, const Actor& actor, std::string body) {
    const auto question = std::min(target.find('?'), target.size());
    net::Request request;
    request.method = method;
    request.path = target.substr(0, question);
    request.query = read_query(std::string_view(target).substr(std::min(question + 1, target.size())));
    request.body = std::move(body);
    request.principal = net::Principal{.user_id = actor.user_id,
                                       .user_number = actor.user.value,
                                       .device_id = "D" + std::to_string(actor.device.value),
                                       .device_number = actor.device.value,
                                       .is_admin = actor.is_admin};
    clock_.advance(std::chrono::milliseconds(1));
    for (const auto& route : routes_) {
        if (route.method != method) continue;
        std::vector<std::string_view> paths{route.path};
        paths.insert(paths.end(), route.aliases.begin(), route.aliases.end());
        for (const auto path : paths) {
            auto values = match(path, request.path);
            if (!values) continue;
            request.path_values = std::move(*values);
            const auto response = await(route.handler(std::move(request)));
            return {response.status,
                    response.body.empty() ? base::json::value{} : base::json::parse(response.body)};
        }
    }
    ADD_FAILURE() << "no route for " << target;
    return {};
}

std::string House::room(const Actor& creator, const base::json::object& body) {
    const auto reply = post("/_matrix/client/v3/createRoom", creator, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.text("room_id");
}

std::string House::restricted_room(const Actor& creator, const std::string& for_members_of) {
    const base::json::object allow{{"type", "m.room_membership"}, {"room_id", for_members_of}};
    const base::json::object rule{{"join_rule", "restricted"}, {"allow", base::json::array{allow}}};
    const base::json::object state{{"type", "m.room.join_rules"}, {"content", rule}};
    return room(creator, {{"initial_state", base::json::array{state}}});
}

void House::join(const Actor& actor, const std::string& room_id) {
    const auto reply = post("/_matrix/client/v3/join/" + in_path(room_id), actor);
    EXPECT_EQ(reply.status, 200) << reply.body;
}

std::string House::say(const Actor& actor, const std::string& room_id, std::string_view body) {
    const auto reply = put("/_matrix/client/v3/rooms/" + in_path(room_id) + "/send/m.room.message/t" +
                               std::to_string(++transactions_),
                           actor, {{"msgtype", "m.text"}, {"body", body}});
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.text("event_id");
}

base::json::value House::state(const Actor& actor, const std::string& room_id, const std::string& type,
                               const std::string& state_key) {
    const auto reply = get(
        "/_matrix/client/v3/rooms/" + in_path(room_id) + "/state/" + type + "/" + in_path(state_key), actor);
    return reply.status == 200 ? reply.body : base::json::value{};
}

}  // namespace chat
