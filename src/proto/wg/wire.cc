#include "proto/wg/wire.h"

#include <optional>

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::wg {
namespace {

// The first byte is the type and three reserved zero bytes follow: one little-endian word.
constexpr std::uint32_t word_of(MessageType type) { return static_cast<std::uint32_t>(type); }

bool size_fits(MessageType type, std::size_t size) {
  switch (type) {
    case MessageType::kInitiation:
      return size == kInitiationBytes;
    case MessageType::kResponse:
      return size == kResponseBytes;
    case MessageType::kCookieReply:
      return size == kCookieReplyBytes;
    case MessageType::kData:
      return size >= kDataOverheadBytes;
  }
  return false;
}

std::optional<Drop> unless_it_is(MessageType expected, ConstBytes bytes) {
  const auto type = message_type(bytes);
  if (!type) return type.error();
  if (*type != expected) return Drop::kUnknownType;
  return std::nullopt;
}

template <std::size_t N>
void take_into(Reader& reader, std::span<std::byte, N> out) {
  std::ranges::copy(reader.take(N), out.begin());
}

std::size_t size_if_ok(const Writer& writer) { return writer.ok() ? writer.size() : 0; }

}  // namespace

Result<MessageType, Drop> message_type(ConstBytes datagram) {
  Reader reader(datagram);
  const std::uint32_t word = reader.u32le();
  if (!reader.ok() || word < word_of(MessageType::kInitiation) ||
      word > word_of(MessageType::kData)) {
    return Fail(Drop::kUnknownType);
  }
  const auto type = static_cast<MessageType>(word);
  if (!size_fits(type, datagram.size())) return Fail(Drop::kWrongSize);
  return type;
}

Result<Initiation, Drop> Initiation::parse(ConstBytes bytes) {
  if (const auto why = unless_it_is(MessageType::kInitiation, bytes)) return Fail(*why);
  Reader reader(bytes.subspan(sizeof(std::uint32_t)));
  Initiation out;
  out.sender = ReceiverIndex(reader.u32le());
  take_into(reader, out.ephemeral.writable());
  take_into(reader, std::span(out.sealed_static));
  take_into(reader, std::span(out.sealed_timestamp));
  return out;
}

std::size_t Initiation::write(Bytes out) const {
  Writer writer(out);
  writer.u32le(word_of(MessageType::kInitiation)).u32le(sender.value()).put(ephemeral.bytes());
  writer.put(sealed_static).put(sealed_timestamp).zeros(kMacsBytes);
  return size_if_ok(writer);
}

Result<Response, Drop> Response::parse(ConstBytes bytes) {
  if (const auto why = unless_it_is(MessageType::kResponse, bytes)) return Fail(*why);
  Reader reader(bytes.subspan(sizeof(std::uint32_t)));
  Response out;
  out.sender = ReceiverIndex(reader.u32le());
  out.receiver = ReceiverIndex(reader.u32le());
  take_into(reader, out.ephemeral.writable());
  take_into(reader, std::span(out.sealed_empty));
  return out;
}

std::size_t Response::write(Bytes out) const {
  Writer writer(out);
  writer.u32le(word_of(MessageType::kResponse)).u32le(sender.value()).u32le(receiver.value());
  writer.put(ephemeral.bytes()).put(sealed_empty).zeros(kMacsBytes);
  return size_if_ok(writer);
}

Result<CookieReply, Drop> CookieReply::parse(ConstBytes bytes) {
  if (const auto why = unless_it_is(MessageType::kCookieReply, bytes)) return Fail(*why);
  Reader reader(bytes.subspan(sizeof(std::uint32_t)));
  CookieReply out;
  out.receiver = ReceiverIndex(reader.u32le());
  out.nonce = reader.array<crypto::kXNonceBytes>();
  take_into(reader, std::span(out.sealed_cookie));
  return out;
}

std::size_t CookieReply::write(Bytes out) const {
  Writer writer(out);
  writer.u32le(word_of(MessageType::kCookieReply)).u32le(receiver.value());
  writer.array(nonce).put(sealed_cookie);
  return size_if_ok(writer);
}

Result<DataHeader, Drop> DataHeader::parse(ConstBytes bytes) {
  if (const auto why = unless_it_is(MessageType::kData, bytes)) return Fail(*why);
  Reader reader(bytes.subspan(sizeof(std::uint32_t)));
  DataHeader out;
  out.receiver = ReceiverIndex(reader.u32le());
  out.counter = reader.u64le();
  return out;
}

std::size_t DataHeader::write(Bytes out) const {
  Writer writer(out);
  writer.u32le(word_of(MessageType::kData)).u32le(receiver.value()).u64le(counter);
  return size_if_ok(writer);
}

}  // namespace ginnel::wg
