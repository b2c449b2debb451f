// TCP without waiting: a listener and its streams, for an event loop.
//
//   auto listener = TcpListener::open(*Endpoint::parse("127.0.0.1:7946"));
//   while (auto stream = (*listener)->accept()) ...  // then a Refusal tells what it stopped at
//   auto stream = TcpStream::dial(peer);     // watch it for writing: then it is open, or failed
//
// One thread each. Only accept and dial allocate.
#pragma once
#include <ginnel/error.h>

#include <memory>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/instant.h"
#include "io/fd.h"

namespace ginnel::io {

class TcpStream {
 public:
  enum class Status : std::uint8_t {
    kOk,      // `size` bytes went through
    kWait,    // nothing now; watch the descriptor
    kEnd,     // read: the other side will send no more
    kFailed,  // it broke, or was never open
  };
  struct Outcome {
    Status status = Status::kFailed;
    std::size_t size = 0;  // bytes, > 0 when kOk
  };

  // Begins to connect. nullopt: the system refuses at once (no route, no descriptors).
  static std::optional<TcpStream> dial(const Endpoint& to);
  TcpStream(Fd fd, const Endpoint& peer) : fd_(std::move(fd)), peer_(peer) {}

  Outcome read(Bytes out);
  Outcome write(ConstBytes bytes);
  // It fails when the other side has acknowledged nothing of what was sent for so long.
  void give_up_after(Nanoseconds silence);
  // Sends no more; what was written still goes.
  void shut_down();

  int fd() const { return fd_.get(); }
  const Endpoint& peer() const { return peer_; }

 private:
  Fd fd_;
  Endpoint peer_;
};

class TcpListener {
 public:
  // All zero ("[::]"): both families. "0.0.0.0": IPv4 only. Port 0: the kernel chooses.
  // Errors: kPortBusy, kPermission, kConfigValue (no interface has the address), kInternal.
  static Result<std::unique_ptr<TcpListener>, Error> open(const Endpoint& bind);

  enum class Refusal : std::uint8_t {
    kNobody,     // nobody waits
    kExhausted,  // somebody waits, but descriptors or memory are short: try again later
  };
  Result<TcpStream, Refusal> accept();
  int fd() const { return fd_.get(); }
  const Endpoint& local() const { return local_; }

 private:
  TcpListener(Fd fd, const Endpoint& local) : fd_(std::move(fd)), local_(local) {}
  Fd fd_;
  Endpoint local_;
};

}  // namespace ginnel::io
