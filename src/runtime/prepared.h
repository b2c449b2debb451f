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
  GetEnvironment get_environment;  // for when the configuration is read again
};

// Errors: kNotJoined, kAlreadyRunning, kKeyUnreadable, kKeyFileMode, kConfig* (the text lists every
// problem), kPermission, kFile.
Result<Prepared, Error> prepare(const identity::Places& places,
                                const GetEnvironment& get_environment);

}  // namespace ginnel::runtime
