// What a member tells its driver and its application, in the order in which it happened.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "base/instant.h"
#include "base/strong_int.h"
#include "proto/swim/push_pull_wire.h"

namespace ginnel::swim {

using StreamId = StrongInt<struct StreamIdTag, std::uint32_t>;
using AskId = StrongInt<struct AskIdTag, std::uint32_t>;

// How a stream ended that we did not close.
enum class StreamEnd : std::uint8_t {
  kClosed,  // the other side closed it, after all that it sent
  kFailed,  // it was never open, or it broke
};

// Why a join did not come about.
enum class JoinError : std::uint8_t {
  kUnreachable,  // no connection
  kTimeout,      // no whole answer in time
  kRefused,      // closed without an answer, answered with an error, or with what we can't read
  kVersions,     // the protocol numbers do not fit; `why` names both
  kVetoed,       // by our own application
  kBusy,         // too many streams of our own
};

// How a suspicion came about, as far as we can know.
enum class Reason : std::uint8_t { kNone, kOurProbeFailed, kGossip, kPushPull };

// A row of the list, copied: it stays what it was.
struct MemberInfo {
  std::string name;
  Endpoint endpoint;
  State state = State::kAlive;
  Incarnation incarnation;
  ByteVector meta;
  Vsn vsn = kNoVsn;
  Instant since;                          // of this state
  std::vector<std::string> suspected_by;  // who accused it last, first accuser first; kept when dead
  Reason reason = Reason::kNone;          // of the last suspicion
};

// --- For the application: memberlist's Events, Conflict and Delegate.
struct Joined { MemberInfo member; };     // alive that was unknown, dead or left; never ourselves
struct Updated { MemberInfo member; };    // its meta or address is another
struct Suspected { MemberInfo member; std::string by; };
struct Cleared { MemberInfo member; };    // suspect to alive: it refuted
struct Failed { MemberInfo member; std::string by; };
struct Left { MemberInfo member; };       // by its own will
struct Reaped { MemberInfo member; };     // forgotten
struct Refuted { Incarnation incarnation; std::string by; };  // we, after `by` accused us
struct Conflict { MemberInfo kept; Endpoint other; };  // two addresses claim one name; or ours
struct UserMessage { ByteVector bytes; bool reliable = false; Endpoint from; };
struct RemoteState { ByteVector bytes; bool join = false; };  // the other's user state
struct AckPayload { std::string name; Nanoseconds round_trip{}; ByteVector bytes; };
// A stream's other side has another key or label, so neither can read the other. At most one each
// kMisfitPause. `theirs`: what it says of itself in clear, so it may be false; may be empty.
struct Misfit { Endpoint peer; Drop why; bool dialled_by_us = false; std::string theirs; };
struct LeaveDone {};                      // our own leave has spread, or its time is over

// --- Outcomes of what the application asked for.
struct JoinDone { Endpoint via; };
struct JoinFailed { Endpoint via; JoinError error; std::string why; };
// The cluster that we joined holds our name, alive at another address. Nothing was merged.
struct NameTaken { MemberInfo holder; Endpoint via; };
struct SendDone { StreamId stream; bool sent = false; };  // of send_reliable
struct PingDone { std::string name; std::optional<Nanoseconds> round_trip; };  // of ping()
// Config::adopt_versions: these are ours now, as the first member that we met has them.
struct VersionsAdopted { Vsn vsn; };
struct MergeRefused { Endpoint from; std::string why; };  // versions, or the application's veto

// --- Vetoes, only when the Config asks for them. Until the answer comes nothing happens.
struct AskAlive { AskId id; MemberInfo member; };  // answer_alive
struct AskMerge { AskId id; std::vector<MemberInfo> members; };  // answer_merge

// --- For the driver: TCP. An open, all writes, then a close that waits for what was written.
struct StreamOpen { StreamId stream; Endpoint to; };
struct StreamWrite { StreamId stream; ByteVector bytes; };
struct StreamClose { StreamId stream; };

using Event = std::variant<Joined, Updated, Suspected, Cleared, Failed, Left, Reaped, Refuted,
                           Conflict, UserMessage, Misfit, RemoteState, AckPayload, LeaveDone, JoinDone,
                           JoinFailed, NameTaken, VersionsAdopted, SendDone, PingDone, MergeRefused, AskAlive, AskMerge,
                           StreamOpen, StreamWrite, StreamClose>;

}  // namespace ginnel::swim
