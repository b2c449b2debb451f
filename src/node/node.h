// A whole node as one core: identity, tables, sessions x paths x channels, routes. Bytes and `now`
// in, bytes and events out; the daemon, the library and the simulator drive the same code.
//
//   Node node(config, identity, stored, rng, now, wall);
//   node.handle_datagram(now, kSocket, from, bytes);
//   drain(node, now, outbox, deliver);
//
// The walk of a datagram: node_receive.cc; of a packet out: node_transmit.cc; who is let in:
// node_sessions.cc; the hub's side: node_hub.cc; messages: node_messages.cc. Owned by one thread.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "node/config.h"
#include "node/directory.h"
#include "node/events.h"
#include "node/forward/table.h"
#include "node/handshake_memory.h"
#include "node/hub_inquiry.h"
#include "node/hub_registry.h"
#include "node/issuer.h"
#include "node/nat_discovery.h"
#include "node/own_identity.h"
#include "node/session.h"
#include "node/snapshot.h"
#include "node/sockets.h"
#include "node/token_book.h"
#include "node/trust.h"
#include "proto/control/acknowledgement.h"
#include "proto/control/join.h"
#include "proto/control/ping.h"
#include "proto/relay/index_allocator.h"
#include "proto/relay/relay_table.h"
#include "proto/stun/binding_server.h"

namespace ginnel::node {

// Of all channels of the node together.
inline constexpr std::size_t kNodeBudgetBytes = std::size_t{64} << 20;
// Datagrams that wait for the socket: relayed ones and STUN answers. Past it new ones are dropped.
inline constexpr std::size_t kRawQueueMax = 1024;
// Of one inner frame that goes out; longer than a packet and it is fragmented.
inline constexpr std::size_t kFrameBytesMax = 4096;
// Acknowledged sends and requests under way; one more fails.
inline constexpr std::size_t kAckedSendsMax = 4096;
// Requests that programs of this node have and have not answered; the next one waits in its lane.
inline constexpr std::size_t kOpenRequestsMax = 1024;
// Messages of plain sends that wait for a name to become known; one more is refused.
inline constexpr std::size_t kUnresolvedMax = 1024;
// Of messages that wait for a name or for room in their channel; one more is refused.
inline constexpr std::size_t kWaitingBytesMax = std::size_t{64} << 20;
// A datagram fits one packet on every path.
inline constexpr std::size_t kDatagramBytesMax = 1024;
// An attached node that was not heard for this long is offline. Its heartbeat comes every 2 s, and
// again after 500 ms while unanswered (HubLink).
inline constexpr Nanoseconds kSilence = 4500ms;
// What another node does shows in the log this often; the lines between are left out, or a member
// could fill the disk.
inline constexpr Nanoseconds kNoticeInterval = 10s;
// With Config::connect_eagerly a session is kept by a packet this often, as NATs want it.
inline constexpr Nanoseconds kEagerKeepalive = 25s;
// How long one address of a hub is tried before the next one.
inline constexpr Nanoseconds kHubEndpointTime = 1s;

// Of the outgoing interface, until the driver tells another one.
inline constexpr std::size_t kInterfaceMtuBytes = 1500;
// The id of PINGs that search for a path's MTU; none of `ginnel ping` has it.
inline constexpr std::uint64_t kMtuPing = UINT64_MAX;

// Paths from here on go through the hub whose session has the handle `path - kRelayPathBase`; the
// endpoint's address then holds the destination's relay index.
inline constexpr std::uint32_t kRelayPathBase = 16;
bool is_relay_path(PathId path);
wg::PeerHandle hub_of(PathId path);
wg::Route relay_route(wg::PeerHandle hub, std::uint32_t index);

// What the identity store held when the node started. Empty: nothing yet.
struct Stored {
  ByteVector pins;
  ByteVector revocations;
  ByteVector tokens;  // hubs
  ByteVector peers;   // hubs: who was attached, and where
  ByteVector handshakes{};  // HandshakeMemory
  ByteVector tags{};        // OwnTags: the user's changes
};

class Gossip;

struct InviteOptions {
  Role role = Role::kPeer;
  std::chrono::seconds ttl = std::chrono::hours(1);
  std::uint32_t uses = 1;
  std::vector<control::Tag> tags;
};

class Node {
 public:
  using Event = node::Event;

  // `identity.chain` is what Joiner or the network's founder made. `epoch` is greater than that of
  // every earlier run of this identity.
  Node(Config config, OwnIdentity identity, const Stored& stored, std::uint64_t epoch, Rng rng,
       Instant now, Wall wall);
  ~Node();

  // --- the driver's side ---
  void handle_datagram(Instant now, PathId path, const Endpoint& from, Bytes bytes);
  // An inner IP packet from the TUN device.
  void handle_tun_packet(Instant now, ConstBytes packet);
  void handle_timeout(Instant now);
  std::optional<Transmit> poll_transmit(Instant now, Bytes slot);
  std::optional<Event> poll_event();
  std::optional<Instant> next_timeout() const;
  void set_wall(Instant now, Wall wall);
  // The bytes of a StoreRequest are safe.
  void handle_stored(std::uint64_t ticket);
  // Own interface addresses with their prefixes, and the port the socket is bound to. Others than
  // before: hubs and peers are told at once, and every path is tried again.
  void set_interfaces(Instant now, std::vector<Prefix> subnets, std::vector<Address> addresses,
                      std::uint16_t port);
  // The machine slept: NATs have forgotten us, and who waited for us has moved. All is tried again.
  void resumed(Instant now);
  // Of the interface through which packets leave; 1500 until told.
  void set_interface_mtu(std::size_t bytes);
  // What the name of `Config::hubs[hub]` means now.
  void set_hub_endpoints(Instant now, std::size_t hub, std::vector<Endpoint> endpoints);
  // False: a hub that we know of does not answer, or is not met yet.
  bool has_all_hubs() const;
  // Where packets to the outside mostly go; nullopt: no hub is known.
  std::optional<Endpoint> hub_endpoint() const;

  // --- the driver's side where forwarding threads open and seal data (Config::forwarding_threads).
  // handle_datagram then gets everything but data messages; a relayed one without its header.
  // Borrows key pairs: each comes back as KeyPairDone when later tables name it no more.
  forward::TableContents forwarding_table() const;
  // Whether the last table has (or had) a key pair under this index.
  bool knows_index(wg::ReceiverIndex index) const { return by_index_.contains(index); }
  // Inner frames that were opened under `index`.
  void handle_opened(Instant now, wg::ReceiverIndex index, const wg::Route& from, Bytes plaintext);
  void handle_data_facts(Instant now, wg::ReceiverIndex index, const wg::Device::DataFacts& facts);
  // A datagram of ours did not fit the path to `to` (EMSGSIZE).
  void handle_too_large(Instant now, const Endpoint& to, std::size_t datagram_bytes);

  // What of Config may change while the node runs. `punch` is for sessions that begin from then on.
  struct Settings {
    bool punch = true;
    std::uint32_t probes_per_second = 500;
    Nanoseconds resolve_timeout = 10s;
    Nanoseconds retain = 30s;
  };
  void change_settings(const Settings& settings);
  // As Config::allow, from now on: sessions with others end.
  void set_allowed(Instant now, std::optional<std::vector<Id>> allow);
  // Speaks under this session key as soon as it is certified and stored; the Id stays, and so do the
  // sessions. KeyRotated says how it ended. Errors: kExists (one is under way), kHubUnreachable.
  Result<void, Error> rotate_session_key(Instant now, crypto::SessionSecret key);
  // Lets a stock WireGuard peer in from now on. Errors (all: nothing changed): kNameTaken, kExists
  // (its key), kAddressInUse (a range), kUsage (its key is our own, or weak), kInternal (too many).
  Result<void, Error> add_stock_peer(Instant now, StockPeer stock);
  // What add_stock_peer would answer, but for the device's own limits.
  Result<void, Error> check_stock_peer(const StockPeer& stock) const;
  // Overlay addresses that nobody here has, IPv4 first, for a stock peer with this key; the same
  // each time. Errors: kAddressInUse (the range is full).
  Result<std::vector<Address>, Error> free_addresses(const crypto::SessionPublic& key) const;
  // Where a stock peer reaches this node; nullopt: no address is known.
  std::optional<Endpoint> reachable_at() const;

  // Tells the members of the gossip cluster that we leave: Gossiped{swim::Gone} follows within 2 s.
  void leave_gossip(Instant now);
  // Tells hubs and peers that we leave; what it queued still has to be polled.
  void leave(Instant now);

  // --- the user's side ---
  const PeerRecord& self() const { return self_; }
  bool is_hub() const { return config_.hub.has_value(); }
  // `peer`: an Id's text or a name. Errors: kUnknownPeer (nobody has it; an ambiguous name says so).
  Result<Id, Error> resolve(std::string_view peer) const;
  // Two peers have this name: it names neither.
  bool is_ambiguous(std::string_view peer) const { return directory_.is_ambiguous(peer); }

  // Of our sessions, those that have keys now.
  std::size_t live_session_count() const;
  // Members, events, queries (Config::gossip); null: none. What it is told goes out with the next
  // poll_transmit; what it tells comes as Gossiped.
  swim::Agent* gossip_agent();
  // As gossip sees the nodes, by name.
  std::vector<MemberInfo> members() const;
  // Whose doing an event of the cluster's is, as it is now; nullopt: no other member's.
  std::optional<MemberInfo> member_of(const swim::AgentEvent& event) const;
  // Our own tags, from now on and after each restart. Errors: kUsage (`role`, or together too large);
  // nothing changed.
  Result<void, Error> change_tags(Instant now, const std::map<std::string, std::string>& set,
                                  const std::vector<std::string>& del);

  // What is not known to have arrived when the peer restarts, leaves or is silent for
  // Config::retain comes back as Undelivered.
  // Errors: kWouldBlock, kTooLarge, kUsage (channel name), kUnknownPeer (ambiguous).
  Result<void, Error> send(Instant now, std::string_view peer, std::string_view channel,
                           ConstBytes data);
  // Settles each peer by an AckSettled event with this `call`.
  void send_acked(Instant now, std::uint64_t call, const std::vector<std::string>& peers,
                  std::string_view channel, ConstBytes data, Nanoseconds deadline);
  Result<void, Error> send_datagram(Instant now, std::string_view peer, std::string_view channel,
                                    ConstBytes data);
  // Settled by one RequestSettled event with this `call`, at `deadline` (from now) at the latest.
  // It is given to a program there at most once.
  void request(Instant now, std::uint64_t call, std::string_view peer, std::string_view channel,
               ConstBytes data, Nanoseconds deadline);
  // The request is not wanted any more; no event follows.
  void cancel_request(std::uint64_t call);
  // A program answers (no longer answers) requests on this channel: RequestReady comes.
  void subscribe_requests(std::string_view channel);
  void unsubscribe_requests(std::string_view channel);
  // The next request of a channel from this peer. Each one taken is answered once, by reply().
  std::optional<Arrived> take_request(const Id& from, std::string_view channel);
  // Errors: kWouldBlock, kTooLarge (state unchanged), kClosed (nobody waits for it any more).
  Result<void, Error> reply(Instant now, const Id& from, std::uint64_t request,
                            control::ReplyCode code, ConstBytes data);
  // A program takes (no longer takes) this channel. MessageReady comes for subscribed channels only.
  void subscribe(std::string_view channel);
  void unsubscribe(std::string_view channel);
  // A program takes (no longer takes) whatever channel a message comes on.
  void subscribe_all();
  void unsubscribe_all() { --subscribed_to_all_; }
  // The next message of a channel from this peer. The caller says when a program has it: taken().
  std::optional<Arrived> take_message(const Id& from, std::string_view channel);
  void taken(const Id& from, std::uint64_t message_id);
  Result<void, Error> ping(Instant now, std::string_view peer, std::uint64_t id,
                           std::uint32_t sequence, std::size_t size);

  // --- a hub's side; kNotAHub elsewhere ---
  Result<std::string, Error> invite(Instant now, const InviteOptions& options);
  Result<void, Error> revoke(Instant now, std::string_view peer);
  // What revoke would say before it looks for the peer: kSharedSecret, kNotAHub.
  Result<void, Error> may_revoke() const;

  // --- looking ---
  StatusSnapshot status(Instant now) const;
  std::optional<PeerInfo> peer_info(Instant now, const Id& id) const;
  // Each way to the peer and how it went.
  std::vector<Attempt> why(Instant now, const Id& id) const;
  // Bytes of messages, acknowledgements included, that sessions hold and that are not known to have
  // arrived: what a node that leaves may wait for.
  std::size_t outstanding() const;
  std::size_t session_count() const { return sessions_.size(); }

 private:
  using SessionPtr = std::unique_ptr<Session>;

  struct Raw {  // a datagram that is ready as it is
    Transmit transmit;
    ByteVector bytes;
  };
  struct Stow {  // what happens when a ticket is stored
    wg::PeerHandle peer;  // is sent JOINED with `chain`; 0: nothing happens
    ByteVector chain;
  };
  struct AckedSend {
    std::uint64_t call = 0;
    std::string peer_text;
    std::optional<Id> peer;  // set: the message was handed to the channel to this peer
    LaneKey lane;            // kMessages: until it is taken; kRequests: until it is answered
    bool is_request() const { return lane.kind == LaneKind::kRequests; }
    bool no_subscriber = false;  // the receiver said so
    Instant deadline;
  };
  // A message whose peer is not known yet, or whose channel has no room.
  struct Waiting {
    std::string peer_text;
    LaneKey lane;
    ByteVector data;
    std::optional<Instant> deadline;  // none: an acknowledged send, which has its own, or a reply
    std::uint64_t reply_to = 0;       // of a reply: the request
  };
  // A request that a program of ours has.
  struct OpenRequest {
    Id from;
    std::uint64_t id = 0;
    friend auto operator<=>(const OpenRequest&, const OpenRequest&) = default;
  };

  // node.cc
  Wall wall(Instant now) const { return wall_ + (now - wall_since_); }
  void raise(Event event) { events_.push_back(std::move(event)); }
  void notice(Notice::Level level, std::string code, std::string text);
  void warn_of(Instant now, Session& session, std::string code, std::string text);
  std::uint64_t store(std::string name, ByteVector bytes) {
    return store(std::move(name), std::move(bytes), Stow());
  }
  std::uint64_t store(std::string name, ByteVector bytes, Stow stow);
  void wake(Session& session) { ready_.insert(session.handle); }

  // node_sessions.cc: who is talked to, and who is let in
  void add_configured_hubs(Instant now);
  void add_hub(Instant now, const crypto::SessionPublic& key, std::vector<Endpoint> endpoints);
  Session* find(wg::PeerHandle handle) const;
  Session* find(const Id& id) const;
  Session* session_with(Instant now, const Id& id);  // makes one if need be
  Session* reach_session(Instant now, const Id& id);  // the same, for whatever it is used
  Session& add_session(wg::PeerHandle handle, const crypto::SessionPublic& key);
  void drop_session(wg::PeerHandle handle, const Error& why);
  void replace_session(Session& old, Session& session);
  void bind(Session& session, const Id& id);
  std::optional<wg::Route> first_route(const Peer& peer) const;
  void set_route(Instant now, Session& session, const wg::Route& route);
  void handle_device_events(Instant now);
  void handle_established(Instant now, Session& session);
  void handle_failed(Instant now, Session& session);
  void handle_unknown_initiator(Instant now, const wg::UnknownInitiator& who);
  void handle_hello(Instant now, Session& session, ConstBytes body);
  void accept_hello(Instant now, Session& session, const control::Hello& hello,
                    const PeerRecord& record);
  void answer_without_acceptance(Instant now, Session& session);
  void refuse(Session& session, control::FrameType of, const Refusal& why);
  void end_revoked(Instant now);
  void retry_hubs(Instant now, Session& session);

  // node_admission.cc: whose certificate is believed, and who of those is let in
  Result<PeerRecord, Refusal> admit(Instant now, ConstBytes chain);
  void note_pins(Instant now);
  void store_due_pins(Instant now);
  bool is_allowed(const Id& id) const;
  bool is_configured_hub(const crypto::SessionPublic& key) const;
  std::optional<Refusal> not_allowed(const Session& session, const Id& id) const;
  void report_refusal(Instant now, Session& session, const Refusal& why);
  bool follow_rotation(Instant now, Session& session, const PeerRecord& record);
  void take_over(Instant now, Session& old, Session& session);

  // node_identity.cc: our own certificate and session key
  struct Rotation {
    crypto::SessionSecret key;
    Instant deadline;
    ByteVector chain;      // empty: not certified yet
    std::uint64_t ticket;  // 0: not given to the store yet
    bool is_stored = false;
  };
  void plan_renewal(Instant now);
  void renew(Instant now);
  Result<ByteVector, IssueError> certify_ourselves(Instant now, const crypto::SessionPublic& key,
                                                   std::optional<Address> ipv4) const;
  bool ask_for_certificate(const crypto::SessionPublic& key);
  void adopt_chain(Instant now, ConstBytes chain);
  void become(Instant now, const PeerRecord& record);
  void pick_address_again(Instant now);
  void note_rotation_stored(std::uint64_t ticket);
  void finish_rotation(Instant now);
  void end_rotation(std::optional<Error> error);
  void expire_rotation(Instant now);

  // node_reach.cc: whom we talk to without being asked, and when to nobody
  void connect_to_all(Instant now);
  void run_reach(Instant now);
  void update_stopped(Instant now);
  bool is_stopped(const Session& session) const;

  // node_hubs.cc: hubs by configuration, with and without their key
  struct ConfiguredHub {
    std::string text;
    std::optional<crypto::SessionPublic> key;  // as configured, or as its certificate says
    std::vector<Endpoint> endpoints;
    bool wrong_network = false;
    std::optional<Instant> ask_again;  // for its certificate, while it does not answer
  };
  void connect_hub(Instant now, const crypto::SessionPublic& key);
  void move_hub(Instant now, Session& session, std::vector<Endpoint> endpoints);
  void handle_hub_certificates(Instant now);
  void meet_hub(Instant now, std::size_t index, const crypto::SessionPublic& key);
  void look_after_configured_hubs(Instant now);
  void note_wrong_network(const Session& session);
  void note_wrong_network(ConfiguredHub& hub);
  bool is_wrong_network(const crypto::SessionPublic& key) const;
  std::vector<HubStatus> unmet_hubs() const;
  std::optional<Instant> next_hub_question() const;
  void hub_lost(Instant now, Session& session);

  // node_network.cc: our addresses, NAT and handshakes' memory
  void try_everything(Instant now);
  void refresh_stun_servers(Instant now);
  bool handle_stun_answer(Instant now, PathId path, const Endpoint& from, ConstBytes bytes);
  void take_nat_changes(Instant now);
  bool is_udp_blocked() const;
  bool is_on_loopback() const;
  std::vector<Prefix> local_subnets() const;
  wg::PeerConfig own_node_config(const crypto::SessionPublic& key, bool provisional) const;
  void remember_handshake(Instant now, const Session& session);
  void run_host(Instant now);
  std::optional<Instant> next_host_timeout() const;
  std::optional<Transmit> poll_host(Instant now, Bytes slot);

  // node_stock.cc: stock WireGuard peers
  void add_stock_peers(Instant now);
  Session* find_stock_peer(std::string_view name) const;
  // Nobody who registers later changes what resolve() says of it.
  bool stays_unknown(std::string_view peer) const {
    return directory_.is_ambiguous(peer) || find_stock_peer(peer) != nullptr;
  }
  Session* stock_peer_for(const Address& address) const;
  bool may_send_from(const Session& session, const Address& source) const;
  bool is_taken(const Address& address) const;
  std::vector<Prefix> stock_prefixes() const;
  PeerInfo stock_info(Instant now, const Session& session) const;

  // node_receive.cc: a datagram's way in
  void handle_relayed(Instant now, PathId path, Bytes bytes);
  void handle_from_relay(Instant now, Bytes bytes);
  void handle_wireguard(Instant now, PathId path, const Endpoint& from, Bytes bytes);
  void handle_stun(Instant now, PathId path, const Endpoint& from, ConstBytes bytes);
  void handle_plaintext(Instant now, Session& session, const wg::Route& from, Bytes plaintext);
  void handle_frame(Instant now, Session& session, const wg::Route& from,
                    const control::Frame& frame);
  void handle_ip(Session& session, ConstBytes packet);
  void handle_refused(Instant now, Session& session, ConstBytes body);
  void handle_goodbye(Instant now, Session& session, ConstBytes body);
  void handle_fragment(Instant now, Session& session, const wg::Route& from, ConstBytes body);
  void handle_channel_events(Instant now, Session& session);
  void handle_writable(Instant now, Session& session, const LaneKey& lane);
  void handle_control(Instant now, Session& session, control::ControlType type, ConstBytes body);

  // node_transmit.cc: a packet's way out
  std::optional<Transmit> poll_device(Instant now, Bytes slot);
  std::optional<Transmit> poll_raw(Bytes slot);
  void push_raw(Transmit transmit, ConstBytes bytes);
  std::optional<Transmit> poll_session(Instant now, Session& session, Bytes slot);
  struct Composed {
    std::size_t size = 0;
    bool is_use = false;  // not gossip alone
  };
  Composed compose(Instant now, Session& session, Bytes plaintext);
  std::size_t write_hello(Instant now, Session& session, Bytes out);
  std::optional<Transmit> seal(Instant now, Session& session, const wg::Route& route,
                               std::size_t plaintext_size, Bytes slot);
  std::optional<Transmit> wrap(const wg::Route& route, std::size_t sealed_size, Bytes slot) const;
  bool push_frame(Session& session, ByteVector frame);
  template <control::FrameBody Body>
  bool push_frame(Session& session, const Body& body) {
    ByteVector bytes(kFrameBytesMax);
    bytes.resize(control::write_frame(body, bytes));
    return push_frame(session, std::move(bytes));
  }
  bool may_use_channels(const Session& session) const;
  bool wants_to_send(Instant now, const Session& session) const;

  // node_peer.cc: our attachment to hubs
  void run_hub_link(Instant now, Session& session);
  void note_observed(Instant now, const Session& hub, const Endpoint& observed);
  void resume_waiting_sessions(Instant now);
  void handle_registered(Instant now, Session& session, const control::Registered& message);
  void handle_heartbeat_ack(Instant now, Session& session, const control::HeartbeatAck& ack);
  void take_table_changes(Instant now, Session& session);
  void apply(Instant now, const Id& hub, const TableChange& change);
  void compose_hub_frames(Instant now, Session& session);
  const ByteVector& network_info();
  std::vector<control::LinkReport> link_reports() const;
  void adopt_revocations(Instant now, ConstBytes set);
  void learn_hubs(Instant now, const std::vector<control::HubEntry>& hubs);

  // node_hub.cc: the hub's side
  void start_hub();
  void send_hubs(Session& session);
  void send_revocations(Session& session);
  void handle_join(Instant now, Session& session, ConstBytes body);
  void answer_join(Session& session, ConstBytes chain);
  void handle_register(Instant now, Session& session, const wg::Route& from, ConstBytes body);
  void handle_heartbeat(Instant now, Session& session, const wg::Route& from, ConstBytes body);
  void handle_renew(Instant now, Session& session, ConstBytes body);
  void detach(Instant now, const Id& id);
  void pump_followers(Instant now);
  void pump_follower(Instant now, const Id& id);
  void expire_silent(Instant now);
  void publish_revocations();
  void store_peers();
  void call_stored_peers(Instant now, ConstBytes stored);
  std::vector<control::HubEntry> hub_list() const;

  // node_forwarding.cc: what the forwarding threads know and tell
  void forwarding_changed() {
    if (config_.forwarding_threads) raise(ForwardingChanged{});
  }
  void change_relay(Instant now, const forward::RelayChange& change);
  void add_key_pair(wg::PeerHandle peer, wg::KeyPair* key_pair);
  void retire_key_pair(wg::PeerHandle peer, std::unique_ptr<wg::KeyPair> key_pair);
  forward::Destination destination_to(const Session& session) const;
  bool is_reachable(const Peer& peer, const Session* session) const;
  std::vector<Prefix> prefixes_of(const Session& session) const;
  void note_heard(Instant now, Session& session, const wg::Route& from);
  void sweep_traffic(Instant now);
  void note_ip_sent(Instant now, Session& session);

  // node_mtu.cc: how large a packet may be
  std::size_t relay_overhead(const Session& hub) const;
  std::size_t mtu_to(const Session& session) const;
  bool mtu_is_known(const Session& session) const;
  void note_mtu(Session& session);
  std::optional<Instant> mtu_probe_due(const Session& session) const;
  std::optional<Transmit> poll_mtu_probe(Instant now, Session& session, Bytes slot);
  void handle_mtu_pong(Instant now, Session& session, const control::Ping& ping);

  // node_paths.cc: which way packets take
  bool wants_agent(const Session& session) const;
  void open_agent(Instant now, Session& session);
  void close_agent(Session& session);
  static bool is_relay(const Session& hub);
  std::vector<path::Relay> relays_to(const Id& id) const;
  std::vector<path::Candidate> own_candidates() const;
  void refresh_agent(Instant now, Session& session);
  void refresh_agents(Instant now);
  void run_agent(Instant now, Session& session);
  void handle_path_frame(Instant now, Session& session, const wg::Route& from,
                         const control::Frame& frame);
  std::optional<Transmit> poll_agent(Instant now, Session& session, Bytes slot);
  std::string relay_name(PathId path) const;

  // node_gossip.cc
  struct FrameKinds {  // in one packet
    bool hello = false;
    bool gossip = false;
    bool use = false;
    void add(control::FrameType type);
  };
  void start_gossip(Instant now, ByteVector stored_tags);
  void refresh_gossip(Instant now);
  void drop_gossip_sessions();
  void run_gossip(Instant now);
  void pump_gossip(Instant now);
  MemberInfo public_member(const swim::MemberInfo& member) const;
  Session* session_for_gossip(Instant now, const Id& id);
  void gossip_up(Instant now, const Session& session);
  void handle_gossip(Instant now, Session& session, ConstBytes body);
  void note_use(Instant now, Session& session);
  void end_gossip_only(Instant now, Session& session);
  void note_frames(Instant now, Session& session, const FrameKinds& kinds);
  std::size_t compose_gossip(Instant now, Session& session, Bytes room, bool with_hello);

  // node_messages.cc
  void open_early_channels(Session& session);
  void flush_early(Session& session);
  Result<void, Error> send_to(Session& session, const LaneKey& lane, std::uint64_t message_id,
                              ConstBytes data);
  Result<void, Error> keep_early(Session& session, const LaneKey& lane, std::uint64_t message_id,
                                 ConstBytes data);
  Result<void, Error> deliver_to_self(std::string_view channel, ConstBytes data);
  std::optional<Arrived> take_own(std::string_view channel);
  void subscribe_lane(const LaneKey& lane);
  void unsubscribe_lane(const LaneKey& lane);
  void raise_ready(const Id& from, const LaneKey& lane);
  void refuse_until_writable(const Id& peer, const LaneKey& lane);
  void handle_arrived(Session& session, const LaneKey& lane);
  bool is_subscribed(const LaneKey& lane) const {
    const bool any = lane.kind == LaneKind::kMessages && subscribed_to_all_ > 0;
    return any || subscriptions_.contains(lane);
  }

  // node_requests.cc
  void take_replies(Session& session, const LaneKey& lane);
  void settle_reply(const Id& from, Arrived reply);
  void announce_requests();
  void withdraw(std::uint64_t message_id);
  void forget_requests_of(const Id& peer);

  // node_undelivered.cc: what comes back
  void give_back(const Session& session, GivenBack back, const Error& why);
  void give_back(const Session& session, const EarlyMessage& message, const Error& why);
  Losses& losses_of(const Session& session);
  void raise_undelivered(Undelivered message);
  void retire_channels(Session& session, const Error& why);
  void look_for_absent(Instant now);
  void give_up_on(Session& session);

  // node_waiting.cc: what waits for its name, its room or its acknowledgement
  std::string key_of(std::string_view peer_text) const;
  bool is_waiting(std::string_view peer_text, const LaneKey& lane) const;
  bool has_waiting_room(std::size_t bytes) const;
  Result<void, Error> wait_for_name(Instant now, std::string_view peer, std::string_view channel,
                                    ConstBytes data);
  void begin_acked(Instant now, AckedSend send, ConstBytes data);
  bool hand_over(Instant now, std::uint64_t order, const Waiting& message);
  void stop_waiting(std::uint64_t order);
  void resolve_waiting(Instant now);
  void handle_budget_freed(Instant now);
  void tell_refused();
  void note_not_taken(const control::NotTaken& message);
  void fail_unanswered(const Session& session, const Error& why);
  void settle(std::uint64_t message_id, std::optional<Error> error);
  void raise_settled(const AckedSend& send, std::optional<Error> error);
  void settle_late(std::uint64_t message_id);
  void expire_messages(Instant now);

  // node_status.cc
  PathInfo path_of(const Session& session) const;
  void describe_by_report(const Session& session, PathInfo& out) const;
  void describe_traffic(Instant now, const Session& session, PeerInfo& out) const;
  HubStatus hub_status(const Session& session) const;

  Config config_;
  OwnIdentity identity_;
  PeerRecord self_;
  std::uint64_t epoch_;
  Rng rng_;
  Wall wall_;
  Instant wall_since_;

  Trust trust_;
  HandshakeMemory handshakes_;
  Directory directory_;
  wg::Device device_;
  Budget budget_{kNodeBudgetBytes};
  path::ProbeBudget probe_budget_;
  std::map<wg::PeerHandle, SessionPtr> sessions_;
  std::map<Id, wg::PeerHandle> by_id_;
  std::map<wg::ReceiverIndex, wg::PeerHandle> by_index_;
  std::optional<Instant> next_sweep_;  // with forwarding threads
  std::set<wg::PeerHandle> ready_;  // sessions that may have something to send

  // Own addresses (table D).
  std::vector<Prefix> subnets_;
  std::vector<Address> addresses_;
  std::uint16_t port_ = 0;
  std::map<wg::PeerHandle, Endpoint> observed_;  // by hub: where it sees us
  NatDiscovery nat_;
  std::size_t interface_mtu_ = kInterfaceMtuBytes;
  std::vector<ConfiguredHub> configured_hubs_;  // as Config::hubs
  HubInquiry inquiry_;
  std::uint32_t info_sequence_ = 0;
  ByteVector network_info_;                          // as it was signed last
  std::vector<control::Candidate> told_candidates_;  // in it

  // A hub's.
  std::optional<Issuer> issuer_;
  TokenBook tokens_;
  HubRegistry registry_;
  std::optional<relay::IndexAllocator> indices_;
  std::optional<relay::RelayTable> relay_;
  std::map<Id, std::pair<relay::Index, crypto::SipKey>> attachments_;
  std::optional<stun::BindingServer> stun_server_;

  std::unique_ptr<Gossip> gossip_;  // null: Config::gossip says none

  // Messages.
  std::map<LaneKey, std::uint32_t> subscriptions_;
  std::uint32_t subscribed_to_all_ = 0;
  std::map<std::uint64_t, AckedSend> acked_;  // and requests; by message id
  std::map<OpenRequest, std::string> open_requests_;  // to their channel; at most kOpenRequestsMax
  std::map<Id, Losses> losses_;  // of those that the directory knew; nil: of nobody known
  std::map<std::uint64_t, Waiting> waiting_;  // in the order of sending; acked: by message id
  std::size_t waiting_bytes_ = 0;
  std::set<std::pair<Id, std::string>> refused_;  // a ChannelWritable is owed to these
  std::deque<std::pair<std::string, ByteVector>> own_messages_;  // to ourselves: channel, data
  std::uint64_t next_message_id_ = 1;

  std::map<std::uint64_t, Stow> stowing_;  // by ticket
  std::uint64_t next_ticket_ = 1;
  std::deque<Raw> raw_;
  std::uint64_t raw_dropped_ = 0;
  wg::PeerHandle last_served_;  // of ready_: the next one goes first
  std::deque<Event> events_;
  std::optional<Instant> renew_at_;
  std::optional<Rotation> rotation_;
  std::optional<Instant> pick_again_;     // another address is picked from then on
  std::optional<Instant> pins_due_;       // to the store
  std::optional<Instant> connect_again_;  // Config::connect_eagerly
  bool stopped_ = false;                  // Config::stop_without_hubs, and none is online
};
static_assert(ProtocolCore<Node>);

}  // namespace ginnel::node
