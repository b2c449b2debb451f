#include "runtime/control/server.h"

#include <sys/stat.h>
#include <unistd.h>

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
using Protocol = asio::local::stream_protocol;
using boost::system::error_code;

Error socket_error(const std::filesystem::path& path, const error_code& error) {
  const bool denied = error == boost::system::errc::permission_denied;
  return {denied ? Errc::kPermission : Errc::kFile,
          "control socket " + path.string() + ": " + error.message(),
          denied ? "run as the folder's owner, or with sudo" : "choose another --dir"};
}

class LocalServer : public Server {
 public:
  LocalServer(std::filesystem::path path, Handler handler, const ServerOptions& options)
      : path_(std::move(path)),
        service_(std::make_shared<Service>()),
        acceptor_(service_->context) {
    service_->handler = std::move(handler);
    service_->options = options;
  }

  ~LocalServer() override {
    if (!thread_.joinable()) return;
    unlink(path_.c_str());
    asio::post(service_->context, [this] { stop(); });
    thread_.join();
  }

  Result<void, Error> open() {
    error_code error;
    acceptor_.open(Protocol(), error);
    // The mode must be right from the first moment: the socket is made under a name that nobody
    // looks for, and takes its place whole.
    const std::filesystem::path hidden = path_.string() + ".new";
    unlink(hidden.c_str());
    if (!error) acceptor_.bind(Protocol::endpoint(hidden.string()), error);
    if (!error && chmod(hidden.c_str(), 0660) != 0)
      error = error_code(errno, boost::system::system_category());
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error && rename(hidden.c_str(), path_.c_str()) != 0)
      error = error_code(errno, boost::system::system_category());
    if (error) {
      unlink(hidden.c_str());
      return Fail(socket_error(path_, error));
    }
    accept();
    thread_ = std::thread([this] { service_->context.run(); });
    return {};
  }

 private:
  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](error_code error, Protocol::socket socket) {
      accepting_ = false;
      if (stopping_) return;
      if (!error) serve(std::move(socket));
      if (connections_ < kConnectionsMax) accept();
    });
  }

  void serve(Protocol::socket socket) {
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
      if (const auto connection = weak.lock()) connection->close();
    }
  }

  const std::filesystem::path path_;
  std::shared_ptr<Service> service_;
  Protocol::acceptor acceptor_;
  std::thread thread_;
  // On the server's thread only:
  std::size_t connections_ = 0;
  bool accepting_ = false;
  bool stopping_ = false;
  std::vector<std::weak_ptr<Connection>> open_;
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

}  // namespace ginnel::control_api
