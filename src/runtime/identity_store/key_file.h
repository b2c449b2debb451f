// Secret keys in the state folder: one line of base64, as WireGuard writes its own.
//
//   auto identity = load_key<crypto::IdentitySecret>(store, "identity.key");
#pragma once
#include "crypto/keys.h"
#include "runtime/identity_store/state_store.h"

namespace ginnel::identity {

// 32 bytes of the key in `name`; wiped by whoever takes them. nullopt: there is no such file.
// Errors: kKeyFileMode; kKeyUnreadable (it cannot be read, or holds no key).
Result<std::optional<ByteVector>, Error> load_key_bytes(const StateStore& store,
                                                        std::string_view name);
Result<void, Error> save_key_bytes(const StateStore& store, std::string_view name, ConstBytes key);

template <class Secret>
Result<std::optional<Secret>, Error> load_key(const StateStore& store, std::string_view name) {
  auto bytes = load_key_bytes(store, name);
  if (!bytes) return Fail(bytes.error());
  if (!*bytes) return std::optional<Secret>();
  auto key = Secret::from(**bytes);
  crypto::wipe(**bytes);
  return key;
}

template <class Secret>
Result<void, Error> save_key(const StateStore& store, std::string_view name, const Secret& key) {
  return save_key_bytes(store, name, key.bytes());
}

}  // namespace ginnel::identity
