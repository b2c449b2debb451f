// The daemon's control socket: HTTP/1.1 with JSON over DIR/ginnel.sock.
//
//   auto server = Server::listen(path, [&](const Request& request, Responder responder) {
//     loop.post([=] { answer(request, responder); });   // to the daemon's own thread
//   });
//
// Runs its own thread, which calls the handler; destroy it to stop (open streams are cut). Clients
// are local but not trusted to be quick or well-behaved: every wait and every buffer has a limit.
#pragma once
#include <ginnel/error.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/address.h"
#include "runtime/control/message.h"

namespace ginnel::control_api {

// One `msg` of 16 MiB as base64 in JSON, and room around it.
inline constexpr std::size_t kRequestBodyMax = std::size_t{24} << 20;
inline constexpr std::size_t kRequestHeaderMax = std::size_t{8} << 10;
// More connections than this wait in the kernel's backlog until one ends.
inline constexpr std::size_t kConnectionsMax = 256;
// Written and not yet read by the client; beyond it the client is too slow and is dropped.
inline constexpr std::size_t kStreamBytesMax = std::size_t{32} << 20;

struct ServerOptions {
  // A request must be complete, and an answer be read, within this.
  std::chrono::milliseconds io_timeout{15'000};
  // A connection between two requests is kept this long.
  std::chrono::milliseconds idle_timeout{60'000};
  std::size_t stream_bytes_max = kStreamBytesMax;
};

class Server {
 public:
  // Makes the socket with mode 0660. A socket that a killed daemon left behind is replaced.
  // Errors: kAlreadyRunning (one answers there), kPermission, kFile.
  static Result<std::unique_ptr<Server>, Error> listen(const std::filesystem::path& path,
                                                       Handler handler,
                                                       const ServerOptions& options = {});
  // The same over TCP, for documents that anybody may read: there is no uid, the handler decides
  // what it answers. Errors: kPortBusy, kPermission, kConfigValue (not an address of this host).
  static Result<std::unique_ptr<Server>, Error> listen_http(const Endpoint& bind, Handler handler,
                                                            const ServerOptions& options = {});
  virtual ~Server() = default;  // stops the thread and removes the socket
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 protected:
  Server() = default;
};

}  // namespace ginnel::control_api
