#include "proto/swim/push_pull_wire.h"

#include "proto/swim/limits.h"

namespace ginnel::swim {
namespace {

constexpr std::array<std::string_view, 3> kHeaderFields{"Nodes", "UserStateLen", "Join"};
constexpr std::array<std::string_view, 7> kNodeFields{"Name",        "Addr",  "Port", "Meta",
                                                      "Incarnation", "State", "Vsn"};
constexpr std::array<std::string_view, 1> kUserFields{"UserMsgLen"};

Result<PushPullHeader, Drop> read_header(MsgpackReader& r) {
  PushPullHeader out;
  r.read_struct(kHeaderFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.nodes = r.number<std::uint64_t>(); break;
      case 1: out.user_state_bytes = r.number<std::uint64_t>(); break;
      default: out.join = r.boolean(); break;
    }
  });
  if (r.problem()) return Fail(*r.problem());
  if (out.nodes > kPushPullNodesMax) return Fail(Drop::kTooLarge);
  if (out.user_state_bytes > kStreamBytesMax) return Fail(Drop::kTooLarge);
  return out;
}

State state_of(MsgpackReader& r, bool& known) {
  const auto number = r.number<std::uint64_t>();
  known = number <= static_cast<std::uint64_t>(State::kLeft);
  return known ? static_cast<State>(number) : State::kAlive;
}

Result<NodeState, Drop> read_node(MsgpackReader& r) {
  NodeState out;
  bool state_known = true;
  r.read_struct(kNodeFields, [&](std::size_t field) {
    switch (field) {
      case 0: out.name = r.text(); break;
      case 1: out.endpoint.address = Address::from_wire(r.raw()); break;
      case 2: out.endpoint.port = r.number<std::uint16_t>(); break;
      case 3: out.meta = r.raw(); break;
      case 4: out.incarnation = Incarnation(r.number<std::uint32_t>()); break;
      case 5: out.state = state_of(r, state_known); break;
      default: out.vsn = Vsn::from_wire(r.raw()).value_or(kNoVsn); break;
    }
  });
  if (r.problem()) return Fail(*r.problem());
  if (!state_known) return Fail(Drop::kMalformed);
  if (out.name.size() > kNameBytesMax) return Fail(Drop::kTooLarge);
  if (out.meta.size() > kMetaBytesMax) return Fail(Drop::kTooLarge);
  return out;
}

Result<std::size_t, Drop> read_user_bytes(MsgpackReader& r) {
  std::size_t bytes = 0;
  r.read_struct(kUserFields, [&](std::size_t) { bytes = r.number<std::uint64_t>(); });
  if (r.problem()) return Fail(*r.problem());
  if (bytes > kStreamBytesMax) return Fail(Drop::kTooLarge);
  return bytes;
}

// A piece that is not complete: more bytes help, unless it is already larger than it may be.
Result<bool, Drop> incomplete(Drop problem, std::size_t bytes_so_far, std::size_t bytes_max) {
  if (problem != Drop::kTooShort) return Fail(problem);
  if (bytes_so_far > bytes_max) return Fail(Drop::kTooLarge);
  return false;
}

}  // namespace

void write(const PushPullHeader& header, ByteVector& out) {
  out.push_back(static_cast<std::byte>(MessageType::kPushPull));
  MsgpackWriter w(out);
  w.map(3).key("Join").boolean(header.join).key("Nodes").number(header.nodes);
  w.key("UserStateLen").number(header.user_state_bytes);
}

void write(const NodeState& state, ByteVector& out) {
  MsgpackWriter w(out);
  w.map(7).key("Addr").bytes(state.endpoint.address.wire());
  w.key("Incarnation").number(state.incarnation.value()).key("Meta").bytes(state.meta);
  w.key("Name").text(state.name).key("Port").number(state.endpoint.port);
  w.key("State").number(static_cast<std::uint64_t>(state.state)).key("Vsn");
  if (state.vsn == kNoVsn) w.bytes({});
  else w.bytes(state.vsn.wire());
}

void write_user(ConstBytes message, ByteVector& out) {
  out.push_back(static_cast<std::byte>(MessageType::kUser));
  MsgpackWriter(out).map(1).key("UserMsgLen").number(message.size());
  out.insert(out.end(), message.begin(), message.end());
}

Result<PushPullReader, Drop> PushPullReader::parse(ConstBytes body) {
  MsgpackReader r(body);
  const auto header = read_header(r);
  if (!header) return Fail(header.error());
  PushPullReader out(*header, r);
  for (std::size_t i = 0; i < header->nodes; ++i) {
    if (const auto node = read_node(r); !node) return Fail(node.error());
  }
  if (r.remaining() < header->user_state_bytes) return Fail(Drop::kTooShort);
  out.user_state_ = r.rest().first(header->user_state_bytes);
  return out;
}

std::optional<NodeState> PushPullReader::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  return *read_node(nodes_);
}

Result<ConstBytes, Drop> parse_user(ConstBytes body) {
  MsgpackReader r(body);
  const auto bytes = read_user_bytes(r);
  if (!bytes) return Fail(bytes.error());
  if (r.remaining() < *bytes) return Fail(Drop::kTooShort);
  return r.rest().first(*bytes);
}

Result<bool, Drop> MessageScanner::scan(ConstBytes message) {
  if (message.empty()) return false;
  if (at_ == 0) {
    if (const auto header = scan_header(message); !header || !*header) return header;
  }
  if (const auto nodes = scan_nodes(message); !nodes || !*nodes) return nodes;
  return message.size() - at_ >= tail_bytes_;
}

Result<bool, Drop> MessageScanner::scan_header(ConstBytes message) {
  MsgpackReader r(message.subspan(1));
  std::size_t header_bytes_max = kHeaderBytesMax;
  std::optional<Drop> problem;
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::kPushPull: {
      const auto header = read_header(r);
      if (!header) problem = header.error();
      else nodes_left_ = header->nodes, tail_bytes_ = header->user_state_bytes;
      break;
    }
    case MessageType::kUser: {
      const auto bytes = read_user_bytes(r);
      if (!bytes) problem = bytes.error();
      else tail_bytes_ = *bytes;
      break;
    }
    case MessageType::kCompress: header_bytes_max = kStreamBytesMax + kHeaderBytesMax; [[fallthrough]];
    case MessageType::kPing:
    case MessageType::kAck:
    case MessageType::kError:
      r.skip_value();
      problem = r.problem();
      break;
    default: return Fail(Drop::kUnknownType);
  }
  if (problem) return incomplete(*problem, message.size(), header_bytes_max);
  at_ = message.size() - r.remaining();
  return true;
}

Result<bool, Drop> MessageScanner::scan_nodes(ConstBytes message) {
  for (; nodes_left_ > 0; --nodes_left_) {
    MsgpackReader r(message.subspan(at_));
    if (const auto node = read_node(r); !node) {
      return incomplete(node.error(), message.size() - at_, kNodeStateBytesMax);
    }
    at_ = message.size() - r.remaining();
  }
  return true;
}

}  // namespace ginnel::swim
