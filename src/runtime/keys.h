// The keys of a folder for people: a new shared secret, what keys there are, and a copy of the node
// for another host. What is printed is fingerprints; secrets go to private files and nowhere else.
//
//   auto secret = new_shared_secret();
//   write_private_file("network.secret", *secret + "\n");   // 0600; never overwrites
//
// Blocks on the disk. Any thread.
#pragma once
#include "runtime/setup.h"

namespace ginnel::runtime {

// 256 random bits in base64. Error: kInternal (the kernel has no randomness).
Result<std::string, Error> new_shared_secret();
// Errors: kExists (whatever is there stays), kFile, kPermission.
Result<void, Error> write_private_file(const std::filesystem::path& path, std::string_view text);

struct KeyFacts {
  Id id;
  std::string name;
  std::string network_name;
  std::string network;  // the network id, hexadecimal
  bool by_secret = false;
  // The first 8 bytes of hash("ginnel key v1", public key), as certificates name their issuer.
  std::string identity, session;
  std::string issuer;  // likewise: the network key's, or a hub's identity key's
  bool by_network_key = false;
  std::uint64_t serial = 0;
  Wall not_before, not_after;
  std::filesystem::path folder;
};
// Errors: kNotJoined, kKeyUnreadable, kKeyFileMode, kPermission.
Result<KeyFacts, Error> key_facts(const identity::Places& places);
// There is an identity in this folder.
bool has_identity(const identity::Places& places);

// All that makes the node what it is, as one text: keys, certificate, ginnel.toml, and at a hub its
// tokens and revocations. The shared secret's file is not in it. Errors: as key_facts.
Result<std::string, Error> export_node(const identity::Places& places);
// Makes the folder out of such a text. A ginnel.toml that is there stays. Errors: kExists (a node
// is there already), kKeyUnreadable (this is no such text), kFile, kPermission.
Result<NodeSummary, Error> restore_node(const identity::Places& places, std::string_view text);

}  // namespace ginnel::runtime
