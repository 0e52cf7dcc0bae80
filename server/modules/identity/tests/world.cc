#include "world.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>

#include <base/encoding.h>
#include <identity/matrix_error.h>

namespace identity::test {
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

}  // namespace

Options World::default_options() {
    Options options;
    options.public_url = "https://here.example/";
    options.server_name = "here.example";
    options.registration = Registration::open;
    options.password_cost = {.operations = 1, .memory_bytes = 8192};
    return options;
}

World::World(Options options) : work_(runtime_.io().get_executor()), options_(std::move(options)) {
    base::initialise_crypto();
    directory_ = (std::filesystem::temp_directory_path() / "lingxi-identity-XXXXXX").string();
    if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no temporary directory");
    auto opened = storage::Database::open(runtime_, {.path = std::filesystem::path(directory_) / "test.db"},
                                          {migrations()});
    if (!opened) throw std::runtime_error(opened.error().message);
    database_ = std::move(*opened);
    if (auto started = start(options_); !started) throw std::runtime_error(started.error().message);
}

World::~World() {
    if (identity_) await(identity_->stop());
    routes_.clear();
    identity_.reset();
    database_->close();
    database_.reset();
    std::error_code ignored;  // a directory that stays behind harms no test
    std::filesystem::remove_all(directory_, ignored);
}

base::Result<void> World::start(Options options) {
    identity_ = std::make_unique<Identity>(runtime_, *database_, clock_, random_, std::move(options));
    identity_->set_hooks(hooks);
    routes_ = identity_->noting_devices(identity_->routes());
    return await(identity_->start());
}

base::Result<void> World::restart(Options options) {
    await(identity_->stop());
    routes_.clear();
    identity_.reset();
    return start(std::move(options));
}

void World::turn_until(const bool& done) {
    while (!done) runtime_.io().run_one();
}

void World::await(runtime::Task<void> task) {
    bool done = false;
    std::exception_ptr fault;
    boost::asio::co_spawn(runtime_.io(), std::move(task), [&](std::exception_ptr error) {
        fault = error;
        done = true;
    });
    turn_until(done);
    if (fault) std::rethrow_exception(fault);
}

Answer World::call(net::Method method, const std::string& target, base::json::object body,
                   const std::string& token) {
    return call_raw(method, target, base::json::serialize(body), token);
}

Answer World::call_raw(net::Method method, const std::string& target, std::string body,
                       const std::string& token) {
    return await(answer(method, target, std::move(body), token));
}

runtime::Task<Answer> World::answer(net::Method method, std::string target, std::string body,
                                    std::string token) {
    const auto question = std::min(target.find('?'), target.size());
    net::Request request;
    request.method = method;
    request.path = target.substr(0, question);
    request.query = read_query(std::string_view(target).substr(std::min(question + 1, target.size())));
    request.body = std::move(body);
    request.peer_address = address;
    const auto answer = [](net::Response response) {
        Answer read{.status = response.status, .headers = std::move(response.headers)};
        if (!response.body.empty() && read.headers.get("Content-Type") == "application/json")
            read.body = base::parse_json(response.body, response.body.size()).value().as_object();
        return read;
    };
    for (const auto& route : routes_) {
        if (route.method != method) continue;
        std::vector<std::string_view> paths{route.path};
        paths.insert(paths.end(), route.aliases.begin(), route.aliases.end());
        for (const auto path : paths) {
            auto values = match(path, request.path);
            if (!values) continue;
            request.path_values = std::move(*values);
            if (route.auth != net::Auth::none) {
                if (token.empty()) {
                    co_return answer(
                        matrix_error({base::ErrorKind::unauthenticated, "net.missing_token", "No token."}));
                }
                auto principal = co_await identity_->authenticator()(token);
                if (!principal) co_return answer(matrix_error(principal.error()));
                if (route.auth == net::Auth::admin && !principal->is_admin) {
                    co_return answer(
                        matrix_error({base::ErrorKind::forbidden, "net.not_admin", "Not for you."}));
                }
                request.principal = std::move(*principal);
            }
            co_return answer(co_await route.handler(std::move(request)));
        }
    }
    ADD_FAILURE() << "no route for " << target;
    co_return Answer{};
}

std::vector<Answer> World::together(std::vector<Call> calls) {
    std::vector<Answer> answers(calls.size());
    std::size_t left = calls.size();
    bool done = calls.empty();
    for (std::size_t i = 0; i < calls.size(); ++i) {
        boost::asio::co_spawn(
            runtime_.io(),
            answer(calls[i].method, calls[i].target, base::json::serialize(calls[i].body), calls[i].token),
            [&, i](std::exception_ptr fault, Answer given) {
                EXPECT_FALSE(fault) << calls[i].target;
                answers[i] = std::move(given);
                done = --left == 0;
            });
    }
    turn_until(done);
    return answers;
}

std::string World::join(const std::string& localpart, const std::string& password) {
    const auto answer =
        post("/_matrix/client/v3/register", {{"username", localpart},
                                             {"password", password},
                                             {"auth", base::json::object{{"type", "m.login.dummy"}}}});
    EXPECT_EQ(answer.status, 200) << base::json::serialize(answer.body);
    return answer.text("access_token");
}

Answer World::log_in(const std::string& user, const std::string& password, base::json::object more) {
    more["type"] = "m.login.password";
    more["identifier"] = base::json::object{{"type", "m.id.user"}, {"user", user}};
    more["password"] = password;
    return post("/_matrix/client/v3/login", std::move(more));
}

base::json::object with_password(const std::string& user, const std::string& password,
                                 base::json::object body, const std::string& session) {
    base::json::object auth{{"type", "m.login.password"},
                            {"identifier", base::json::object{{"type", "m.id.user"}, {"user", user}}},
                            {"password", password}};
    if (!session.empty()) auth["session"] = session;
    body["auth"] = std::move(auth);
    return body;
}

}  // namespace identity::test
