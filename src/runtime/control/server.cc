#include "runtime/control/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "runtime/control/client.h"
#include "runtime/control/connection.h"

namespace ginnel::control_api {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using boost::system::error_code;

Error socket_error(const std::filesystem::path& path, const error_code& error) {
  const bool denied = error == boost::system::errc::permission_denied;
  return {denied ? Errc::kPermission : Errc::kFile,
          "control socket " + path.string() + ": " + error.message(),
          denied ? "run as the folder's owner, or with sudo" : "choose another --dir"};
}

// What both kinds share: accepting, at most kConnectionsMax at a time, on a thread of its own.
template <class Protocol>
class AcceptingServer : public Server {
 public:
  AcceptingServer(Handler handler, const ServerOptions& options)
      : service_(std::make_shared<Service>()), acceptor_(service_->context) {
    service_->handler = std::move(handler);
    service_->options = options;
  }

  ~AcceptingServer() override { stop_thread(); }

 protected:
  typename Protocol::acceptor& acceptor() { return acceptor_; }
  void run() {
    accept();
    thread_ = std::thread([this] { service_->context.run(); });
  }
  bool is_running() const { return thread_.joinable(); }
  void stop_thread() {
    if (!thread_.joinable()) return;
    asio::post(service_->context, [this] { stop(); });
    thread_.join();
  }

 private:
  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](error_code error, typename Protocol::socket socket) {
      accepting_ = false;
      if (stopping_) return;
      if (!error) serve(std::move(socket));
      if (connections_ < kConnectionsMax) accept();
    });
  }

  void serve(Connection::Socket socket) {
    ++connections_;
    auto connection = std::make_shared<Connection>(std::move(socket), service_, [this] {
      --connections_;
      if (!stopping_ && !accepting_) accept();
    });
    std::erase_if(open_, [](const auto& weak) { return weak.expired(); });
    open_.push_back(connection);
    connection->read_request();
  }

  void stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& weak : open_) {
      if (const auto connection = weak.lock()) connection->close_soon();
    }
  }

  std::shared_ptr<Service> service_;
  typename Protocol::acceptor acceptor_;
  std::thread thread_;
  // On the server's thread only:
  std::size_t connections_ = 0;
  bool accepting_ = false;
  bool stopping_ = false;
  std::vector<std::weak_ptr<Connection>> open_;
};

class LocalServer : public AcceptingServer<Local> {
 public:
  LocalServer(std::filesystem::path path, Handler handler, const ServerOptions& options)
      : AcceptingServer(std::move(handler), options), path_(std::move(path)) {}

  ~LocalServer() override {
    if (is_running()) unlink(path_.c_str());
    stop_thread();
  }

  Result<void, Error> open() {
    error_code error;
    acceptor().open(Local(), error);
    // The mode must be right from the first moment: the socket is made under a name that nobody
    // looks for, and takes its place whole.
    const std::filesystem::path hidden = path_.string() + ".new";
    unlink(hidden.c_str());
    if (!error) acceptor().bind(Local::endpoint(hidden.string()), error);
    if (!error && chmod(hidden.c_str(), 0660) != 0)
      error = error_code(errno, boost::system::system_category());
    if (!error) acceptor().listen(asio::socket_base::max_listen_connections, error);
    if (!error && rename(hidden.c_str(), path_.c_str()) != 0)
      error = error_code(errno, boost::system::system_category());
    if (error) {
      unlink(hidden.c_str());
      return Fail(socket_error(path_, error));
    }
    run();
    return {};
  }

 private:
  const std::filesystem::path path_;
};

Error http_error(const Endpoint& bind, const error_code& error) {
  namespace errc = boost::system::errc;
  const Errc code = error == errc::address_in_use          ? Errc::kPortBusy
                    : error == errc::permission_denied     ? Errc::kPermission
                    : error == errc::address_not_available ? Errc::kConfigValue
                                                           : Errc::kInternal;
  return {code, "listen on http://" + bind.text() + ": " + error.message(),
          "choose another address or port"};
}

class HttpServer : public AcceptingServer<asio::ip::tcp> {
 public:
  using AcceptingServer::AcceptingServer;

  Result<void, Error> open(const Endpoint& bind) {
    error_code error;
    const auto address = asio::ip::make_address(bind.address.text(), error);
    const asio::ip::tcp::endpoint endpoint(address, bind.port);
    if (!error) acceptor().open(endpoint.protocol(), error);
    if (!error) acceptor().set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor().bind(endpoint, error);
    if (!error) acceptor().listen(asio::socket_base::max_listen_connections, error);
    if (error) return Fail(http_error(bind, error));
    run();
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<Server>, Error> Server::listen(const std::filesystem::path& path,
                                                      Handler handler,
                                                      const ServerOptions& options) {
  if (path.string().size() + sizeof ".new" > sizeof(sockaddr_un::sun_path)) {
    return Fail(Error{Errc::kFile, "control socket " + path.string() + ": the path is too long",
                      "choose a --dir with a path of less than 90 characters"});
  }
  if (Client::connect(path)) {
    return Fail(Error{Errc::kAlreadyRunning, path.string() + ": a daemon answers there",
                      "ginnel down, or choose another --dir"});
  }
  auto server = std::make_unique<LocalServer>(path, std::move(handler), options);
  if (auto opened = server->open(); !opened) return Fail(opened.error());
  return std::unique_ptr<Server>(std::move(server));
}

Result<std::unique_ptr<Server>, Error> Server::listen_http(const Endpoint& bind, Handler handler,
                                                           const ServerOptions& options) {
  auto server = std::make_unique<HttpServer>(std::move(handler), options);
  if (auto opened = server->open(bind); !opened) return Fail(opened.error());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace ginnel::control_api
