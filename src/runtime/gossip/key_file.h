// The file with a cluster's keys: base64, one a line, or serf's JSON array of texts. The first is
// the primary.
//
//   auto file = KeyFile::load("keys");
//   file->save(ring);               // in its own form, atomically, mode 0600
#pragma once
#include <ginnel/error.h>

#include <filesystem>
#include <vector>

#include "proto/swim/key_ring.h"

namespace ginnel::gossip {

class KeyFile {
 public:
  // Errors: kFile, kPermission, kKeyFileMode (others can read it), kKeyUnreadable (no keys, or not
  // of 16, 24 or 32 bytes).
  static Result<KeyFile, Error> load(const std::filesystem::path& path);

  // As they stood in the file when it was read.
  std::vector<crypto::AesKey> keys() const;
  // Errors: kFile, kPermission (both: the old content stays).
  Result<void, Error> save(const swim::KeyRing& ring) const;

 private:
  KeyFile(std::filesystem::path path, bool is_json) : path_(std::move(path)), is_json_(is_json) {}

  std::filesystem::path path_;
  bool is_json_;
  std::vector<crypto::AesKey> keys_;
};

// A key as it stands in a file, white space around it ignored. nullopt: none.
std::optional<crypto::AesKey> parse_key(std::string_view text);

}  // namespace ginnel::gossip
