#include "proto/swim/wire.h"

#include "proto/swim/limits.h"
#include "proto/swim/msgpack.h"

namespace ginnel::swim {
namespace {

// Field names in the order of Go's structs, which only the array form of a message depends on.
constexpr std::array<std::string_view, 5> kPingFields{"SeqNo", "Node", "SourceAddr", "SourcePort",
                                                      "SourceNode"};
constexpr std::array<std::string_view, 8> kIndirectPingFields{
    "SeqNo", "Target", "Port", "Node", "Nack", "SourceAddr", "SourcePort", "SourceNode"};
constexpr std::array<std::string_view, 2> kAckFields{"SeqNo", "Payload"};
constexpr std::array<std::string_view, 1> kNackFields{"SeqNo"};
constexpr std::array<std::string_view, 1> kErrorFields{"Error"};
constexpr std::array<std::string_view, 3> kSuspectFields{"Incarnation", "Node", "From"};
constexpr std::array<std::string_view, 6> kAliveFields{"Incarnation", "Node", "Addr",
                                                       "Port",        "Meta", "Vsn"};

std::string_view name(MsgpackReader& r) { return r.text().substr(0, kNameBytesMax + 1); }
// A member that announced none is passed on with none: six zeros would make others refuse it.
void write_vsn(const Vsn& vsn, MsgpackWriter& w) {
  w.key("Vsn");
  if (vsn == kNoVsn) w.bytes({});
  else w.bytes(vsn.wire());
}

Address address(MsgpackReader& r) { return Address::from_wire(r.raw()); }

// The problem of the map itself, or a name that is too long to keep.
template <class Message, class... Names>
Result<Message, Drop> finish(const MsgpackReader& r, const Message& message, Names... names) {
  if (r.problem()) return Fail(*r.problem());
  if (((names.size() > kNameBytesMax) || ...)) return Fail(Drop::kTooLarge);
  return message;
}

MsgpackWriter start(MessageType type, std::size_t fields, ByteVector& out) {
  out.push_back(static_cast<std::byte>(type));
  MsgpackWriter w(out);
  w.map(fields);
  return w;
}

// Go's omitempty: each of the three is left out by itself when it has no value.
struct SourceFields {
  const Endpoint& source;
  std::string_view node;

  bool has_address() const { return !source.address.is_unspecified(); }
  std::size_t count() const {
    return std::size_t{has_address()} + std::size_t{!node.empty()} + std::size_t{source.port != 0};
  }
  void write(MsgpackWriter& w) const {
    if (has_address()) w.key("SourceAddr").bytes(source.address.wire());
    if (!node.empty()) w.key("SourceNode").text(node);
    if (source.port != 0) w.key("SourcePort").number(source.port);
  }
};

}  // namespace

Result<Ping, Drop> Ping::parse(ConstBytes body) {
  MsgpackReader r(body);
  Ping out;
  r.read_struct(kPingFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.seq = SequenceNumber(r.number<std::uint32_t>()); break;
      case 1: out.node = name(r); break;
      case 2: out.source.address = address(r); break;
      case 3: out.source.port = r.number<std::uint16_t>(); break;
      default: out.source_node = name(r); break;
    }
  });
  return finish(r, out, out.node, out.source_node);
}

Result<IndirectPing, Drop> IndirectPing::parse(ConstBytes body) {
  MsgpackReader r(body);
  IndirectPing out;
  r.read_struct(kIndirectPingFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.seq = SequenceNumber(r.number<std::uint32_t>()); break;
      case 1: out.target.address = address(r); break;
      case 2: out.target.port = r.number<std::uint16_t>(); break;
      case 3: out.node = name(r); break;
      case 4: out.nack = r.boolean(); break;
      case 5: out.source.address = address(r); break;
      case 6: out.source.port = r.number<std::uint16_t>(); break;
      default: out.source_node = name(r); break;
    }
  });
  return finish(r, out, out.node, out.source_node);
}

Result<Ack, Drop> Ack::parse(ConstBytes body) {
  MsgpackReader r(body);
  Ack out;
  r.read_struct(kAckFields, [&](std::size_t field) {
    if (field == 0) out.seq = SequenceNumber(r.number<std::uint32_t>());
    else out.payload = r.raw();
  });
  return finish(r, out);
}

Result<Nack, Drop> Nack::parse(ConstBytes body) {
  MsgpackReader r(body);
  Nack out;
  r.read_struct(kNackFields,
                [&](std::size_t) { out.seq = SequenceNumber(r.number<std::uint32_t>()); });
  return finish(r, out);
}

Result<ErrorReply, Drop> ErrorReply::parse(ConstBytes body) {
  MsgpackReader r(body);
  ErrorReply out;
  r.read_struct(kErrorFields, [&](std::size_t) { out.text = r.text(); });
  return finish(r, out);
}

Result<Suspect, Drop> Suspect::parse(ConstBytes body) {
  MsgpackReader r(body);
  Suspect out;
  r.read_struct(kSuspectFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.incarnation = Incarnation(r.number<std::uint32_t>()); break;
      case 1: out.node = name(r); break;
      default: out.from = name(r); break;
    }
  });
  return finish(r, out, out.node, out.from);
}

// A dead has a suspect's fields.
Result<Dead, Drop> Dead::parse(ConstBytes body) {
  const auto same = Suspect::parse(body);
  if (!same) return Fail(same.error());
  return Dead{same->incarnation, same->node, same->from};
}

Result<Alive, Drop> Alive::parse(ConstBytes body) {
  MsgpackReader r(body);
  Alive out;
  r.read_struct(kAliveFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.incarnation = Incarnation(r.number<std::uint32_t>()); break;
      case 1: out.node = name(r); break;
      case 2: out.endpoint.address = address(r); break;
      case 3: out.endpoint.port = r.number<std::uint16_t>(); break;
      case 4: out.meta = r.raw(); break;
      default: out.vsn = Vsn::from_wire(r.raw()).value_or(kNoVsn); break;
    }
  });
  if (out.meta.size() > kMetaBytesMax) return Fail(Drop::kTooLarge);
  return finish(r, out, out.node);
}

void write(const Ping& message, ByteVector& out) {
  const SourceFields source{message.source, message.source_node};
  MsgpackWriter w = start(MessageType::kPing, 2 + source.count(), out);
  w.key("Node").text(message.node).key("SeqNo").number(message.seq.value());
  source.write(w);
}

void write(const IndirectPing& message, ByteVector& out) {
  const SourceFields source{message.source, message.source_node};
  MsgpackWriter w = start(MessageType::kIndirectPing, 5 + source.count(), out);
  w.key("Nack").boolean(message.nack).key("Node").text(message.node);
  w.key("Port").number(message.target.port).key("SeqNo").number(message.seq.value());
  source.write(w);
  w.key("Target").bytes(message.target.address.wire());
}

void write(const Ack& message, ByteVector& out) {
  MsgpackWriter w = start(MessageType::kAck, 2, out);
  w.key("Payload").bytes(message.payload).key("SeqNo").number(message.seq.value());
}

void write(const Nack& message, ByteVector& out) {
  start(MessageType::kNack, 1, out).key("SeqNo").number(message.seq.value());
}

void write(const ErrorReply& message, ByteVector& out) {
  start(MessageType::kError, 1, out).key("Error").text(message.text);
}

void write(const Suspect& message, ByteVector& out) {
  MsgpackWriter w = start(MessageType::kSuspect, 3, out);
  w.key("From").text(message.from).key("Incarnation").number(message.incarnation.value());
  w.key("Node").text(message.node);
}

void write(const Dead& message, ByteVector& out) {
  MsgpackWriter w = start(MessageType::kDead, 3, out);
  w.key("From").text(message.from).key("Incarnation").number(message.incarnation.value());
  w.key("Node").text(message.node);
}

void write(const Alive& message, ByteVector& out) {
  MsgpackWriter w = start(MessageType::kAlive, 6, out);
  w.key("Addr").bytes(message.endpoint.address.wire());
  w.key("Incarnation").number(message.incarnation.value()).key("Meta").bytes(message.meta);
  w.key("Node").text(message.node).key("Port").number(message.endpoint.port);
  write_vsn(message.vsn, w);
}

}  // namespace ginnel::swim
