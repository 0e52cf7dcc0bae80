#include "world.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include <boost/asio/post.hpp>

#include <base/encoding.h>
#include <identity/identity.h>
#include <identity/users.h>

namespace assistant::test {
namespace {

std::vector<std::string> segments(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto end = std::min(path.find('/'), path.size());
        parts.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return parts;
}

std::optional<std::vector<std::pair<std::string, std::string>>> match(std::string_view pattern,
                                                                      std::string_view path) {
    const auto wanted = segments(pattern);
    const auto given = segments(path);
    if (wanted.size() != given.size()) return std::nullopt;
    std::vector<std::pair<std::string, std::string>> values;
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

struct Collected final : net::EventStream {
    explicit Collected(std::vector<Event>& into) : events(into) {}
    runtime::Task<bool> send(std::string_view event, std::string_view data) override {
        events.push_back({std::string(event), base::json::parse(data).as_object()});
        co_return true;
    }
    bool closed() const override { return false; }
    std::vector<Event>& events;
};

struct Written final : net::BodyWriter {
    explicit Written(std::string& into) : text(into) {}
    runtime::Task<bool> write(std::string_view piece) override {
        text += piece;
        co_return true;
    }
    std::string& text;
};

std::string in_path(std::string_view text) {
    return base::percent_encode(text);
}

}  // namespace

World::World() : work(runtime.io().get_executor()), peer(runtime), gateway(peer) {
    base::initialise_crypto();
    directory = (std::filesystem::temp_directory_path() / "lingxi-assistant-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) throw std::runtime_error("no temporary directory");
    auto opened =
        storage::Database::open(runtime, {.path = std::filesystem::path(directory) / "test.db"},
                                {identity::migrations(), chat::migrations(), assistant::migrations()});
    if (!opened) throw std::runtime_error(opened.error().message);
    database = std::move(*opened);
    fake = std::make_unique<FakeGateway>(runtime, peer);
    const auto named =
        write([](storage::Transaction& tx) { return identity::name_server(tx, "here.example"); });
    if (!named) throw std::runtime_error(named.error().message);
    start();
}

World::~World() {
    stop();
    await(peer.stop());
    await(fake->stop());
    database->close();
    database.reset();
    std::error_code ignored;  // a directory that stays behind harms no test
    std::filesystem::remove_all(directory, ignored);
}

void World::start() {
    chat = std::make_unique<chat::Chat>(runtime, *database, clock, random);
    sync = std::make_unique<chat::Sync>(runtime, *database, clock, random, chat->news());
    assistant = std::make_unique<Assistant>(runtime, *database, clock, random, *chat, gateway);
    assistant->set_typing_teller([this](const chat::TypingNews& news) { sync->tell_typing(news); });
    chat->add_content_check(
        [this](identity::UserNumber, std::string_view type, const base::json::object& content) {
            return assistant->verify_content(type, content);
        });
    if (auto started = await(chat->start()); !started) throw std::runtime_error(started.error().message);
    if (auto started = await(sync->start()); !started) throw std::runtime_error(started.error().message);
    if (auto started = await(assistant->start()); !started) throw std::runtime_error(started.error().message);
    routes_ = chat->routes();
    for (auto& route : sync->routes()) routes_.push_back(std::move(route));
    for (auto& route : assistant->routes()) routes_.push_back(std::move(route));
}

void World::stop() {
    routes_.clear();
    await(assistant->stop());
    sync->release_all();
    await(sync->stop());
    await(chat->stop());
    assistant.reset();
    sync.reset();
    chat.reset();
}

void World::execute(const std::string& sql) {
    const auto done = write([&](storage::Transaction& tx) -> base::Result<void> {
        tx.execute(sql);
        return {};
    });
    EXPECT_TRUE(done);
}

void World::restart() {
    stop();
    start();
}

void World::await(runtime::Task<void> task) {
    bool done = false;
    std::exception_ptr fault;
    boost::asio::co_spawn(runtime.io(), std::move(task), [&](std::exception_ptr error) {
        fault = error;
        done = true;
    });
    while (!done) runtime.io().run_one();
    if (fault) std::rethrow_exception(fault);
}

bool World::until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        runtime.io().run_one_for(std::chrono::milliseconds(50));
    }
    return true;
}

Person World::person(std::string_view localpart, std::string_view display_name, bool is_admin) {
    const auto user = write([localpart = std::string(localpart), display_name = std::string(display_name),
                             is_admin](storage::Transaction& tx) {
        return identity::create_account(
            tx, {.localpart = localpart, .display_name = display_name, .is_admin = is_admin});
    });
    EXPECT_TRUE(user);
    return {*user, "@" + std::string(localpart) + ":here.example", is_admin};
}

std::string World::room(const std::vector<Person>& people) {
    const auto made = post(people.front(), "/_matrix/client/v3/createRoom", {{"preset", "public_chat"}});
    EXPECT_EQ(made.status, 200) << base::json::serialize(made.body);
    const auto room_id = made.text("room_id");
    for (std::size_t i = 1; i < people.size(); ++i) join(people[i], room_id);
    return room_id;
}

void World::join(const Person& person, const std::string& room_id) {
    const auto joined = post(person, "/_matrix/client/v3/rooms/" + in_path(room_id) + "/join", {});
    EXPECT_EQ(joined.status, 200) << base::json::serialize(joined.body);
}

void World::leave(const Person& person, const std::string& room_id) {
    const auto left = post(person, "/_matrix/client/v3/rooms/" + in_path(room_id) + "/leave", {});
    EXPECT_EQ(left.status, 200) << base::json::serialize(left.body);
}

void World::edit(const Person& person, const std::string& room_id, const std::string& event_id,
                 std::string_view body) {
    send(person, room_id,
         {{"msgtype", "m.text"},
          {"body", "* " + std::string(body)},
          {"m.new_content", {{"msgtype", "m.text"}, {"body", body}}},
          {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", event_id}}}});
}

void World::while_it_is_prepared(std::function<void()> what, std::function<bool()> may_be) {
    fake->preparing = [this, what = std::move(what), may_be = std::move(may_be),
                       is_first = std::make_shared<bool>(true)]() -> runtime::Task<void> {
        if (!std::exchange(*is_first, false)) co_return;
        while (!may_be()) co_await runtime::sleep_for(std::chrono::milliseconds(5));
        bool is_done = false;
        // In a turn of its own, since it turns the loop itself.
        boost::asio::post(runtime.io(), [&] {
            what();
            is_done = true;
        });
        while (!is_done) co_await runtime::sleep_for(std::chrono::milliseconds(5));
    };
}

void World::invite(const Person& inviter, const std::string& room_id, const std::string& user_id) {
    const auto invited =
        post(inviter, "/_matrix/client/v3/rooms/" + in_path(room_id) + "/invite", {{"user_id", user_id}});
    EXPECT_EQ(invited.status, 200) << base::json::serialize(invited.body);
}

std::string World::say(const Person& person, const std::string& room_id, std::string_view body) {
    return send(person, room_id, {{"msgtype", "m.text"}, {"body", body}});
}

Answer World::try_send(const Person& person, const std::string& room_id, base::json::object content) {
    clock.advance(std::chrono::milliseconds(1));
    return put(person,
               "/_matrix/client/v3/rooms/" + in_path(room_id) + "/send/m.room.message/t" +
                   std::to_string(++transactions_),
               std::move(content));
}

std::string World::send(const Person& person, const std::string& room_id, base::json::object content,
                        std::string_view type) {
    clock.advance(std::chrono::milliseconds(1));
    const auto sent = put(person,
                          "/_matrix/client/v3/rooms/" + in_path(room_id) + "/send/" + std::string(type) +
                              "/t" + std::to_string(++transactions_),
                          std::move(content));
    EXPECT_EQ(sent.status, 200) << base::json::serialize(sent.body);
    return sent.text("event_id");
}

std::string World::set_state(const Person& person, const std::string& room_id, std::string_view type,
                             std::string_view state_key, base::json::object content) {
    const auto set = put(person,
                         "/_matrix/client/v3/rooms/" + in_path(room_id) + "/state/" + std::string(type) +
                             "/" + in_path(state_key),
                         std::move(content));
    EXPECT_EQ(set.status, 200) << base::json::serialize(set.body);
    return set.text("event_id");
}

void World::set_account_data(const Person& person, std::string_view type, base::json::object content) {
    const auto written =
        write([user = person.user, type = std::string(type),
               text = base::json::serialize(content)](storage::Transaction& tx) -> base::Result<void> {
            tx.prepare(
                  "INSERT INTO account_data (user_number, room_number, type, position, json) VALUES (?1, 0, "
                  "?2, 1, ?3) "
                  "ON CONFLICT DO UPDATE SET json = excluded.json")
                .bind(user, type, text)
                .run();
            return {};
        });
    EXPECT_TRUE(written);
}

void World::redact(const Person& person, const std::string& room_id, const std::string& event_id) {
    const auto redacted = put(person,
                              "/_matrix/client/v3/rooms/" + in_path(room_id) + "/redact/" +
                                  in_path(event_id) + "/t" + std::to_string(++transactions_),
                              {});
    EXPECT_EQ(redacted.status, 200) << base::json::serialize(redacted.body);
}

void World::consent(const Person& person, const std::string& room_id, bool agreed,
                    std::string_view provider) {
    set_state(person, room_id, "im.lingxi.consent", person.user_id,
              {{"purposes", {{"suggest_replies", true}, {"translate", true}}},
               {"destination", {{"kind", "provider"}, {"name", provider}}},
               {"agreed", agreed},
               {"at_ms", clock.now_ms()}});
}

std::vector<base::json::object> World::messages(const Person& person, const std::string& room_id) {
    const auto page =
        get(person, "/_matrix/client/v3/rooms/" + in_path(room_id) + "/messages?dir=b&limit=100");
    EXPECT_EQ(page.status, 200) << base::json::serialize(page.body);
    std::vector<base::json::object> found;
    for (const auto& event : page.body.at("chunk").as_array()) {
        if (event.at("type").as_string() == "m.room.message") found.insert(found.begin(), event.as_object());
    }
    return found;
}

runtime::Task<net::Response> World::handler(const Person& person, net::Method method,
                                            const std::string& target, base::json::object body) {
    const auto question = std::min(target.find('?'), target.size());
    net::Request request;
    request.method = method;
    request.path = target.substr(0, question);
    request.query = read_query(std::string_view(target).substr(std::min(question + 1, target.size())));
    if (method != net::Method::get) request.body = base::json::serialize(body);
    request.peer_address = "192.0.2.7";
    request.principal = net::Principal{.user_id = person.user_id,
                                       .user_number = person.user.value,
                                       .device_id = "DEVICE",
                                       .device_number = person.user.value,
                                       .is_admin = person.is_admin};
    // A path without names in it wins over one with.
    const net::Route* chosen = nullptr;
    for (const auto& route : routes_) {
        if (route.method != method) continue;
        if (auto values = match(route.path, request.path); values && (!chosen || values->empty())) {
            chosen = &route;
            request.path_values = std::move(*values);
        }
    }
    if (chosen == nullptr) {
        ADD_FAILURE() << "no route for " << target;
        throw std::runtime_error("no route");
    }
    return chosen->handler(std::move(request));
}

std::vector<Event> World::read_events(net::Response response) {
    std::vector<Event> events;
    Collected out(events);
    await(response.events(out));
    return events;
}

Answer World::call(const Person& person, net::Method method, const std::string& target,
                   base::json::object body) {
    auto response = raw(person, method, target, std::move(body));
    Answer answer{.status = response.status, .headers = std::move(response.headers)};
    if (response.events) {
        answer.events = read_events(std::move(response));
    } else if (response.writer) {
        Written out(answer.written);
        await(response.writer(out));
    } else if (!response.body.empty()) {
        answer.body = base::json::parse(response.body).as_object();
    }
    return answer;
}

}  // namespace assistant::test
