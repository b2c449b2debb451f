// memberlist's streams over a session's gossip lane:
//
//   1. Swim dials (open_stream), or the peer does (handle_message, accept_stream)
//   2. what either writes goes in messages; the lane keeps their order
//   3. Swim closes (close_stream), the peer does, or the session's epochs end (end_streams)
#include <algorithm>

#include "node/gossip/gossip.h"

namespace ginnel::node {

bool Gossip::handle_stream(const swim::Event& event) {
  if (const auto* open = std::get_if<swim::StreamOpen>(&event)) {
    open_stream(*open);
  } else if (const auto* write = std::get_if<swim::StreamWrite>(&event)) {
    write_stream(*write);
  } else if (const auto* close = std::get_if<swim::StreamClose>(&event)) {
    close_stream(*close);
  } else {
    return false;
  }
  return true;
}

void Gossip::open_stream(const swim::StreamOpen& open) {
  const auto peer = id_of(open.to);
  if (!peer || !hears(*peer)) {
    return agent_.handle_stream_closed(now_, open.stream, swim::StreamEnd::kFailed);
  }
  const Stream stream{.peer = *peer, .number = open.stream.value(), .ours = true};
  streams_.emplace(open.stream, stream);
  if (!send(stream, StreamOp::kOpen, {})) end_stream(open.stream, swim::StreamEnd::kFailed);
}

void Gossip::write_stream(const swim::StreamWrite& write) {
  const auto it = streams_.find(write.stream);
  if (it == streams_.end()) return;
  const Stream stream = it->second;
  for (ConstBytes rest = write.bytes; !rest.empty();) {
    const std::size_t size = std::min(rest.size(), kStreamChunkBytesMax);
    if (!send(stream, StreamOp::kData, rest.first(size))) {
      return end_stream(write.stream, swim::StreamEnd::kFailed);
    }
    rest = rest.subspan(size);
  }
}

void Gossip::close_stream(const swim::StreamClose& close) {
  const auto it = streams_.find(close.stream);
  if (it == streams_.end()) return;
  const Stream stream = it->second;
  streams_.erase(it);
  if (!stream.ours) theirs_.erase({stream.peer, stream.number});
  if (!stream.ended_there) (void)send(stream, StreamOp::kClose, {});
}

bool Gossip::send(const Stream& stream, StreamOp op, ConstBytes data) {
  wanted_.insert(stream.peer);
  return links_[stream.peer].send(write(
      {.op = op, .is_receivers = !stream.ours, .number = stream.number, .data = data}));
}

void Gossip::handle_message(const Id& from, ConstBytes bytes) {
  const auto message = parse_stream_message(bytes);
  if (!message) {
    ++dropped_;
    return;
  }
  if (message->op == StreamOp::kOpen) {
    if (!message->is_receivers) accept_stream(from, message->number);
    return;
  }
  swim::StreamId id(message->number);
  if (!message->is_receivers) {
    const auto known = theirs_.find({from, message->number});
    if (known == theirs_.end()) return;
    id = known->second;
  }
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second.peer != from) return;
  if (it->second.ours != message->is_receivers) return;
  if (message->op == StreamOp::kData) return agent_.handle_stream_data(now_, id, message->data);
  it->second.ended_there = true;
  agent_.handle_stream_closed(now_, id, swim::StreamEnd::kClosed);
}

void Gossip::accept_stream(const Id& from, std::uint32_t number) {
  const Stream stream{.peer = from, .number = number, .ours = false};
  const bool is_new = !theirs_.contains({from, number});
  const auto id = is_new ? agent_.accept_stream(now_, endpoint_of(from)) : std::nullopt;
  if (!id) return void(send(stream, StreamOp::kClose, {}));
  streams_.emplace(*id, stream);
  theirs_.emplace(std::pair(from, number), *id);
}

void Gossip::end_streams(const Id& peer) {
  std::vector<swim::StreamId> ended;
  for (auto& [id, stream] : streams_) {
    if (stream.peer == peer) ended.push_back(id);
  }
  for (const swim::StreamId id : ended) end_stream(id, swim::StreamEnd::kFailed);
}

// Swim says StreamClose in turn; nothing of it goes to the peer any more.
void Gossip::end_stream(swim::StreamId id, swim::StreamEnd end) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  if (!it->second.ours) theirs_.erase({it->second.peer, it->second.number});
  streams_.erase(it);
  agent_.handle_stream_closed(now_, id, end);
}

}  // namespace ginnel::node
