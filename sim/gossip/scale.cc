#include "sim/gossip/scale.h"

namespace ginnel::sim {
namespace {

constexpr Nanoseconds kStep = 100ms;     // how finely the times are told
constexpr Nanoseconds kPatience = 600s;  // for whatever should come about
constexpr Nanoseconds kSettled = 60s;    // after the joins, before anything is measured

class Scale {
 public:
  explicit Scale(const ScaleOptions& options)
      : options_(options),
        rng_(Rng::from_seed(options.seed).fork("scale")),
        net_({.seed = options.seed}),
        alive_(options.members) {}

  ScaleResult run() {
    join();
    net_.run_for(kSettled);
    idle();
    for (std::uint32_t i = 0; i < options_.killed; ++i) kill_one();
    if (options_.partition > 0ns) partition();
    return std::move(out_);
  }

 private:
  void join() {
    for (std::uint32_t i = 0; i < options_.members; ++i) {
      net_.add(swim::Config::lan());
      if (i > 0) net_.join(i, static_cast<std::uint32_t>(rng_.below(i)));
      net_.run_for(options_.join_gap);
    }
    out_.joined = until_all_see();
  }

  void idle() {
    net_.take_traffic();
    net_.run_for(options_.quiet);
    out_.idle = net_.take_traffic();
    count_false(net_.take_notes());
  }

  void kill_one() {
    std::uint32_t victim = 0;
    do victim = static_cast<std::uint32_t>(rng_.below(options_.members));
    while (net_.is_killed(victim));
    net_.take_notes();
    net_.kill(victim);
    --alive_;
    const Instant start = net_.now();
    std::set<std::uint32_t> seen_by;
    while (seen_by.size() < alive_ && net_.now() - start < kPatience) {
      net_.run_for(kStep);
      const std::vector<Note> notes = net_.take_notes();
      for (const Note& note : notes) {
        if (note.subject != victim || note.kind != Note::Kind::kFailed) continue;
        if (!seen_by.insert(note.observer).second) continue;
        if (seen_by.size() == 1) out_.first.push_back(note.at - start);
        if (seen_by.size() == alive_) out_.all.push_back(note.at - start);
      }
      count_false(notes);
    }
  }

  void partition() {
    std::vector<std::uint8_t> groups(options_.members);
    for (std::uint32_t i = 0; i < options_.members; ++i) groups[i] = i % 2;
    net_.set_groups(std::move(groups));
    const Instant end = net_.now() + options_.partition;
    while (net_.now() < end) {
      net_.run_until(std::min(end, net_.now() + 10s));
      net_.take_notes();
    }
    net_.set_groups({});
    out_.healed = until_all_see();
  }

  std::optional<Nanoseconds> until_all_see() {
    const Instant start = net_.now();
    while (!net_.all_see(alive_)) {
      if (net_.now() - start > kPatience) return std::nullopt;
      net_.run_for(kStep);
      net_.take_notes();
    }
    return net_.now() - start;
  }

  void count_false(const std::vector<Note>& notes) {
    for (const Note& note : notes) {
      const bool failed = note.kind == Note::Kind::kFailed && !net_.is_killed(note.subject);
      if (failed) ++out_.false_positives;
    }
  }

  const ScaleOptions& options_;
  Rng rng_;
  GossipNet net_;
  std::size_t alive_;
  ScaleResult out_;
};

}  // namespace

ScaleResult run_scale(const ScaleOptions& options) { return Scale(options).run(); }

}  // namespace ginnel::sim
