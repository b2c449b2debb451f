#include "proto/swim/serf/user_state.h"

#include "proto/swim/limits.h"
#include "proto/swim/msgpack.h"

namespace ginnel::swim::serf {
namespace {

constexpr std::array<std::string_view, 6> kFields{"LTime",      "StatusLTimes", "LeftMembers",
                                                  "EventLTime", "Events",       "QueryLTime"};
constexpr std::array<std::string_view, 2> kSlotFields{"LTime", "Events"};
constexpr std::array<std::string_view, 2> kUserEventFields{"Name", "Payload"};

class StateReader {
 public:
  explicit StateReader(ConstBytes body) : r_(body) {}

  Result<UserState, Drop> read() {
    r_.read_struct(kFields, [&](std::size_t field) {
      switch (field) {
        case 0: out_.ltime = ltime(); break;
        case 1: read_status_ltimes(); break;
        case 2: read_left_members(); break;
        case 3: out_.event_ltime = ltime(); break;
        case 4: read_events(); break;
        default: out_.query_ltime = ltime();
      }
    });
    if (too_large_) return Fail(Drop::kTooLarge);
    if (r_.problem()) return Fail(*r_.problem());
    return std::move(out_);
  }

 private:
  bool going() const { return !too_large_ && !r_.problem(); }
  std::size_t at_most(std::size_t count, std::size_t most) {
    too_large_ = too_large_ || count > most;
    return count;
  }
  Ltime ltime() {
    const auto value = r_.number<Ltime>();
    too_large_ = too_large_ || value > kLtimeMax;
    return value;
  }
  std::string name() {
    const std::string_view text = r_.text();
    too_large_ = too_large_ || text.size() > kNameBytesMax;
    return std::string(text);
  }

  void read_status_ltimes() {
    const std::size_t count = at_most(r_.map_size(), Intents::kNamesMax);
    for (std::size_t i = 0; i < count && going(); ++i) {
      std::string key = name();
      out_.status_ltimes.emplace_back(std::move(key), ltime());
    }
  }
  void read_left_members() {
    const std::size_t count = at_most(r_.array_size(), Intents::kNamesMax);
    for (std::size_t i = 0; i < count && going(); ++i) out_.left_members.push_back(name());
  }
  void read_events() {
    const std::size_t count = at_most(r_.array_size(), kRingSize);
    for (std::size_t i = 0; i < count && going(); ++i) {
      if (!r_.take_nil()) read_slot();  // serf sends its ring with its empty places
    }
  }
  void read_slot() {
    EventBuffer::Slot slot;
    r_.read_struct(kSlotFields, [&](std::size_t field) {
      if (field == 0) {
        slot.ltime = ltime();
        return;
      }
      const std::size_t count = at_most(r_.array_size(), kPerTimeMax);
      for (std::size_t i = 0; i < count && going(); ++i) slot.events.push_back(read_event());
    });
    out_.events.push_back(std::move(slot));
  }
  SeenEvent read_event() {
    SeenEvent event;
    r_.read_struct(kUserEventFields, [&](std::size_t field) {
      if (field == 0) event.name = r_.text();
      else event.payload = to_vector(r_.raw());
    });
    return event;
  }

  MsgpackReader r_;
  UserState out_;
  bool too_large_ = false;
};

void write_slot(MsgpackWriter& w, const EventBuffer::Slot& slot) {
  w.map(2).key("Events").array(slot.events.size());
  for (const SeenEvent& event : slot.events) {
    w.map(2).key("Name").text(event.name).key("Payload").bytes(event.payload);
  }
  w.key("LTime").number(slot.ltime);
}

}  // namespace

Result<UserState, Drop> UserState::parse(ConstBytes state) {
  if (state.empty()) return Fail(Drop::kEmpty);
  if (state[0] != static_cast<std::byte>(Type::kPushPull)) return Fail(Drop::kUnknownType);
  return StateReader(state.subspan(1)).read();
}

ByteVector encode(const UserState& state) {
  ByteVector out{static_cast<std::byte>(Type::kPushPull)};
  MsgpackWriter w(out);
  w.map(6).key("EventLTime").number(state.event_ltime);
  w.key("Events").array(state.events.size());
  for (const EventBuffer::Slot& slot : state.events) write_slot(w, slot);
  w.key("LTime").number(state.ltime);
  w.key("LeftMembers").array(state.left_members.size());
  for (const std::string& name : state.left_members) w.text(name);
  w.key("QueryLTime").number(state.query_ltime);
  w.key("StatusLTimes").map(state.status_ltimes.size());
  for (const auto& [name, ltime] : state.status_ltimes) w.text(name).number(ltime);
  return out;
}

}  // namespace ginnel::swim::serf
