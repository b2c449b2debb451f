#include "proto/swim/serf/wire.h"

#include "proto/swim/limits.h"
#include "proto/swim/msgpack.h"

namespace ginnel::swim::serf {
namespace {

// In the order of Go's structs, which is that of the array form.
constexpr std::array<std::string_view, 2> kJoinFields{"LTime", "Node"};
constexpr std::array<std::string_view, 3> kLeaveFields{"LTime", "Node", "Prune"};
constexpr std::array<std::string_view, 4> kEventFields{"LTime", "Name", "Payload", "CC"};
constexpr std::array<std::string_view, 11> kQueryFields{
    "LTime", "ID",          "Addr",    "Port", "SourceNode", "Filters",
    "Flags", "RelayFactor", "Timeout", "Name", "Payload"};
constexpr std::array<std::string_view, 5> kResponseFields{"LTime", "ID", "From", "Flags",
                                                          "Payload"};
constexpr std::array<std::string_view, 2> kRelayFields{"DestAddr", "DestName"};
constexpr std::array<std::string_view, 3> kUdpAddrFields{"IP", "Port", "Zone"};
constexpr std::array<std::string_view, 1> kKeyFields{"Key"};
constexpr std::array<std::string_view, 4> kKeyResponseFields{"Result", "Message", "Keys",
                                                             "PrimaryKey"};

template <class Message>
Result<Message, Drop> finished(const MsgpackReader& r, Message message) {
  if (r.problem()) return Fail(*r.problem());
  return message;
}

Ltime read_ltime(MsgpackReader& r, std::optional<Drop>& problem) {
  const auto value = r.number<Ltime>();
  if (value > kLtimeMax) problem = Drop::kMalformed;
  return value;
}

// Go's time.Duration: nanoseconds. What is longer than an hour waits an hour.
Nanoseconds read_timeout(MsgpackReader& r) {
  constexpr auto kMost = static_cast<std::uint64_t>(Nanoseconds(1h).count());
  return Nanoseconds(static_cast<std::int64_t>(std::min(r.number<std::uint64_t>(), kMost)));
}

std::string_view read_name(MsgpackReader& r, std::optional<Drop>& problem) {
  const std::string_view name = r.text();
  if (name.size() > kNameBytesMax) problem = Drop::kTooLarge;
  return name;
}

MsgpackWriter begin(Type type, std::size_t fields, ByteVector& out) {
  out.push_back(static_cast<std::byte>(type));
  MsgpackWriter writer(out);
  writer.map(fields);
  return writer;
}

ConstBytes wire_of(const Address& address) { return address.wire(); }

}  // namespace

Result<JoinIntent, Drop> JoinIntent::parse(ConstBytes body) {
  MsgpackReader r(body);
  JoinIntent out;
  std::optional<Drop> problem;
  r.read_struct(kJoinFields, [&](std::size_t field) {
    if (field == 0) out.ltime = read_ltime(r, problem);
    else out.node = read_name(r, problem);
  });
  if (problem) return Fail(*problem);
  return finished(r, out);
}

Result<LeaveIntent, Drop> LeaveIntent::parse(ConstBytes body) {
  MsgpackReader r(body);
  LeaveIntent out;
  std::optional<Drop> problem;
  r.read_struct(kLeaveFields, [&](std::size_t field) {
    if (field == 0) out.ltime = read_ltime(r, problem);
    else if (field == 1) out.node = read_name(r, problem);
    else out.prune = r.boolean();
  });
  if (problem) return Fail(*problem);
  return finished(r, out);
}

Result<UserEvent, Drop> UserEvent::parse(ConstBytes body) {
  MsgpackReader r(body);
  UserEvent out;
  out.coalesce = false;  // "CC: zero value is compatible with Serf 0.1"
  std::optional<Drop> problem;
  r.read_struct(kEventFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.ltime = read_ltime(r, problem); break;
      case 1: out.name = r.text(); break;
      case 2: out.payload = r.raw(); break;
      default: out.coalesce = r.boolean();
    }
  });
  if (problem) return Fail(*problem);
  return finished(r, out);
}

Result<Query, Drop> Query::parse(ConstBytes body) {
  MsgpackReader r(body);
  Query out;
  std::optional<Drop> problem;
  const auto read_filters = [&] {
    const std::size_t count = r.array_size();
    if (count > kFiltersMax) problem = Drop::kTooLarge;
    for (std::size_t i = 0; i < count && !problem && !r.problem(); ++i) {
      out.filters.push_back(r.raw());
    }
  };
  r.read_struct(kQueryFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.ltime = read_ltime(r, problem); break;
      case 1: out.id = r.number<std::uint32_t>(); break;
      case 2: out.source.address = Address::from_wire(r.raw()); break;
      case 3: out.source.port = r.number<std::uint16_t>(); break;
      case 4: out.source_node = read_name(r, problem); break;
      case 5: read_filters(); break;
      case 6: out.flags = r.number<std::uint32_t>(); break;
      case 7: out.relay_factor = r.number<std::uint8_t>(); break;
      case 8: out.timeout = read_timeout(r); break;
      case 9: out.name = r.text(); break;
      default: out.payload = r.raw();
    }
  });
  if (problem) return Fail(*problem);
  return finished(r, out);
}

Result<QueryResponse, Drop> QueryResponse::parse(ConstBytes body) {
  MsgpackReader r(body);
  QueryResponse out;
  std::optional<Drop> problem;
  r.read_struct(kResponseFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.ltime = read_ltime(r, problem); break;
      case 1: out.id = r.number<std::uint32_t>(); break;
      case 2: out.from = read_name(r, problem); break;
      case 3: out.flags = r.number<std::uint32_t>(); break;
      default: out.payload = r.raw();
    }
  });
  if (problem) return Fail(*problem);
  return finished(r, out);
}

Result<Relay, Drop> Relay::parse(ConstBytes body) {
  MsgpackReader r(body);
  Relay out;
  r.read_struct(kRelayFields, [&](std::size_t field) {
    if (field != 0) return r.skip_value();
    r.read_struct(kUdpAddrFields, [&](std::size_t part) {
      if (part == 0) out.to.address = Address::from_wire(r.raw());
      else if (part == 1) out.to.port = r.number<std::uint16_t>();
      else r.skip_value();
    });
  });
  if (r.problem()) return Fail(*r.problem());
  out.message = r.rest();
  if (out.message.empty()) return Fail(Drop::kEmpty);
  if (out.to.address.is_unspecified() || out.to.port == 0) return Fail(Drop::kBadAddress);
  return out;
}

Result<KeyRequest, Drop> KeyRequest::parse(ConstBytes body) {
  MsgpackReader r(body);
  KeyRequest out;
  r.read_struct(kKeyFields, [&](std::size_t) { out.key = r.raw(); });
  return finished(r, out);
}

Result<KeyResponse, Drop> KeyResponse::parse(ConstBytes body) {
  MsgpackReader r(body);
  KeyResponse out;
  const auto read_keys = [&] {
    const std::size_t count = r.array_size();  // each takes a byte at least: the input bounds it
    for (std::size_t i = 0; i < count && !r.problem(); ++i) out.keys.emplace_back(r.text());
  };
  r.read_struct(kKeyResponseFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.result = r.boolean(); break;
      case 1: out.message = r.text(); break;
      case 2: read_keys(); break;
      default: out.primary_key = r.text();
    }
  });
  return finished(r, std::move(out));
}

// Fields stand in bytewise order of their names, as go-msgpack writes them.

void write(const JoinIntent& message, ByteVector& out) {
  begin(Type::kJoin, 2, out).key("LTime").number(message.ltime).key("Node").text(message.node);
}

void write(const LeaveIntent& message, ByteVector& out) {
  begin(Type::kLeave, 3, out)
      .key("LTime").number(message.ltime)
      .key("Node").text(message.node)
      .key("Prune").boolean(message.prune);
}

void write(const UserEvent& message, ByteVector& out) {
  begin(Type::kUserEvent, 4, out)
      .key("CC").boolean(message.coalesce)
      .key("LTime").number(message.ltime)
      .key("Name").text(message.name)
      .key("Payload").bytes(message.payload);
}

void write(const Query& message, ByteVector& out) {
  MsgpackWriter w = begin(Type::kQuery, 11, out);
  w.key("Addr").bytes(wire_of(message.source.address));
  w.key("Filters").array(message.filters.size());
  for (const ConstBytes filter : message.filters) w.bytes(filter);
  w.key("Flags").number(message.flags);
  w.key("ID").number(message.id);
  w.key("LTime").number(message.ltime);
  w.key("Name").text(message.name);
  w.key("Payload").bytes(message.payload);
  w.key("Port").number(message.source.port);
  w.key("RelayFactor").number(message.relay_factor);
  w.key("SourceNode").text(message.source_node);
  w.key("Timeout").number(static_cast<std::uint64_t>(message.timeout.count()));
}

void write(const QueryResponse& message, ByteVector& out) {
  begin(Type::kQueryResponse, 5, out)
      .key("Flags").number(message.flags)
      .key("From").text(message.from)
      .key("ID").number(message.id)
      .key("LTime").number(message.ltime)
      .key("Payload").bytes(message.payload);
}

void write(const Relay& message, ByteVector& out) {
  MsgpackWriter w = begin(Type::kRelay, 2, out);
  w.key("DestAddr").map(3);
  w.key("IP").bytes(wire_of(message.to.address));
  w.key("Port").number(message.to.port);
  w.key("Zone").text("");
  w.key("DestName").text("");
  out.insert(out.end(), message.message.begin(), message.message.end());
}

void write(const KeyRequest& message, ByteVector& out) {
  begin(Type::kKeyRequest, 1, out).key("Key").bytes(message.key);
}

void write(const KeyResponse& message, ByteVector& out) {
  MsgpackWriter w = begin(Type::kKeyResponse, 4, out);
  w.key("Keys").array(message.keys.size());
  for (const std::string& key : message.keys) w.text(key);
  w.key("Message").text(message.message);
  w.key("PrimaryKey").text(message.primary_key);
  w.key("Result").boolean(message.result);
}

void write(const ConflictResponse& message, ByteVector& out) {
  constexpr std::uint64_t kStatusAlive = 1;  // serf's MemberStatus
  MsgpackWriter w = begin(Type::kConflictResponse, 11, out);
  w.key("Addr").bytes(wire_of(message.endpoint.address));
  w.key("DelegateCur").number(message.vsn.d_cur);
  w.key("DelegateMax").number(message.vsn.d_max);
  w.key("DelegateMin").number(message.vsn.d_min);
  w.key("Name").text(message.name);
  w.key("Port").number(message.endpoint.port);
  w.key("ProtocolCur").number(message.vsn.p_cur);
  w.key("ProtocolMax").number(message.vsn.p_max);
  w.key("ProtocolMin").number(message.vsn.p_min);
  w.key("Status").number(kStatusAlive);
  w.key("Tags").map(message.tags.size());
  for (const auto& [key, value] : message.tags) w.text(key).text(value);
}

}  // namespace ginnel::swim::serf
