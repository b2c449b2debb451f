#include "proto/swim/serf/key_query.h"

#include "base/base64.h"

namespace ginnel::swim::serf {
namespace {

constexpr std::array<std::pair<KeyOp, std::string_view>, 4> kOpNames{{
    {KeyOp::kInstall, "_serf_install-key"},
    {KeyOp::kUse, "_serf_use-key"},
    {KeyOp::kRemove, "_serf_remove-key"},
    {KeyOp::kList, "_serf_list-keys"},
}};

std::string_view text_of_error(KeyError error) {
  switch (error) {
    case KeyError::kNoSuchKey: return "Requested key is not in the keyring";
    case KeyError::kPrimaryKey: return "Removing the primary key is not allowed";
    case KeyError::kRingFull: return "The keyring is full";
  }
  return "";
}

Result<void, KeyError> change(KeyOp op, ConstBytes key, KeyRing& ring) {
  if (op == KeyOp::kUse) return ring.use(key);
  if (op == KeyOp::kRemove) return ring.remove(key);
  return ring.install(*crypto::AesKey::from(key));
}

}  // namespace

std::string_view query_name(KeyOp op) { return kOpNames[static_cast<std::size_t>(op)].second; }

std::optional<KeyOp> key_op_of(std::string_view name) {
  for (const auto& [op, known] : kOpNames) {
    if (known == name) return op;
  }
  return std::nullopt;
}

KeyOutcome apply(KeyOp op, ConstBytes key, KeyRing& ring) {
  KeyOutcome out;
  if (ring.empty()) {
    out.response.message = "Keyring is empty (encryption not enabled)";
    return out;
  }
  if (op == KeyOp::kList) {
    out.response.result = true;
    for (std::size_t i = 0; i < ring.size(); ++i) out.response.keys.push_back(to_base64(ring.key(i)));
    out.response.primary_key = out.response.keys.front();
    return out;
  }
  if (!crypto::AesKey::from(key)) {
    out.response.message = "key size must be 16, 24 or 32 bytes";
    return out;
  }
  const ByteVector primary = to_vector(ring.key(0));
  const std::size_t size = ring.size();
  const auto done = change(op, key, ring);
  out.response.result = done.has_value();
  if (!done) out.response.message = text_of_error(done.error());
  out.changed = ring.size() != size || !equal(ring.key(0), primary);
  return out;
}

}  // namespace ginnel::swim::serf
