#include "core.h"

#include "admin_socket.h"
#include "demo.h"
#include "gate.h"
#include "helper_metrics.h"
#include "operations.h"
#include "version.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <assistant/assistant.h>
#include <base/clock.h>
#include <base/random.h>
#include <chat/chat.h>
#include <chat/media.h>
#include <chat/sync.h>
#include <egress/model.h>
#include <identity/identity.h>
#include <identity/matrix_error.h>
#include <imaging/renderer.h>
#include <net/server.h>
#include <net/static_files.h>
#include <runtime/log_sink.h>
#include <runtime/sandbox.h>
#include <runtime/signal.h>
#include <runtime/supervisor.h>
#include <runtime/supervisor_link.h>
#include <runtime/task_group.h>
#include <storage/database.h>
#include <wire/channel.h>

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr auto kStopGrace = 8s;
constexpr int kExitFault = 70;  // EX_SOFTWARE

/// In words. A failure that a restart cannot mend ends the supervisor too; one that may pass (a full disk, a
/// busy database) does not.
int refuse_to_start(const base::Error& error) {
    std::fprintf(stderr, "lingxi: %s\n  (%s)\n", error.message.c_str(), error.code.c_str());
    switch (error.kind) {
        case base::ErrorKind::invalid:
        case base::ErrorKind::conflict:
        case base::ErrorKind::internal:
            return runtime::kExitMisconfigured;
        default:
            return kExitFault;
    }
}

/// What core may read beside its own folder: the web client, and the folders of the certificate (files in
/// them are replaced when it is renewed).
std::vector<std::filesystem::path> readable_paths(const base::Settings& settings) {
    std::vector<std::filesystem::path> paths{"/etc/localtime", "/usr/share/zoneinfo", "/usr/share/unicode",
                                             "/usr/share/icu"};
    if (const std::string& root = settings.text("web-root"); !root.empty())
        paths.emplace_back(std::filesystem::absolute(root));
    for (const std::string_view name : {"tls-certificate", "tls-key"}) {
        if (settings.text(name).empty()) continue;
        const auto file = std::filesystem::absolute(settings.text(name));
        paths.push_back(file.parent_path());
        // ACME clients keep links to files in a folder of their own.
        std::error_code unreadable;  // the server says so when it reads the certificate
        if (const auto target = std::filesystem::canonical(file, unreadable); !unreadable)
            paths.push_back(target.parent_path());
    }
    return paths;
}

/// Connections for which there are descriptors, besides those of the database, files and processes.
std::size_t connection_room() {
    constexpr rlim_t kReserve = 256;
    rlimit limits{};
    if (::getrlimit(RLIMIT_NOFILE, &limits) != 0 || limits.rlim_cur <= 2 * kReserve) return kReserve;
    return static_cast<std::size_t>(limits.rlim_cur - kReserve);
}

net::ServerOptions server_options(const base::Settings& settings) {
    net::ServerOptions options;
    options.connection_limit = std::min(options.connection_limit, connection_room());
    options.connections_per_address_limit =
        static_cast<std::size_t>(std::max<std::int64_t>(0, settings.integer("connections-per-address")));
    options.rate_limits = settings.boolean("rate-limits");
    options.trusted_proxies = settings.list("trusted-proxies");
    options.tls_certificate_path = settings.text("tls-certificate");
    options.tls_key_path = settings.text("tls-key");
    return options;
}

/// Where nothing was set, the listener: on every address of the machine, that is loopback for who sits before
/// it.
std::string public_url_of(const base::Settings& settings, std::string address) {
    std::string url = settings.text("public-url");
    while (url.ends_with('/')) url.pop_back();
    if (!url.empty()) return url;
    if (address.starts_with("0.0.0.0:")) address.replace(0, std::string_view("0.0.0.0").size(), "127.0.0.1");
    if (address.starts_with("[::]:")) address.replace(0, std::string_view("[::]").size(), "[::1]");
    return (settings.text("tls-certificate").empty() ? "http://" : "https://") + address;
}

/// A path as one word of a shell's command line.
std::string shell_word(const std::filesystem::path& path) {
    std::string text = path.string();
    if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") ==
        std::string::npos)
        return text;
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted += c;
        }
    }
    return quoted + "'";
}

/// What a person types for a new setup link: neither the executable nor the directory need be where they are.
std::string setup_link_command(const Paths& paths) {
    return shell_word(runtime::beside_own_executable("lingxi")) + " admin setup-link --data " +
           shell_word(paths.data);
}

identity::Options identity_options(const base::Settings& settings, const std::string& public_url) {
    identity::Options options;
    options.public_url = public_url;
    options.server_name = settings.text("server-name");
    options.support_page = settings.text("support-page");
    options.version = kVersion;
    options.max_upload_bytes = settings.integer("upload-limit");
    options.rate_limits = settings.boolean("rate-limits");
    if (settings.text("registration") == "open") options.registration = identity::Registration::open;
    if (settings.text("registration") == "closed") options.registration = identity::Registration::closed;
    if (settings.text("directory") == "shared-rooms") options.directory = identity::Directory::shared_rooms;
    return options;
}

/// Everything of core that runs, constructed downward and stopped upward.
class Core {
  public:
    Core(const base::Settings& settings, const Paths& paths, std::string public_url,
         std::string setup_command, AdminSocket admin_socket)
        : settings_(settings),
          paths_(paths),
          public_url_(std::move(public_url)),
          setup_command_(std::move(setup_command)),
          admin_socket_(std::move(admin_socket)),
          group_(runtime_, "core") {
        metrics_.add("gateway", gateway_peer_);
        metrics_.add("render", render_peer_);
    }

    int run(const std::vector<std::string>& addresses, const runtime::CoreStart& start) {
        auto database = storage::Database::open(
            runtime_,
            {.path = paths_.database(),
             .scrub_after =
                 std::chrono::seconds(std::max<std::int64_t>(1, settings_.integer("scrub-after")))},
            {identity::migrations(), chat::migrations(), assistant::migrations()});
        if (!database) return refuse_to_start(database.error());
        database_ = std::move(*database);
        group_.spawn(live(addresses, start));
        runtime_.run();
        database_->close();
        return exit_code_;
    }

  private:
    runtime::Task<void> live(std::vector<std::string> addresses, runtime::CoreStart start) {
        // A fault while the parts are put together must end the process: half a server helps nobody.
        try {
            link_.emplace(runtime_, start.supervisor_fd, [this](std::string_view helper, int socket_fd) {
                if (helper == "gateway") {
                    gateway_peer_.attach(socket_fd);
                } else {
                    render_peer_.attach(socket_fd);
                }
            });
            if (auto started = co_await start_all(addresses, start.listeners); started) {
                std::string note;
                // A new setup link ends the one of before: nobody would know why.
                if (start.is_heard) note = co_await what_to_do_next(addresses.front());
                link_->ready(note);
                group_.spawn(end_without_supervisor());
                co_await runtime::wait_for_shutdown_signal();
            } else {
                exit_code_ = refuse_to_start(started.error());
            }
        } catch (const std::exception& fault) {
            base::log_error("core.cannot_start", {{"what", fault.what()}});
            exit_code_ = kExitFault;
        }
        co_await stop_all();
        runtime_.stop();
    }

    runtime::Task<base::Result<void>> start_all(std::vector<std::string> addresses,
                                                std::vector<int> listeners) {
        identity_.emplace(runtime_, *database_, clock_, random_, identity_options(settings_, public_url_));
        const base::Clock& real_clock = clock_;
        chat_.emplace(runtime_, *database_, settings_.boolean("demo") ? demo_clock_ : real_clock, random_);
        assistant_.emplace(runtime_, *database_, clock_, random_, *chat_, gateway_);
        chat_->add_content_check(
            [this](identity::UserNumber, std::string_view type, const base::json::object& content) {
                return assistant_->verify_content(type, content);
            });
        identity_->set_hooks(hooks());
        // Before anything that may write to a room.
        sync_.emplace(runtime_, *database_, clock_, random_, chat_->news());
        if (auto started = co_await sync_->start(); !started)
            co_return base::fail(std::move(started.error()));
        // Before identity starts, which tells of accounts that a kill left half erased.
        media_.emplace(runtime_, *database_, clock_, random_, renderer_, chat_->news(), media_options());
        if (auto started = co_await identity_->start(); !started)
            co_return base::fail(std::move(started.error()));
        if (auto started = co_await chat_->start(); !started)
            co_return base::fail(std::move(started.error()));
        if (auto started = co_await media_->start(); !started)
            co_return base::fail(std::move(started.error()));
        assistant_->set_typing_teller([this](const chat::TypingNews& news) { sync_->tell_typing(news); });
        if (auto started = co_await assistant_->start(); !started)
            co_return base::fail(std::move(started.error()));

        wire_server();
        if (auto started = server_->start({.descriptor = listeners.at(0), .address = addresses.at(0)});
            !started) {
            co_return base::fail(std::move(started.error()));
        }
        if (listeners.size() > 1) {
            metrics_server_.emplace(runtime_, clock_, net::ServerOptions{.rate_limits = false});
            metrics_server_->add_routes(metrics_routes(metrics_));
            if (auto started =
                    metrics_server_->start({.descriptor = listeners.at(1), .address = addresses.at(1)});
                !started) {
                co_return base::fail(std::move(started.error()));
            }
            base::log_info("core.metrics_served", {{"address", addresses.at(1)}});
        }
        base::log_info("core.listening", {{"clients", addresses.at(0)},
                                          {"metrics", addresses.size() > 1 ? addresses.at(1) : ""}});
        group_.spawn(admin_socket_.serve(runtime_, group_, [this](std::vector<std::string> arguments) {
            return administer(std::move(arguments));
        }));
        co_return base::Result<void>{};
    }

    chat::Media::Options media_options() const {
        chat::Media::Options options;
        options.directory = paths_.core / "media";
        options.upload_limit_bytes = settings_.integer("upload-limit");
        options.quota_bytes = settings_.integer("upload-quota");
        options.server_name = [this] { return identity_->server_name(); };
        return options;
    }

    /// What identity asks of the modules above it, put together.
    identity::Hooks hooks() {
        identity::Hooks hooks = chat_->hooks();
        hooks.server_named = [this](storage::Transaction& tx) { return assistant_->server_named(tx); };
        hooks.device_removed = [](storage::Transaction& tx, identity::UserNumber user,
                                  identity::DeviceNumber device) { chat::erase_device(tx, user, device); };
        hooks.account_created =
            [this, welcome = std::move(hooks.account_created)](identity::AccountCreated account) {
                return welcome_account(welcome, std::move(account));
            };
        hooks.account_deactivated = [this, leave = std::move(hooks.account_deactivated)](
                                        identity::UserNumber user, bool erase) {
            return deactivate(leave, user, erase);
        };
        return hooks;
    }

    using Welcome =
        std::function<runtime::Task<base::Result<std::optional<std::string>>>(identity::AccountCreated)>;

    /// The days of budgets are those of the zone that the setup page chose.
    runtime::Task<base::Result<std::optional<std::string>>> welcome_account(
        Welcome welcome, identity::AccountCreated account) {
        if (account.first_steps && !account.first_steps->time_zone.empty()) {
            auto set = co_await assistant_->set_time_zone(account.first_steps->time_zone);
            if (!set && set.error().kind != base::ErrorKind::invalid)
                co_return base::fail(std::move(set.error()));
            if (!set) base::log_warning("core.unknown_time_zone");  // the days are UTC's until it is set
        }
        co_return co_await welcome(std::move(account));
    }

    /// Leaves every room, then, where the person asked to be forgotten, deletes what is kept of them.
    runtime::Task<base::Result<void>> deactivate(
        std::function<runtime::Task<base::Result<void>>(identity::UserNumber, bool)> leave,
        identity::UserNumber user, bool erase) {
        if (auto left = co_await leave(user, erase); !left || !erase) co_return left;
        auto erased = co_await sync_->erase_user(user);
        if (!erased) co_return erased;
        // After the account data, which may show files.
        if (erased = co_await media_->erase_user(user); !erased) co_return erased;
        co_return co_await assistant_->erase_user(user);
    }

    void wire_server() {
        server_.emplace(runtime_, clock_, server_options(settings_));
        server_->add_surface({.path_prefix = "/_matrix/", .dialect = identity::matrix_error, .cors = true});
        server_->add_surface({.path_prefix = "/_lingxi/", .dialect = identity::matrix_error, .cors = true});
        server_->add_surface(
            {.path_prefix = "/.well-known/matrix/", .dialect = identity::matrix_error, .cors = true});
        server_->set_authenticator(identity_->authenticator());
        const auto is_set_up = [this] { return identity_->is_set_up(); };
        std::vector<net::Route> routes = operations_routes(*server_);
        for (auto& module :
             {identity_->routes(), chat_->routes(), sync_->routes(), media_->routes(), assistant_->routes()})
            routes.insert(routes.end(), module.begin(), module.end());
        server_->on_stopping([this] {
            sync_->release_all();
            render_peer_.expect_no_other();
            assistant_->release();
        });
        routes = identity_->noting_devices(std::move(routes));
        server_->add_routes(behind_setup(std::move(routes), is_set_up, identity::matrix_error));
        if (!settings_.text("web-root").empty()) {
            server_->set_fallback(
                pages_behind_setup(net::static_files(settings_.text("web-root")), is_set_up));
        }
    }

    /// What the person who started the server reads on the terminal.
    runtime::Task<std::string> what_to_do_next(std::string address) {
        std::string note = "\nLingxi is running at " + public_url_ + "\n";
        if (public_url_.find(address) == std::string::npos) note += "  (listening on " + address + ")\n";
        if (settings_.boolean("demo")) {
            auto demo = co_await furnish_demo(*identity_, *chat_, demo_clock_, random_, *database_);
            co_return note +
                (demo ? *demo : "The demonstration could not be furnished: " + demo.error().message + "\n");
        }
        if (!identity_->has_admin()) {
            auto link = co_await identity_->make_setup_link();
            if (link) {
                note += "\nOpen this link once to set it up and become its administrator:\n  " + *link +
                        "\n  (a new one: " + setup_command_ + ")\n";
            }
        }
        co_return note;
    }

    runtime::Task<base::Result<std::string>> administer(std::vector<std::string> arguments) {
        if (arguments.size() == 1 && arguments[0] == "setup-link")
            co_return co_await identity_->make_setup_link();
        co_return base::fail(base::ErrorKind::invalid, "app.bad_command",
                             "There is no such command; there is: setup-link.");
    }

    runtime::Task<void> end_without_supervisor() {
        co_await link_->gone();
        base::log_error("core.supervisor_gone");
        std::raise(SIGTERM);
    }

    runtime::Task<void> stop_all() {
        if (server_) co_await server_->stop(kStopGrace);
        if (metrics_server_) co_await metrics_server_->stop(1s);
        if (assistant_) co_await assistant_->stop();
        if (media_) co_await media_->stop();
        if (sync_) co_await sync_->stop();
        if (chat_) co_await chat_->stop();
        if (identity_) co_await identity_->stop();
        co_await gateway_peer_.stop();
        co_await render_peer_.stop();
        if (link_) co_await link_->stop();
    }

    const base::Settings& settings_;
    const Paths& paths_;
    std::string public_url_;
    std::string setup_command_;
    base::SystemClock clock_;
    DemoClock demo_clock_;
    base::SystemRandom random_;
    runtime::Runtime runtime_;
    wire::Peer gateway_peer_{runtime_};
    wire::Peer render_peer_{runtime_};
    egress::Gateway gateway_{gateway_peer_};
    imaging::Renderer renderer_{render_peer_};
    HelperMetrics metrics_{runtime_.metrics()};
    std::unique_ptr<storage::Database> database_;
    AdminSocket admin_socket_;
    std::optional<runtime::SupervisorLink> link_;
    std::optional<identity::Identity> identity_;
    std::optional<chat::Chat> chat_;
    std::optional<chat::Sync> sync_;
    std::optional<chat::Media> media_;
    std::optional<assistant::Assistant> assistant_;
    std::optional<net::Server> server_;
    std::optional<net::Server> metrics_server_;
    runtime::TaskGroup group_;
    int exit_code_ = 0;
};

}  // namespace

base::LogLevel log_level_of(const base::Settings& settings) {
    const std::string& name = settings.text("log-level");
    if (name == "debug") return base::LogLevel::debug;
    if (name == "warning") return base::LogLevel::warning;
    if (name == "error") return base::LogLevel::error;
    return base::LogLevel::info;
}

int run_core(const base::Settings& settings, const Paths& paths, const std::vector<std::string>& addresses,
             runtime::CoreStart start) {
    runtime::install_log_sink("core", log_level_of(settings));
    std::string setup_command = setup_link_command(paths);
    auto admin_socket = AdminSocket::bind(paths.admin_socket());
    if (!admin_socket) return refuse_to_start(admin_socket.error());
    // Locked before the first thread: what the kernel refuses from here on, no bug of ours can do.
    auto locked = runtime::lock_down(runtime::core_allowances(paths.core, readable_paths(settings)));
    if (!locked) return refuse_to_start(locked.error());
    auto public_url = public_url_of(settings, addresses.front());
    // The listener is nothing that those behind a proxy could reach.
    if (settings.text("public-url").empty() && !settings.list("trusted-proxies").empty())
        base::log_warning("core.public_url_not_set", {{"clients_are_sent_to", public_url}});
    Core core(settings, paths, std::move(public_url), std::move(setup_command), std::move(*admin_socket));
    return core.run(addresses, start);
}

}  // namespace app
