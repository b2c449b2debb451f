// A member of a gossip cluster inside a program: who is there, messages, and data that all share.
// With hashicorp/memberlist's verbs, and pekonode's.
//
//   auto list = ginnel::gossip::Memberlist::create({.name = "a", .bind = "10.0.0.5"}).value();
//   list.join({"10.0.0.2"}).value();
//   for (const auto& member : list.members()) std::puts(member.name.c_str());
//
// Speaks memberlist's wire, over UDP and TCP, TCP alone, or a Transport of the program's own. Thread-safe:
// every call may come from any thread, also from inside a handler. Handlers run on the member's one
// thread, never two at once; a slow one delays this member. A handler does not throw.
#pragma once
#include <ginnel/error.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel::gossip {

using Data = std::vector<std::byte>;

enum class MemberState { kAlive, kSuspect, kFailed, kLeft };

// A row of the list, copied: it stays what it was.
struct MemberRow {
  std::string name;
  std::string address;  // "ADDR:PORT"
  MemberState state = MemberState::kAlive;
  std::uint32_t incarnation = 0;
  Data meta;                             // at most 512 bytes
  std::vector<std::string> suspected_by;  // who accused it last
};

// How datagrams and byte streams get to others, where it is not UDP and TCP. One transport serves
// one member. Calls come from the member's thread; what it tells its Receiver may come from any
// thread, but not from inside a call.
class Transport {
 public:
  using Stream = std::uint64_t;  // the transport's number for it, never used twice

  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void on_datagram(std::string from, Data bytes) = 0;
    virtual void on_accepted(Stream stream, std::string from) = 0;
    virtual void on_data(Stream stream, Data bytes) = 0;
    // Once: `failed`, it was never open or broke; else the other side closed it after all it sent.
    virtual void on_closed(Stream stream, bool failed) = 0;
  };

  virtual ~Transport() = default;
  // Where others reach this member, "ADDR:PORT"; need not be a real address.
  virtual std::string address() const = 0;
  virtual Result<void, Error> start(Receiver& receiver) = 0;
  // Nothing is told any more when it returns.
  virtual void stop() = 0;
  virtual void send(const std::string& to, std::span<const std::byte> datagram) = 0;
  virtual Stream dial(const std::string& to) = 0;
  virtual void write(Stream stream, std::span<const std::byte> bytes) = 0;
  // After all that was written; nothing is told of it any more.
  virtual void close(Stream stream) = 0;
};

// What the program wants to know, and may forbid. Each may be left out.
struct Delegate {
  std::function<void(const MemberRow&)> on_join = {};    // also one that comes back
  std::function<void(const MemberRow&)> on_leave = {};   // failed or left: see its state
  std::function<void(const MemberRow&)> on_update = {};  // other metadata or another address
  std::function<void(const MemberRow&, const std::string& by)> on_suspect = {};
  std::function<void(const MemberRow& kept, const std::string& other)> on_conflict = {};
  std::function<void(Data)> on_message = {};    // of send_* and broadcast; who sent it is not said
  std::function<void(Data)> on_published = {};  // another value of publish()
  std::function<void(const std::string& key)> on_key = {};  // set or deleted
  // False: it is not taken into the list; that cluster is not merged with ours.
  std::function<bool(const MemberRow&)> accept_alive = {};
  std::function<bool(const std::vector<MemberRow>&)> accept_merge = {};
};

struct MemberlistOptions {
  std::string name = {};       // default: the host name; unique in the cluster
  std::string bind = "0.0.0.0:7946";  // "ADDR[:PORT]"; port 0: any
  std::string advertise = {};  // where others reach us, where it is not `bind`
  // "ginnel": members are all Ginnel's and share data. "none": plain memberlist programs, raw
  // messages, no shared data. "serf": serf's cluster, no messages. "auto": as the first one met.
  std::string app = "ginnel";
  std::string preset = "lan";         // timing: "lan", "wan", "local"
  Data meta = {};                     // at most 512 bytes
  std::string label = {};             // only members with this label hear us
  std::vector<Data> keys = {};        // 16, 24 or 32 bytes each; the first one encrypts
  Delegate delegate = {};
  // "udp": and TCP for what is large. "tcp": everything, without a UDP socket; all members must then
  // have it. Not looked at with a `transport`.
  std::string protocol = "udp";
  std::shared_ptr<Transport> transport = {};  // shared: the program keeps its end of it
  // pekonode's fan-out, cycle, timeout and size; 0: the preset's.
  std::size_t gossip_nodes = 0;
  std::chrono::nanoseconds gossip_interval{0};
  std::chrono::nanoseconds probe_interval{0};
  std::size_t packet_bytes = 0;
};

class MemberlistImpl;

class Memberlist {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  // Opens the sockets and takes part at once. Errors: kPortBusy, kPermission, kConfigValue, kUsage.
  static Result<Memberlist, Error> create(MemberlistOptions options);
  Memberlist(Memberlist&&) noexcept;
  Memberlist& operator=(Memberlist&&) noexcept;
  ~Memberlist();  // as shutdown(). Not from inside a handler

  // Exchanges all state with each of them, "ADDR[:PORT]" or "HOST[:PORT]", and says how many
  // answered. Errors: kUnreachable (none did), kNameTaken, kWrongApp, kTimeout, kClosed; kUsage
  // from inside a handler, which would wait for itself.
  Result<std::size_t, Error> join(const std::vector<std::string>& addresses,
                                  Nanoseconds timeout = std::chrono::seconds(10));
  // Tells everybody that we go, and waits until that has spread. We still answer, until shutdown().
  Result<void, Error> leave(Nanoseconds timeout = std::chrono::seconds(5));
  // Ends at once; the others will see it fail unless it left before. Later calls give kClosed.
  void shutdown();

  std::vector<MemberRow> members() const;  // alive and suspect ones, by name, with ourselves
  std::vector<MemberRow> all_members() const;  // and those that failed or left lately
  std::string name() const;
  std::string address() const;
  int health_score() const;  // 0: well (Lifeguard)

  // Replaces our metadata at all members. Errors: kTooLarge (over 512 bytes), kClosed.
  Result<void, Error> update_node(std::span<const std::byte> meta);
  // One datagram. Errors: kUnknownPeer, kTooLarge, kUsage (empty), kWrongApp (serf), kClosed.
  Result<void, Error> send_best_effort(std::string_view name, std::span<const std::byte> message);
  // One stream; returns when the other has it all. Errors: as above, kUnreachable, kTimeout;
  // kUsage from inside a handler.
  Result<void, Error> send_reliable(std::string_view name, std::span<const std::byte> message,
                                    Nanoseconds timeout = std::chrono::seconds(10));
  // A rumor, as memberlist's QueueBroadcast: sent by us to many, passed on by nobody.
  Result<void, Error> broadcast(std::span<const std::byte> message);

  // --- pekonode's verbs ---
  // The cluster's one value. Errors: kWrongApp (not "ginnel"), kTooLarge (over 1 MiB), kClosed.
  Result<void, Error> publish(std::span<const std::byte> data);
  std::optional<Data> read() const;
  // Stops our own heartbeats: we answer no probe and refute nothing, so the others soon take us for
  // failed. We still listen and pass on. start(): here we are again.
  void stop();
  void start();
  // A member that we know by address: it is joined, and again until it answers.
  Result<void, Error> set(const std::string& address);
  std::vector<MemberRow> get() const { return members(); }

  // --- shared keys; as `ginnel kv` ---
  // Both return the new version. `if_seen`: only if we hold this version ("0": none), else kChanged;
  // it is no lock. Errors: kWrongApp, kTooLarge, kUsage, kChanged, kUnknownKey, kClosed.
  Result<std::string, Error> put(std::string_view key, std::span<const std::byte> value,
                                 std::string_view if_seen = {});
  Result<std::string, Error> erase(std::string_view key, std::string_view if_seen = {});
  std::optional<Data> value(std::string_view key) const;
  std::vector<std::string> keys(std::string_view prefix = {}) const;

 private:
  explicit Memberlist(std::unique_ptr<MemberlistImpl> impl);
  std::unique_ptr<MemberlistImpl> impl_;
};

}  // namespace ginnel::gossip
