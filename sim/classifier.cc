#include "sim/classifier.h"

#include <algorithm>

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"
#include "sim/machine.h"

namespace ginnel::sim {
namespace {

// Question and answer: which question it is, then where the answer is to come from (a question) or
// whom the server saw (an answer).
enum class From : std::uint8_t { kSame, kOtherPort, kOtherAddress };

constexpr PathId kOtherPortPath{1};
constexpr PathId kFreshPath{10};  // and up: one socket per filtering question
constexpr Nanoseconds kPause = 300ms;

ByteVector question_bytes(std::uint8_t number, From from) {
  return {std::byte{number}, static_cast<std::byte>(from)};
}

ByteVector answer_bytes(std::uint8_t number, const Endpoint& seen) {
  ByteVector out(19);
  Writer(out).u8(number).array(seen.address.bytes).u16be(seen.port);
  return out;
}

}  // namespace

void ObservingServer::start(const Clock& clock, Machine& machine) {
  LetterHost::start(clock, machine);
  GINNEL_ASSERT(machine.bind(kOtherPortPath, kOtherPort).has_value());
}

void ObservingServer::handle_datagram(const Clock&, const Arrival& arrival, Bytes bytes) {
  if (bytes.size() != 2) return;
  const auto number = std::to_integer<std::uint8_t>(bytes[0]);
  const auto from = static_cast<From>(bytes[1]);
  Letter answer{.to = arrival.from,
                .bytes = answer_bytes(number, arrival.from),
                .path = arrival.path,
                .source = arrival.local.address};
  if (from != From::kSame) answer.path = arrival.path == kSocket ? kOtherPortPath : kSocket;
  if (from == From::kOtherAddress) {
    for (const Address& mine : machine().addresses()) {
      if (mine != arrival.local.address) answer.source = mine;
    }
  }
  send(std::move(answer));
}

void Classifier::start(const Clock& clock, Machine& machine) {
  LetterHost::start(clock, machine);
  for (const Question fresh : {Question::kFromPort, Question::kFromAddress, Question::kHairpin}) {
    const PathId path{kFreshPath.value() + static_cast<std::uint32_t>(fresh)};
    GINNEL_ASSERT(machine.bind(path, Machine::kAnyPort).has_value());
  }
  local_ = machine.addresses().front();
  next_ = clock.now;
}

void Classifier::ask(Question question) {
  const auto number = static_cast<std::uint8_t>(question);
  Letter letter{.to = {server_[0], ObservingServer::kPort},
                .bytes = question_bytes(number, From::kSame)};
  if (question >= Question::kFromPort) letter.path = PathId{kFreshPath.value() + number};
  switch (question) {
    case Question::kOtherPort:
      letter.to.port = ObservingServer::kOtherPort;
      break;
    case Question::kOtherAddress:
      letter.to.address = server_[1];
      break;
    case Question::kFromPort:
      letter.bytes = question_bytes(number, From::kOtherPort);
      break;
    case Question::kFromAddress:
      letter.bytes = question_bytes(number, From::kOtherAddress);
      break;
    case Question::kHairpin: {
      const auto outside = seen_.find(static_cast<std::uint8_t>(Question::kSame));
      if (outside == seen_.end()) return;
      letter.to = outside->second;
      letter.bytes = answer_bytes(number, outside->second);
      break;
    }
    default:
      break;
  }
  send(std::move(letter));
}

void Classifier::handle_timeout(const Clock& clock) {
  ask(static_cast<Question>(step_));
  next_ = clock.now + kPause;
  if (++step_ == static_cast<std::uint8_t>(Question::kCount)) next_.reset();
}

void Classifier::handle_datagram(const Clock&, const Arrival&, Bytes bytes) {
  Reader r(bytes);
  const std::uint8_t number = r.u8();
  Endpoint seen{{r.array<16>()}, 0};
  seen.port = r.u16be();
  if (r.finished()) seen_.emplace(number, seen);
}

Classifier::Result Classifier::result() const {
  Result out;
  const auto seen = [this](Question q) -> std::optional<Endpoint> {
    const auto it = seen_.find(static_cast<std::uint8_t>(q));
    return it == seen_.end() ? std::nullopt : std::optional(it->second);
  };
  const auto first = seen(Question::kSame);
  const auto port = seen(Question::kOtherPort);
  const auto address = seen(Question::kOtherAddress);
  if (!first || !port || !address) return out;
  out.udp = true;
  out.translated = first->address != local_;
  out.preserves_port = first->port == kPort;
  out.ports = {first->port, port->port, address->port};
  if (out.translated) {
    out.mapping = *first == *address ? Mapping::kEndpointIndependent
                  : *first == *port  ? Mapping::kAddressDependent
                                     : Mapping::kAddressAndPortDependent;
  }
  out.filtering = seen(Question::kFromAddress) ? Filtering::kEndpointIndependent
                  : seen(Question::kFromPort)  ? Filtering::kAddressDependent
                                               : Filtering::kAddressAndPortDependent;
  out.hairpin = out.translated && seen(Question::kHairpin).has_value();
  return out;
}

}  // namespace ginnel::sim
