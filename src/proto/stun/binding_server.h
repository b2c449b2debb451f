// A hub's STUN server: one Binding request in, at most one answer out.
//
//   BindingServer server({.address = public_address, .main_port = 7700, .probe_port = 7701});
//   const auto answer = server.handle_request(now, from, ServerPort::kMain, request, out);
//   if (answer) send(answer->from, from, out.first(answer->size));
//
// Whoever sent the request may be lying about its source: an answer is never more than 1.4 times
// the request at IP level (no reflection), and SourceLimiter counts. Allocates only
// the limiter's table and the certificate's copy.
#pragma once
#include "proto/stun/source_limiter.h"
#include "proto/stun/wire.h"

namespace ginnel::stun {

enum class ServerPort : std::uint8_t { kMain, kProbe };

class BindingServer {
 public:
  struct Options {
    Address address;  // as clients reach us; unspecified: no address attributes
    std::uint16_t main_port = 0;
    std::uint16_t probe_port = 0;  // 0: none, and no answer ever comes from another port
  };
  struct Answer {
    std::size_t size = 0;
    ServerPort from = ServerPort::kMain;
  };

  explicit BindingServer(const Options& options) : options_(options) {}

  // What GINNEL-CERT answers; empty: nothing.
  void set_certificate(ConstBytes certificate) { certificate_ = to_vector(certificate); }

  // The clock that GINNEL-TIME tells, as it goes on from `now`; never called: nothing.
  void set_wall(Instant now, Wall wall) { clock_ = {now, wall}; }

  // `arrived_on`: the port of ours that took the request. `out`: at least 1500 bytes.
  // Errors: any Drop; nothing is to be sent then.
  Result<Answer, Drop> handle_request(Instant now, const Endpoint& from, ServerPort arrived_on,
                                      ConstBytes request, Bytes out);

 private:
  struct Clock {
    Instant since;
    Wall wall;
  };
  Message respond(Instant now, const Message& request, const Endpoint& from,
                  ServerPort answer_from, std::size_t request_bytes) const;
  Endpoint endpoint_of(ServerPort port) const;

  Options options_;
  ByteVector certificate_;
  std::optional<Clock> clock_;
  SourceLimiter limiter_;
};

}  // namespace ginnel::stun
