// Initiations whose timestamp proves their static key, but whose key is no peer's: they wait here
// for the owner to say accept or refuse.
#pragma once
#include <map>
#include <optional>

#include "proto/wg/cookie.h"
#include "proto/wg/handshake.h"

namespace ginnel::wg {

using InitiatorToken = StrongInt<struct InitiatorTokenTag, std::uint64_t>;

class UnknownInitiators {
 public:
  struct Entry {
    InitiatorToken token;
    OpenedInitiation opened;
    crypto::SymmetricKey static_static;
    Timestamp timestamp;
    Route from;
    Instant expires;
  };

  // True: a new one, with its own token. False: one of the same key was waiting; the newer stays,
  // under the old token and the old deadline.
  bool add(Entry entry) {
    const crypto::SessionPublic key = entry.opened.remote_static;
    const auto it = entries_.find(key);
    if (it == entries_.end()) {
      entry.token = InitiatorToken(++last_token_);
      entries_.emplace(key, std::move(entry));
      return true;
    }
    if (entry.timestamp > it->second.timestamp) {
      entry.token = it->second.token;
      entry.expires = it->second.expires;
      it->second = std::move(entry);
    }
    return false;
  }
  std::optional<Entry> take(InitiatorToken token) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->second.token == token) return std::move(entries_.extract(it).mapped());
    }
    return std::nullopt;
  }
  const Entry* find(const crypto::SessionPublic& key) const {
    const auto it = entries_.find(key);
    return it == entries_.end() ? nullptr : &it->second;
  }
  void expire(Instant now) {
    std::erase_if(entries_, [now](const auto& entry) { return entry.second.expires <= now; });
  }
  std::optional<Instant> next_expiry() const {
    std::optional<Instant> out;
    for (const auto& [key, entry] : entries_) {
      if (!out || entry.expires < *out) out = entry.expires;
    }
    return out;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::map<crypto::SessionPublic, Entry> entries_;  // at most kProvisionalMax
  std::uint64_t last_token_ = 0;
};

}  // namespace ginnel::wg
