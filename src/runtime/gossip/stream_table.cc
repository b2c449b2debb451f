#include "runtime/gossip/stream_table.h"

#include "io/clock.h"

namespace ginnel::gossip {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
// Per turn of the loop, so that one fast stream does not keep the others waiting.
constexpr int kReadsPerTurn = 16;

}  // namespace

StreamTable::StreamTable(io::EventLoop& loop, Handlers handlers)
    : loop_(loop),
      handlers_(std::move(handlers)),
      alarm_(loop.add_alarm([this] { expire(); })),
      buffer_(kReadBytes) {}

StreamTable::~StreamTable() {
  for (const auto& [id, connection] : connections_) loop_.unwatch(connection->stream.fd());
  loop_.remove(alarm_);
}

bool StreamTable::open(swim::StreamId id, const Endpoint& to) {
  auto stream = io::TcpStream::dial(to);
  if (!stream) return false;
  add(id, *std::move(stream), true);
  return true;
}

void StreamTable::accepted(swim::StreamId id, io::TcpStream stream) {
  add(id, std::move(stream), false);
}

void StreamTable::add(swim::StreamId id, io::TcpStream stream, bool dialled) {
  auto connection = std::make_unique<Connection>(std::move(stream), dialled);
  const int fd = connection->stream.fd();
  connections_.insert_or_assign(id, std::move(connection));
  const auto watched = loop_.watch(fd, {.read = true, .write = dialled},
                                   [this, id](io::Ready ready) { handle(id, ready); });
  if (!watched) connections_.erase(id);
}

void StreamTable::write(swim::StreamId id, ByteVector bytes) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = *it->second;
  if (pending_bytes_ + bytes.size() > kPendingBytesMax) {
    return fail(id, swim::StreamEnd::kFailed);
  }
  pending_bytes_ += bytes.size();
  if (connection.pending.empty())
    connection.pending = std::move(bytes);
  else
    connection.pending.insert(connection.pending.end(), bytes.begin(), bytes.end());
  if (!flush(connection)) return fail(id, swim::StreamEnd::kFailed);
  set_interest(connection);
}

void StreamTable::close(swim::StreamId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  it->second->closing = true;
  lingering_.set(id, io::now() + kLingerTime);
  loop_.set(alarm_, lingering_.next());
  finish(id);
}

// True: whole. False: broken.
bool StreamTable::flush(Connection& connection) {
  using Status = io::TcpStream::Status;
  while (connection.sent < connection.pending.size()) {
    const auto done =
        connection.stream.write(ConstBytes(connection.pending).subspan(connection.sent));
    if (done.status == Status::kWait) return true;
    if (done.status != Status::kOk) return false;
    connection.sent += done.size;
    pending_bytes_ -= done.size;
  }
  ByteVector().swap(connection.pending);
  connection.sent = 0;
  return true;
}

void StreamTable::handle(swim::StreamId id, io::Ready ready) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  if (ready.write && !flush(*it->second)) return fail(id, swim::StreamEnd::kFailed);
  if (ready.read) read(id);
  const auto still = connections_.find(id);
  if (still == connections_.end()) return;
  if (still->second->closing) return finish(id);
  set_interest(*still->second);
}

void StreamTable::read(swim::StreamId id) {
  using Status = io::TcpStream::Status;
  for (int turn = 0; turn < kReadsPerTurn; ++turn) {
    const auto it = connections_.find(id);  // a handler may have closed it
    if (it == connections_.end() || it->second->read_ended) return;
    Connection& connection = *it->second;
    const auto done = connection.stream.read(buffer_);
    if (done.status == Status::kWait) return;
    if (done.status == Status::kOk) {
      if (!connection.closing) handlers_.on_data(id, ConstBytes(buffer_).first(done.size));
      continue;
    }
    connection.read_ended = true;
    return fail(id,
                done.status == Status::kEnd ? swim::StreamEnd::kClosed : swim::StreamEnd::kFailed);
  }
}

// A closed stream goes when all is out. Whoever answered waits for the other's end too: closing
// with bytes unread would make the kernel throw away the answer that is on its way.
void StreamTable::finish(swim::StreamId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = *it->second;
  if (!connection.pending.empty()) return set_interest(connection);
  if (connection.dialled || connection.read_ended) return erase(id);
  if (!std::exchange(connection.shut, true)) connection.stream.shut_down();
  set_interest(connection);
}

// The other side ended it. Where the core still has it, the core says close() in turn.
void StreamTable::fail(swim::StreamId id, swim::StreamEnd end) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  const bool half = end == swim::StreamEnd::kClosed && !it->second->pending.empty();
  if (it->second->closing) {
    if (half)
      set_interest(*it->second);
    else
      erase(id);
    return;
  }
  if (end == swim::StreamEnd::kFailed)
    erase(id);
  else
    set_interest(*it->second);
  handlers_.on_closed(id, end);
}

void StreamTable::erase(swim::StreamId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  pending_bytes_ -= it->second->pending.size() - it->second->sent;
  loop_.unwatch(it->second->stream.fd());
  connections_.erase(it);
  lingering_.stop(id);
}

void StreamTable::set_interest(const Connection& connection) {
  loop_.set_interest(connection.stream.fd(),
                     {.read = !connection.read_ended, .write = !connection.pending.empty()});
}

void StreamTable::expire() {
  const Instant now = io::now();
  while (const auto id = lingering_.take_expired(now)) erase(*id);
  loop_.set(alarm_, lingering_.next());
}

}  // namespace ginnel::gossip
