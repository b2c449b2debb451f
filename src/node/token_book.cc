#include "node/token_book.h"

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::node {
namespace {

using control::RefusedCode;

constexpr std::uint8_t kBookVersion = 1;
// How long an expired token is remembered, so that its holder learns "expired", not "invalid", and
// a repeated JOIN whose answer was lost still gets it.
constexpr std::chrono::seconds kRemembered = std::chrono::hours(24);

std::uint64_t seconds_of(Wall wall) {
  return wall.ns <= 0 ? 0 : static_cast<std::uint64_t>(wall.ns / 1'000'000'000);
}

void append(ByteVector& out, ConstBytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_u32(ByteVector& out, std::size_t value) {
  std::array<std::byte, 4> bytes{};
  Writer(bytes).u32le(static_cast<std::uint32_t>(value));
  append(out, bytes);
}

void append_text(ByteVector& out, std::string_view text) {
  append_u32(out, text.size());
  append(out, bytes_of(text));
}

std::string read_text(Reader& r) { return std::string(text_of(r.take(r.u32le()))); }

}  // namespace

const TokenBook::Entry* TokenBook::find(const control::TokenSecret& secret) const {
  const auto it = entries_.find(control::token_secret_hash(secret));
  return it == entries_.end() ? nullptr : &it->second;
}

void TokenBook::forget_expired(Wall wall) {
  const std::uint64_t now = seconds_of(wall);
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.terms.expiry_seconds + static_cast<std::uint64_t>(kRemembered.count()) < now;
  });
}

bool TokenBook::add(const control::TokenSecret& secret, TokenTerms terms, Wall wall) {
  forget_expired(wall);
  if (entries_.size() >= kTokensMax) return false;
  entries_.emplace(control::token_secret_hash(secret), Entry{std::move(terms), false, {}});
  return true;
}

bool TokenBook::withdraw(const control::TokenSecret& secret) {
  const auto it = entries_.find(control::token_secret_hash(secret));
  if (it == entries_.end()) return false;
  it->second.withdrawn = true;
  return true;
}

Result<const TokenTerms*, RefusedCode> TokenBook::check(const control::TokenSecret& secret,
                                                        const crypto::IdentityPublic& identity,
                                                        Role role, Wall wall) const {
  const Entry* entry = find(secret);
  if (!entry) return Fail(RefusedCode::kTokenInvalid);
  if (entry->withdrawn) return Fail(RefusedCode::kTokenWithdrawn);
  if (entry->terms.expiry_seconds <= seconds_of(wall)) return Fail(RefusedCode::kTokenExpired);
  if (entry->terms.role != role) return Fail(RefusedCode::kNotAllowed);
  const bool again = entry->redeemed.contains(identity);
  if (!again && entry->redeemed.size() >= entry->terms.uses) return Fail(RefusedCode::kTokenUsed);
  return &entry->terms;
}

const ByteVector* TokenBook::redeemed(const control::TokenSecret& secret,
                                      const crypto::IdentityPublic& identity) const {
  const Entry* entry = find(secret);
  if (!entry) return nullptr;
  const auto it = entry->redeemed.find(identity);
  return it == entry->redeemed.end() ? nullptr : &it->second;
}

void TokenBook::redeem(const control::TokenSecret& secret, const crypto::IdentityPublic& identity,
                       ByteVector chain) {
  const auto it = entries_.find(control::token_secret_hash(secret));
  GINNEL_ASSERT(it != entries_.end());
  it->second.redeemed.insert_or_assign(identity, std::move(chain));
}

// version u8 | entries u32 | each: hash 32, role u8, withdrawn u8, expiry u64, uses u32, tags u32,
// each: key, value as u32 length and bytes | redemptions u32, each: identity 32, chain u32 + bytes
ByteVector TokenBook::write() const {
  ByteVector out{std::byte{kBookVersion}};
  append_u32(out, entries_.size());
  for (const auto& [hash, entry] : entries_) {
    append(out, hash);
    std::array<std::byte, 14> fixed{};
    Writer(fixed)
        .u8(static_cast<std::uint8_t>(entry.terms.role))
        .u8(entry.withdrawn ? 1 : 0)
        .u64le(entry.terms.expiry_seconds)
        .u32le(entry.terms.uses);
    append(out, fixed);
    append_u32(out, entry.terms.tags.size());
    for (const auto& tag : entry.terms.tags) {
      append_text(out, tag.key);
      append_text(out, tag.value);
    }
    append_u32(out, entry.redeemed.size());
    for (const auto& [identity, chain] : entry.redeemed) {
      append(out, identity.bytes());
      append_text(out, text_of(chain));
    }
  }
  return out;
}

std::optional<TokenBook> TokenBook::parse(ConstBytes bytes) {
  Reader r(bytes);
  TokenBook out;
  if (r.u8() != kBookVersion) return std::nullopt;
  const std::uint32_t count = r.u32le();
  if (count > kTokensMax) return std::nullopt;
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) {
    crypto::Digest hash{};
    std::ranges::copy(r.take(hash.size()), hash.begin());
    Entry entry;
    entry.terms.role = r.u8() == 'S' ? Role::kHub : Role::kPeer;
    entry.withdrawn = r.u8() == 1;
    entry.terms.expiry_seconds = r.u64le();
    entry.terms.uses = r.u32le();
    for (std::uint32_t n = r.u32le(); n > 0 && r.ok(); --n) {
      std::string key = read_text(r);
      entry.terms.tags.push_back({std::move(key), read_text(r)});
    }
    for (std::uint32_t n = r.u32le(); n > 0 && r.ok(); --n) {
      const auto identity = crypto::IdentityPublic::from(r.take(crypto::kKeyBytes));
      ByteVector chain = to_vector(r.take(r.u32le()));
      if (identity) entry.redeemed.emplace(*identity, std::move(chain));
    }
    out.entries_.emplace(hash, std::move(entry));
  }
  return r.finished() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace ginnel::node
