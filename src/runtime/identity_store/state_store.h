// What a node remembers: small files by name, each replaced whole or not at all.
//
//   auto store = StateStore::open(places.state).value();
//   store.put("pins", bytes);
//   store.get("pins");   // the bytes, or nullopt: never put
//
// The folder is 0700 and every file 0600. Blocks on the disk. Not thread-safe per name.
#pragma once
#include <ginnel/error.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace ginnel::identity {

// A longer state is not ours: the largest, a full table of peers, has a tenth of it.
inline constexpr std::size_t kStateBytesMax = std::size_t{16} << 20;

// 1 to 64 characters of a-z 0-9 . _ -, the first a letter.
bool is_state_name(std::string_view name);

class StateStore {
 public:
  // Makes the folder if it is missing. Errors: kPermission, kFile.
  static Result<StateStore, Error> open(const std::filesystem::path& folder);

  // Errors: kKeyFileMode (others can read it), kKeyUnreadable (a name that ends in ".key"), kFile,
  // kPermission. `name`: a state name.
  Result<std::optional<ByteVector>, Error> get(std::string_view name) const;
  // Errors: kFile, kPermission (both: the old bytes stay).
  Result<void, Error> put(std::string_view name, ConstBytes bytes) const;
  // Overwrites and removes it; nothing to do when it is not there. Errors: kFile, kPermission.
  Result<void, Error> erase(std::string_view name) const;
  // Erases every file of the folder, and the folder. Errors: as erase.
  Result<void, Error> erase_all() const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit StateStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace ginnel::identity
