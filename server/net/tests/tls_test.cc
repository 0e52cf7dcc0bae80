#include "tls.h"

#include "test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace net::test {
namespace {

/// A key and a certificate of its own for `name`, written as the two PEM files.
void write_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                       const char* name) {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, pair);
    X509_NAME* subject = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1,
                               -1, 0);
    X509_set_issuer_name(made, subject);
    X509_sign(made, pair, EVP_sha256());
    FILE* file = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(file, made);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(made);
    EVP_PKEY_free(pair);
    // Two writes within a tick of the kernel's clock have one time; a later one each time keeps the test
    // honest.
    static int written = 0;
    std::filesystem::last_write_time(
        certificate, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(++written));
}

class TlsClient {
  public:
    explicit TlsClient(std::uint16_t port, int version = 0)
        : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
        if (version != 0) {
            SSL_CTX_set_security_level(context_, 0);
            SSL_CTX_set_min_proto_version(context_, version);
            SSL_CTX_set_max_proto_version(context_, version);
        }
        SSL_CTX_set_mode(context_, SSL_MODE_AUTO_RETRY);
        session_ = SSL_new(context_);
        SSL_set_fd(session_, socket_.descriptor());
        connected_ = SSL_connect(session_) == 1;
    }
    ~TlsClient() {
        SSL_free(session_);
        SSL_CTX_free(context_);
    }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    bool connected() const { return connected_; }
    int version() const { return SSL_version(session_); }
    std::string subject() const {
        X509* certificate = SSL_get0_peer_certificate(session_);
        std::array<char, 100> name{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                  name.size());
        return name.data();
    }
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const int count = SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()));
            if (count <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    /// Reads until `text` has come or the server closes.
    std::string read_until(std::string_view text) {
        while (!in_.contains(text)) {
            std::array<char, 16384> buffer{};
            const int count = SSL_read(session_, buffer.data(), buffer.size());
            if (count <= 0) return std::exchange(in_, {});
            in_.append(buffer.data(), static_cast<std::size_t>(count));
        }
        auto got = in_.substr(0, in_.find(text) + text.size());
        in_.erase(0, got.size());
        return got;
    }
    void close() { socket_.close(); }

    /// From now on what is sent is kept back, until it is all sent at once.
    void gather() { SSL_set0_wbio(session_, BIO_new(BIO_s_mem())); }
    void update_keys(int times) {
        for (int i = 0; i < times; ++i) {
            SSL_key_update(session_, SSL_KEY_UPDATE_NOT_REQUESTED);
            SSL_do_handshake(session_);
        }
    }
    void send_gathered() {
        char* bytes = nullptr;
        const long count = BIO_get_mem_data(SSL_get_wbio(session_), &bytes);
        socket_.send({bytes, static_cast<std::size_t>(count)});
    }

  private:
    Client socket_;
    SSL_CTX* context_;
    SSL* session_;
    std::string in_;
    bool connected_ = false;
};

class Tls : public testing::Test {
  protected:
    Tls() { write_certificate(certificate, key, "first"); }
    ~Tls() override {
        server.reset();
        std::filesystem::remove_all(directory);
    }
    void start(std::chrono::milliseconds header_timeout = std::chrono::seconds(15)) {
        server = std::make_unique<TestServer>(
            std::vector{
                fixed_route("/api/hello", "{\"tls\":1}"),
                fixed_route("/api/long", std::string(3'000'000, 'x') + "END"),
                parking_route(Method::get, "/api/poll", parking),
                Route{Method::post, "/api/echo", "echo", Auth::none, RateClass::none, 10'000'000, false,
                      [](Request request) -> runtime::Task<Response> {
                          co_return json(200, std::to_string(request.body.size()) + " bytes.");
                      },
                      ""}},
            ServerOptions{
                .header_timeout = header_timeout, .tls_certificate_path = certificate, .tls_key_path = key});
    }

    std::filesystem::path directory = [] {
        std::string name = (std::filesystem::temp_directory_path() / "net-tls-XXXXXX").string();
        return std::filesystem::path(mkdtemp(name.data()));
    }();
    std::filesystem::path certificate = directory / "certificate.pem";
    std::filesystem::path key = directory / "key.pem";
    std::shared_ptr<Parking> parking = std::make_shared<Parking>();
    std::unique_ptr<TestServer> server;
};

constexpr std::string_view kHello = "GET /api/hello HTTP/1.1\r\nHost: t\r\n\r\n";

TEST_F(Tls, answers_in_versions_1_2_and_1_3_and_refuses_older_ones) {
    start();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(server->port(), version);
        ASSERT_TRUE(client.connected());
        EXPECT_EQ(client.version(), version);
        client.send(std::string(kHello) + std::string(kHello));
        EXPECT_TRUE(client.read_until("{\"tls\":1}").starts_with("HTTP/1.1 200 OK"));
        EXPECT_TRUE(client.read_until("{\"tls\":1}").starts_with("HTTP/1.1 200 OK"));
    }
    EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).connected());
}

TEST_F(Tls, long_bodies_pass_both_ways) {
    start();
    TlsClient client(server->port());
    client.send("GET /api/long HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_GT(client.read_until("END").size(), 3'000'000U);
    client.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3000000\r\n\r\n" +
                std::string(3'000'000, 'y'));
    EXPECT_TRUE(client.read_until("bytes.").ends_with("3000000 bytes."));
}

TEST_F(Tls, plain_text_at_its_port_gets_no_answer_of_http) {
    start();
    Client client(server->port());
    client.send(kHello);
    EXPECT_EQ(client.read_to_end().find("HTTP/1.1"), std::string::npos);
    EXPECT_TRUE(server->wait_until_empty());
}

TEST_F(Tls, handshake_that_never_ends_is_cut) {
    start(std::chrono::milliseconds(30));
    Client client(server->port());
    client.send("\x16\x03\x01");
    EXPECT_TRUE(client.wait_for_close());
}

TEST_F(Tls, parked_request_ends_with_its_client) {
    start();
    TlsClient client(server->port());
    client.send("GET /api/poll HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return parking->entered == 1; }));
    client.close();
    EXPECT_TRUE(eventually([&] { return parking->left == 1; }));
    EXPECT_TRUE(server->wait_until_empty());
}

TEST_F(Tls, certificate_is_read_again_when_its_file_changes) {
    start();
    EXPECT_EQ(TlsClient(server->port()).subject(), "first");
    TlsClient kept(server->port());
    write_certificate(certificate, key, "second");
    server->clock().leap(std::chrono::seconds(3));
    EXPECT_EQ(TlsClient(server->port()).subject(), "second");
    // One that does not fit its key is left alone.
    std::ofstream(certificate) << "half writ";  // its time goes back to now
    server->clock().leap(std::chrono::seconds(3));
    EXPECT_EQ(TlsClient(server->port()).subject(), "second");
    write_certificate(certificate, key, "third");
    server->clock().leap(std::chrono::seconds(3));
    EXPECT_EQ(TlsClient(server->port()).subject(), "third");
    kept.send(kHello);
    EXPECT_TRUE(kept.read_until("{\"tls\":1}").starts_with("HTTP/1.1 200"));
}

TEST_F(Tls, certificate_is_read_again_though_the_time_of_its_file_stands_still) {
    start();
    EXPECT_EQ(TlsClient(server->port()).subject(), "first");
    const auto time = std::filesystem::last_write_time(certificate);
    const auto key_time = std::filesystem::last_write_time(key);
    write_certificate(certificate, key, "second");
    std::filesystem::last_write_time(certificate, time);
    std::filesystem::last_write_time(key, key_time);
    server->clock().leap(std::chrono::seconds(3));
    EXPECT_EQ(TlsClient(server->port()).subject(), "second");
}

TEST_F(Tls, a_fault_over_a_new_connection_ends_that_one_alone) {
    start();
    server->clock().set_fails(true);
    EXPECT_TRUE(Client(server->port()).wait_for_close());
    server->clock().set_fails(false);
    TlsClient client(server->port());
    ASSERT_TRUE(client.connected());
    client.send(kHello);
    EXPECT_TRUE(client.read_until("{\"tls\":1}").starts_with("HTTP/1.1 200"));
}

/// Whose name the certificate in force has.
std::string subject_in_force(const TlsContext& tls) {
    SSL* session = tls.session(-1);
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get_certificate(session)), NID_commonName,
                              name.data(), name.size());
    SSL_free(session);
    return name.data();
}

TEST_F(Tls, certificate_that_could_not_be_read_for_a_moment_is_tried_again) {
    auto tls = TlsContext::load(certificate, key);
    ASSERT_TRUE(tls.has_value());
    write_certificate(certificate, key, "second");
    std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
    rlimit limits{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limits), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = limits.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    (*tls)->reload_if_changed(now);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limits), 0);
    EXPECT_EQ(subject_in_force(**tls), "first");
    (*tls)->reload_if_changed(now + std::chrono::seconds(59));
    EXPECT_EQ(subject_in_force(**tls), "first");
    (*tls)->reload_if_changed(now + std::chrono::seconds(62));
    EXPECT_EQ(subject_in_force(**tls), "second");
}

TEST_F(Tls, records_without_a_request_in_them_do_not_keep_the_io_thread) {
    constexpr int kRecords = 1000;
    start();
    TlsClient client(server->port(), TLS1_3_VERSION);
    client.gather();
    client.send(kHello);
    client.update_keys(kRecords);
    client.send("GET /api/poll HTTP/1.1\r\nHost: t\r\n\r\n");

    // All of it has come before the server looks; then its turns are counted until the request behind it.
    std::promise<void> arrived;
    std::atomic<int> turns{0};
    std::function<void()> count = [&] {
        if (parking->entered > 0) return;
        ++turns;
        boost::asio::post(server->runtime().executor(), count);
    };
    boost::asio::post(server->runtime().executor(), [&] {
        arrived.get_future().wait();
        count();
    });
    client.send_gathered();
    arrived.set_value();
    ASSERT_TRUE(eventually([&] { return parking->entered == 1; }));
    server->on_io([] {});  // the last turn is over
    EXPECT_GE(turns, kRecords);
    client.close();
}

TEST_F(Tls, server_does_not_start_with_what_is_no_certificate) {
    const auto start_error = [&](const std::string& certificate_path, const std::string& key_path) {
        runtime::Runtime runtime;
        base::SystemClock clock;
        Server bad(runtime, clock,
                   ServerOptions{.tls_certificate_path = certificate_path, .tls_key_path = key_path});
        const auto listener = bind_listener("127.0.0.1:0");
        const auto started = bad.start(*listener);
        ::close(listener->descriptor);
        return started ? std::string("started") : started.error().code;
    };
    EXPECT_EQ(start_error(certificate, directory / "none.pem"), "net.bad_certificate");
    EXPECT_EQ(start_error(directory / "none.pem", key), "net.bad_certificate");
    EXPECT_EQ(start_error(certificate, certificate), "net.bad_certificate");
    write_certificate(directory / "other.pem", directory / "other.key", "other");
    EXPECT_EQ(start_error(certificate, directory / "other.key"), "net.bad_certificate");
    EXPECT_EQ(start_error(certificate, ""), "net.bad_certificate");
}

}  // namespace
}  // namespace net::test
