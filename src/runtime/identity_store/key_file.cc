#include "runtime/identity_store/key_file.h"

#include "base/base64.h"

namespace ginnel::identity {

Result<std::optional<ByteVector>, Error> load_key_bytes(const StateStore& store,
                                                        std::string_view name) {
  auto file = store.get(name);
  if (!file || !*file) return file;
  std::string_view line = text_of(**file);
  if (line.ends_with('\n')) line.remove_suffix(1);
  auto key = from_base64(line);
  crypto::wipe(**file);
  if (key && key->size() == crypto::kKeyBytes) return std::optional(std::move(*key));
  return Fail(Error{Errc::kKeyUnreadable,
                    (store.folder() / name).string() + ": the file holds no key",
                    "restore it from a backup, or join again in a new folder"});
}

Result<void, Error> save_key_bytes(const StateStore& store, std::string_view name, ConstBytes key) {
  std::string line = to_base64(key) + "\n";
  auto saved = store.put(name, bytes_of(line));
  crypto::wipe(std::as_writable_bytes(std::span(line)));
  return saved;
}

}  // namespace ginnel::identity
