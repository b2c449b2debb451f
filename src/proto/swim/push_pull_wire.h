// What only streams carry: the whole state of a member (push/pull), and user messages with a length.
//
//    06 | {Join, Nodes, UserStateLen} | Nodes x {Addr, Incarnation, Meta, Name, Port, State, Vsn} | raw
//    08 | {UserMsgLen}                | raw
//
//   ByteVector out;
//   write(PushPullHeader{.join = true, .nodes = 2, .user_state_bytes = 0}, out);
//   write(NodeState{...}, out);  write(NodeState{...}, out);
//
//   auto reader = PushPullReader::parse(body);
//   while (auto node = reader->next()) ...
//
// Borrows from the message; a reader never allocates, whatever number of nodes is announced.
#pragma once
#include "proto/swim/msgpack.h"
#include "proto/swim/wire.h"

namespace ginnel::swim {

// In the order of their numbers on the wire.
enum class State : std::uint8_t { kAlive = 0, kSuspect = 1, kDead = 2, kLeft = 3 };

struct PushPullHeader {
  bool join = false;
  std::size_t nodes = 0;
  std::size_t user_state_bytes = 0;
};

struct NodeState {
  std::string_view name;
  Endpoint endpoint;  // unspecified address: neither 4 nor 16 bytes came
  ConstBytes meta;
  Incarnation incarnation;
  State state = State::kAlive;
  Vsn vsn = kNoVsn;
};

void write(const PushPullHeader& header, ByteVector& out);  // with the type byte
void write(const NodeState& state, ByteVector& out);
void write_user(ConstBytes message, ByteVector& out);  // the whole message for a stream

class PushPullReader {
 public:
  // Checks the whole body before anything of it is used, so next() never fails.
  // Errors: kTooShort, kMalformed, kTooLarge (more nodes or bytes than limits.h allows).
  static Result<PushPullReader, Drop> parse(ConstBytes body);

  const PushPullHeader& header() const { return header_; }
  std::optional<NodeState> next();
  ConstBytes user_state() const { return user_state_; }

 private:
  PushPullReader(const PushPullHeader& header, const MsgpackReader& nodes)
      : header_(header), nodes_(nodes), left_(header.nodes) {}

  PushPullHeader header_;
  MsgpackReader nodes_;
  std::size_t left_;
  ConstBytes user_state_;
};

// The raw bytes of a user message on a stream. Errors: kTooShort, kMalformed, kTooLarge.
Result<ConstBytes, Drop> parse_user(ConstBytes body);

// Finds out, as a stream's bytes come in, when a message is complete. It does no work twice.
class MessageScanner {
 public:
  // `message`: all that has come of it, type byte first. True: complete.
  // Errors: kMalformed, kTooLarge, kEmpty, kUnknownType (nothing that a stream carries).
  Result<bool, Drop> scan(ConstBytes message);

 private:
  Result<bool, Drop> scan_header(ConstBytes message);
  Result<bool, Drop> scan_nodes(ConstBytes message);

  std::size_t at_ = 0;  // everything before it was read
  std::size_t nodes_left_ = 0;
  std::size_t tail_bytes_ = 0;
};

}  // namespace ginnel::swim
