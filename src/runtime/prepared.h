// What a daemon has in hands before it opens a socket: its folder, for itself alone, the identity
// and a valid configuration.
#pragma once
#include "io/file.h"
#include "runtime/config_file.h"
#include "runtime/identity_store/enrolment.h"
#include "runtime/identity_store/places.h"

namespace ginnel::runtime {

struct Prepared {
  io::LockFile lock;  // state/lock: one daemon a folder
  identity::StateStore store;
  identity::Identity identity;
  ConfigFile config;
  std::optional<control::SecretNetwork> secret_network;  // set: a network by shared secret
  GetEnvironment get_environment;  // for when the configuration is read again
};

// That this folder holds no identity, and what to do.
Error not_joined(const identity::Places& places);

// Errors: kNotJoined, kAlreadyRunning, kKeyUnreadable, kKeyFileMode, kConfig* (the text lists every
// problem), kSecretWeak, kWrongNetwork (the secret is another one), kPermission, kFile.
Result<Prepared, Error> prepare(const identity::Places& places,
                                const GetEnvironment& get_environment);

}  // namespace ginnel::runtime
