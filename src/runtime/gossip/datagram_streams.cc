#include "runtime/gossip/datagram_streams.h"

#include "io/clock.h"
#include "proto/swim/limits.h"

namespace ginnel::gossip {
namespace {

constexpr std::size_t kInBytes = 64 << 10;
// Per turn of the loop, so that one fast connection does not keep the others waiting.
constexpr int kInReadsPerTurn = 16;
// A peer whose machine is gone says nothing: after so long without an acknowledgement of TCP's the
// connection breaks, and the next datagram dials anew.
constexpr Nanoseconds kUnacknowledgedMax = 10s;

}  // namespace

DatagramStreams::DatagramStreams(io::EventLoop& loop, std::uint16_t port, Handlers handlers)
    : loop_(loop),
      port_(port),
      handlers_(std::move(handlers)),
      alarm_(loop.add_alarm([this] { expire(); })),
      out_(swim::kDatagramBytesMax),
      in_(kInBytes) {}

DatagramStreams::~DatagramStreams() {
  for (const auto& [number, connection] : connections_) loop_.unwatch(connection->stream.fd());
  loop_.remove(alarm_);
}

// ---- out ----

void DatagramStreams::commit(const Transmit& transmit) {
  const ConstBytes datagram = ConstBytes(out_).first(transmit.size);
  const auto number = number_to(transmit.to);
  if (!number || !queue(*number, datagram)) {
    ++counts_.failed;
    return;
  }
  ++counts_.sent;
  counts_.sent_bytes += transmit.size;
}

std::optional<DatagramStreams::Number> DatagramStreams::number_to(const Endpoint& to) {
  const auto it = by_peer_.find(to);
  if (it != by_peer_.end()) return it->second;
  auto stream = io::TcpStream::dial(to);
  if (!stream) return std::nullopt;
  const auto number = add(*std::move(stream), true);
  if (!number) return std::nullopt;
  Connection& connection = *find(*number);
  know(*number, connection, to);
  write_datagram_hello(port_, connection.pending);
  return number;
}

std::optional<DatagramStreams::Number> DatagramStreams::add(io::TcpStream stream, bool dialled) {
  auto& deadlines = deadlines_of(dialled);
  if (deadlines.size() >= kConnectionsMax) close(*deadlines.take_expired(*deadlines.next()));
  stream.give_up_after(kUnacknowledgedMax);
  const Number number = ++numbers_;
  const auto watched = loop_.watch(stream.fd(), {.read = true, .write = dialled},
                                   [this, number](io::Ready ready) { handle(number, ready); });
  if (!watched) return std::nullopt;
  connections_.emplace(number, std::make_unique<Connection>(std::move(stream), dialled));
  deadlines.set(number, io::now() + kOpenTime);
  set_alarm();
  return number;
}

// False: there is no room, or the connection is gone.
bool DatagramStreams::queue(Number number, ConstBytes datagram) {
  Connection& connection = *find(number);
  const std::size_t waiting = connection.pending.size() - connection.sent;
  if (waiting + kFrameHeaderBytes + datagram.size() > kPendingBytesMax) return false;
  auto& pending = connection.pending;
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(connection.sent));
  connection.sent = 0;
  write_framed(datagram, pending);
  keep(number, connection);
  if (send_pending(connection)) return true;
  close(number);
  return false;
}

// False: broken.
bool DatagramStreams::send_pending(Connection& connection) {
  using Status = io::TcpStream::Status;
  while (connection.sent < connection.pending.size()) {
    const auto done =
        connection.stream.write(ConstBytes(connection.pending).subspan(connection.sent));
    if (done.status == Status::kFailed || done.status == Status::kEnd) return false;
    if (done.status == Status::kWait) break;
    connection.sent += done.size;
    connection.open = true;
  }
  const bool all = connection.sent == connection.pending.size();
  if (all) ByteVector().swap(connection.pending);
  if (all) connection.sent = 0;
  loop_.set_interest(connection.stream.fd(), {.read = true, .write = !all});
  return true;
}

// ---- in ----

void DatagramStreams::accepted(io::TcpStream stream) { (void)add(std::move(stream), false); }

void DatagramStreams::handle(Number number, io::Ready ready) {
  Connection* connection = find(number);
  if (connection == nullptr) return;
  if (ready.write && !send_pending(*connection)) return close(number);
  if (ready.read) read(number);
}

void DatagramStreams::read(Number number) {
  using Status = io::TcpStream::Status;
  for (int turn = 0; turn < kInReadsPerTurn; ++turn) {
    Connection* connection = find(number);  // a handler may have closed it
    if (connection == nullptr) return;
    const auto done = connection->stream.read(in_);
    if (done.status == Status::kWait) return;
    if (done.status != Status::kOk) return close(number);
    const ConstBytes bytes = ConstBytes(in_).first(done.size);
    const bool first = !connection->dialled && !std::exchange(connection->begun, true);
    if (first && std::to_integer<std::uint8_t>(bytes[0]) != kDatagramStreamByte) {
      return hand_over(number, bytes);
    }
    take(number, bytes);
  }
}

void DatagramStreams::hand_over(Number number, ConstBytes bytes) {
  const auto it = connections_.find(number);
  io::TcpStream stream = std::move(it->second->stream);
  loop_.unwatch(stream.fd());
  accepted_.stop(number);
  connections_.erase(it);
  handlers_.on_stream(std::move(stream), bytes);
}

void DatagramStreams::take(Number number, ConstBytes bytes) {
  find(number)->reader.feed(bytes);
  while (Connection* connection = find(number)) {
    const auto datagram = connection->reader.next();
    if (connection->reader.refused()) return close(number);
    if (!connection->peer && connection->reader.port()) know_dialler(number, *connection);
    if (!datagram) return;
    ++counts_.received;
    counts_.received_bytes += datagram->size();
    keep(number, *connection);
    const Endpoint from = *connection->peer;  // a copy: the handler may close the connection
    handlers_.on_datagram(from, *datagram);
  }
}

void DatagramStreams::know_dialler(Number number, Connection& connection) {
  connection.open = true;
  const Endpoint claimed{connection.stream.peer().address, *connection.reader.port()};
  know(number, connection, by_peer_.contains(claimed) ? connection.stream.peer() : claimed);
}

// ---- life ----

DatagramStreams::Connection* DatagramStreams::find(Number number) {
  const auto it = connections_.find(number);
  return it == connections_.end() ? nullptr : it->second.get();
}

void DatagramStreams::know(Number number, Connection& connection, const Endpoint& peer) {
  connection.peer = peer;
  by_peer_.emplace(peer, number);
}

// It was used, so it stays.
void DatagramStreams::keep(Number number, const Connection& connection) {
  if (!connection.open) return;
  deadlines_of(connection.dialled)
      .set(number, io::now() + (connection.dialled ? kIdleTime : kAcceptedIdleTime));
  set_alarm();
}

void DatagramStreams::close(Number number) {
  const auto it = connections_.find(number);
  if (it == connections_.end()) return;
  const Connection& connection = *it->second;
  const auto known = connection.peer ? by_peer_.find(*connection.peer) : by_peer_.end();
  if (known != by_peer_.end() && known->second == number) by_peer_.erase(known);
  deadlines_of(connection.dialled).stop(number);
  loop_.unwatch(connection.stream.fd());
  connections_.erase(it);
}

void DatagramStreams::set_alarm() { loop_.set(alarm_, earlier(dialled_.next(), accepted_.next())); }

void DatagramStreams::expire() {
  const Instant now = io::now();
  while (const auto number = dialled_.take_expired(now)) close(*number);
  while (const auto number = accepted_.take_expired(now)) close(*number);
  set_alarm();
}

}  // namespace ginnel::gossip
