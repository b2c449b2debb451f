// What went wrong, for the caller to act on. Every code is one to one with the `E_…` codes of the
// command line (`ginnel help E_HUB_UNREACHABLE` explains each).
//
// A value; allocates for its texts, so it is never made on a hot path.
#pragma once
#include <ginnel/result.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ginnel {

enum class Errc : std::uint8_t {
  kUsage,             // the call or command line was malformed; nothing was done
  kFile,              // a file could not be read or written
  kNotRunning,        // no daemon answers in this folder
  kPermission,        // the system refused; state unchanged
  kTokenMalformed,    // the text is no token
  kTokenInvalid,      // the hub does not know this token
  kTokenUsed,         // all its uses are redeemed by other keys
  kTokenExpired,      // its lifetime is over
  kTokenRevoked,      // withdrawn by the hub
  kKeyUnreadable,     // a key file is damaged, or cannot be read
  kKeyFileMode,       // a key file can be read by others
  kSharedSecret,      // not possible in a shared-secret network
  kSecretWeak,        // the secret can be guessed
  kUnknownPeer,       // no such name or Id
  kUnknownKey,        // shared data: no such key
  kChanged,           // shared data: another version than the one that was seen
  kHubUnreachable,    // no hub answered at any of its addresses
  kUnreachable,       // the peer cannot be reached now; the message was not sent
  kNoSubscriber,      // the peer is there, no program takes this channel
  kTimeout,           // the deadline passed; whether it arrived is unknown
  kConfigSyntax,      // ginnel.toml is no TOML
  kConfigKey,         // a key that this version does not know
  kConfigValue,       // a value of the wrong type or range
  kNoQuorum,          // no Master: a majority of the hubs cannot be reached
  kNotMaster,         // the Master changed meanwhile
  kPortBusy,          // another program holds the port
  kAddressInUse,      // the range is in use on this host
  kNameClash,         // two Ids claim one name or address
  kNotAHub,           // this needs a hub
  kAlreadyRunning,    // a daemon holds this folder
  kNameTaken,         // gossip: the name is alive elsewhere
  kWrongApp,          // gossip: the other application's messages
  kReplyFailed,       // the replying program failed
  kDenied,            // the receiver refused
  kExists,            // it is there already, with other content
  kWrongNetwork,      // a certificate of another network
  kNotServed,         // nobody serves this port
  kRefused,           // the far port refused the connection
  kWouldBlock,        // the window is full; wait for the writable event
  kTooLarge,          // the message exceeds what the channel carries
  kClosed,            // the node or channel was closed
  kCancelled,         // given up by the caller
  kNotJoined,         // this folder holds no identity
  kNoTun,             // no TUN device; messages still work
  kInternal,          // a bug of ours
};

// "E_HUB_UNREACHABLE".
std::string_view code_name(Errc code);
// The exit code of the command line for this error (docs/cli.md, "Errors").
int exit_code(Errc code);

struct Error {
  Errc code = Errc::kInternal;
  std::string text;  // what failed: why
  std::string hint;  // what to do next; may be empty

  [[noreturn]] void raise() const;
};

// What Result<T, Error>::value() throws: the only exception of the API.
class BadResult : public std::runtime_error {
 public:
  explicit BadResult(Error error) : std::runtime_error(error.text), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

inline void Error::raise() const { throw BadResult(*this); }

}  // namespace ginnel
