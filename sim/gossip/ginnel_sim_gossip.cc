// ginnel-sim-gossip: what gossip does in virtual time, as CSV: one row a run. All from a seed: the
// same command prints the same rows. bench/gossip/run.py makes tables and plots of them.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "sim/gossip/lifeguard.h"
#include "sim/gossip/scale.h"
#include "sim/gossip/spread.h"

namespace ginnel::sim {
namespace {

constexpr char kUsage[] =
    "usage: ginnel-sim-gossip interval|threshold|scale|spread [--seed=N] [--runs=N] [--members=N,…]\n"
    "         [--part=SWIM|LHA-Probe|LHA-Suspicion|Buddy|Lifeguard] [--rules=memberlist|paper]\n"
    "         [--silence=blocked|stalled] [--concurrent=C,…] [--silent=MS,…] [--between=MS,…]\n"
    "         [--killed=N] [--quiet=SECONDS] [--partition=SECONDS]\n"
    "         [--keys=N] [--changes=N] [--loss=PERCENT]\n"
    "interval, threshold: Lifeguard's experiments (sim/gossip/lifeguard.h); all parts if none is "
    "named.\n"
    "scale: joins, an idle cluster, deaths and a partition (sim/gossip/scale.h).\n"
    "spread: a change of shared data, and exchanges that find none (sim/gossip/spread.h).\n"
    "The first line names the columns. Times are in milliseconds; of many, separated by spaces.\n";

using List = std::vector<std::uint32_t>;

struct Arguments {
  std::string_view what;
  List seed{1}, runs{1}, members{}, concurrent{16}, silent{8192, 32768}, between{64};
  List killed{10}, quiet{120}, partition{0}, keys{10'000}, changes{20}, loss{0};
  std::vector<LifeguardPart> parts;
  LifeguardRules rules = LifeguardRules::kMemberlist;
  Silence silence = Silence::kBlocked;
};

bool take_numbers(std::string_view text, std::string_view prefix, List& out) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  out.clear();
  while (true) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc()) return false;
    out.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (text.empty()) return true;
    if (text[0] != ',') return false;
    text.remove_prefix(1);
  }
}

std::vector<LifeguardPart> all_parts() {
  std::vector<LifeguardPart> out;
  for (std::size_t p = 0; p < static_cast<std::size_t>(LifeguardPart::kCount); ++p) {
    out.push_back(static_cast<LifeguardPart>(p));
  }
  return out;
}

bool take_word(std::string_view text, Arguments& out) {
  constexpr std::string_view kPart = "--part=";
  if (text == "--rules=memberlist") return out.rules = LifeguardRules::kMemberlist, true;
  if (text == "--rules=paper") return out.rules = LifeguardRules::kPaper, true;
  if (text == "--silence=blocked") return out.silence = Silence::kBlocked, true;
  if (text == "--silence=stalled") return out.silence = Silence::kStalled, true;
  if (!text.starts_with(kPart)) return false;
  for (const LifeguardPart part : all_parts()) {
    if (name_of(part) != text.substr(kPart.size())) continue;
    out.parts.push_back(part);
    return true;
  }
  return false;
}

bool is_sound(const Arguments& a) {
  const auto positive = [](const List& list) { return std::ranges::min(list) > 0; };
  return positive(a.runs) && positive(a.members) && positive(a.silent) && positive(a.between) &&
         positive(a.quiet) && std::ranges::max(a.concurrent) < std::ranges::min(a.members) &&
         a.killed[0] < std::ranges::min(a.members);
}

std::optional<Arguments> parse(int count, char** texts) {
  if (count < 2) return std::nullopt;
  Arguments out;
  out.what = texts[1];
  constexpr std::string_view kWhats[] = {"interval", "threshold", "scale", "spread"};
  if (std::ranges::find(kWhats, out.what) == std::end(kWhats)) return std::nullopt;
  const bool large = out.what == "scale" || out.what == "spread";
  out.members = {large ? 1000u : 128u};
  for (int i = 2; i < count; ++i) {
    const std::string_view text = texts[i];
    const bool known =
        take_numbers(text, "--seed=", out.seed) || take_numbers(text, "--runs=", out.runs) ||
        take_numbers(text, "--members=", out.members) ||
        take_numbers(text, "--concurrent=", out.concurrent) ||
        take_numbers(text, "--silent=", out.silent) ||
        take_numbers(text, "--between=", out.between) ||
        take_numbers(text, "--killed=", out.killed) || take_numbers(text, "--quiet=", out.quiet) ||
        take_numbers(text, "--partition=", out.partition) ||
        take_numbers(text, "--keys=", out.keys) || take_numbers(text, "--changes=", out.changes) ||
        take_numbers(text, "--loss=", out.loss) || take_word(text, out);
    if (!known) return std::nullopt;
  }
  if (out.parts.empty()) out.parts = all_parts();
  return is_sound(out) ? std::optional(std::move(out)) : std::nullopt;
}

using Count = unsigned long long;  // what printf knows

double milliseconds(Nanoseconds d) { return std::chrono::duration<double, std::milli>(d).count(); }

std::string list_of(std::vector<Nanoseconds> times) {
  std::ranges::sort(times);
  std::string out;
  for (const Nanoseconds time : times) {
    if (!out.empty()) out += ' ';
    out += std::to_string(static_cast<long long>(milliseconds(time) + 0.5));
  }
  return out;
}

void print_traffic(const GossipTraffic& t) {
  std::printf("%llu,%llu,%llu,%llu", static_cast<Count>(t.datagrams),
              static_cast<Count>(t.datagram_bytes), static_cast<Count>(t.streams),
              static_cast<Count>(t.stream_bytes));
}

// Each setting with each seed; `each` prints its own columns.
template <class Each>
void print_lifeguard(const Arguments& a, const char* columns, Each&& each) {
  std::printf("rules,silence,part,members,concurrent,silent,between,seed,%s\n", columns);
  const auto row = [&](const LifeguardOptions& o) {
    std::printf("%s,%s,%s,%u,%u,%.0f,%.0f,%llu,",
                o.rules == LifeguardRules::kPaper ? "paper" : "memberlist",
                o.silence == Silence::kBlocked ? "blocked" : "stalled",
                std::string(name_of(o.part)).c_str(), o.members, o.concurrent,
                milliseconds(o.silent), milliseconds(o.between), static_cast<Count>(o.seed));
    each(o);
    std::printf("\n");
    std::fflush(stdout);
  };
  for (const LifeguardPart part : a.parts) {
    for (const std::uint32_t c : a.concurrent) {
      for (const std::uint32_t d : a.silent) {
        for (const std::uint32_t i : a.between) {
          for (std::uint32_t run = 0; run < a.runs[0]; ++run) {
            row({.seed = a.seed[0] + run,
                 .members = a.members[0],
                 .part = part,
                 .rules = a.rules,
                 .silence = a.silence,
                 .concurrent = c,
                 .silent = std::chrono::milliseconds(d),
                 .between = std::chrono::milliseconds(i)});
          }
        }
      }
    }
  }
}

void print_interval(const Arguments& a) {
  print_lifeguard(a,
                  "false_positives,false_positives_at_healthy,suspicions,seconds,datagrams,"
                  "datagram_bytes,streams,stream_bytes",
                  [](const LifeguardOptions& o) {
                    const IntervalResult r = run_interval(o);
                    std::printf("%llu,%llu,%llu,%.0f,", static_cast<Count>(r.false_positives),
                                static_cast<Count>(r.false_positives_at_healthy),
                                static_cast<Count>(r.suspicions), milliseconds(o.duration) / 1000);
                    print_traffic(r.traffic);
                  });
}

void print_threshold(const Arguments& a) {
  print_lifeguard(a, "missed,first,all", [](const LifeguardOptions& o) {
    const ThresholdResult r = run_threshold(o);
    std::printf("%u,%s,%s", r.missed, list_of(r.first).c_str(), list_of(r.all).c_str());
  });
}

void print_scale(const Arguments& a) {
  std::printf(
      "members,seed,joined,quiet,datagrams,datagram_bytes,streams,stream_bytes,first,all,"
      "false_positives,partition,healed\n");
  for (const std::uint32_t members : a.members) {
    for (std::uint32_t run = 0; run < a.runs[0]; ++run) {
      const ScaleOptions options{.seed = a.seed[0] + run,
                                 .members = members,
                                 .quiet = std::chrono::seconds(a.quiet[0]),
                                 .killed = a.killed[0],
                                 .partition = std::chrono::seconds(a.partition[0])};
      const ScaleResult r = run_scale(options);
      const auto or_never = [](std::optional<Nanoseconds> d) {
        return d ? list_of({*d}) : std::string("never");
      };
      std::printf("%u,%llu,%s,%u,", members, static_cast<Count>(options.seed),
                  or_never(r.joined).c_str(), a.quiet[0]);
      print_traffic(r.idle);
      std::printf(",%s,%s,%llu,%u,%s\n", list_of(r.first).c_str(), list_of(r.all).c_str(),
                  static_cast<Count>(r.false_positives), a.partition[0],
                  options.partition == 0ns ? "" : or_never(r.healed).c_str());
      std::fflush(stdout);
    }
  }
}

double median(std::vector<double> list) {
  if (list.empty()) return 0;
  std::ranges::sort(list);
  return list[list.size() / 2];
}

double worst(const std::vector<double>& list) {
  return list.empty() ? 0 : *std::ranges::max_element(list);
}

void print_spread(const Arguments& a) {
  std::printf(
      "| members | keys | loss | newcomers have all | rounds to 99 %%: median | worst "
      "| to all: median | worst | missed by rumor | bytes per idle exchange "
      "| exchanges/s | that differed |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::uint32_t members : a.members) {
    const SpreadResult r = run_spread({.seed = a.seed[0],
                                       .members = members,
                                       .keys = a.keys[0],
                                       .loss = a.loss[0] / 100.0,
                                       .changes = a.changes[0]});
    std::printf("| %u | %u | %u %% | %s | %.2f | %.2f | %.2f | %.2f | %u of %llu "
                "| %.1f | %.3f | %llu |\n",
                members, a.keys[0], a.loss[0], r.all_have_all ? "yes" : "no",
                median(r.rounds_most), worst(r.rounds_most), median(r.rounds_all),
                worst(r.rounds_all), r.late,
                static_cast<unsigned long long>(a.changes[0]) * members, r.bytes_per_exchange,
                r.exchanges_per_second, static_cast<unsigned long long>(r.differing));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace ginnel::sim

int main(int count, char** texts) {
  const auto arguments = ginnel::sim::parse(count, texts);
  if (!arguments) {
    std::fputs(ginnel::sim::kUsage, stderr);
    return 2;
  }
  if (arguments->what == "interval") {
    ginnel::sim::print_interval(*arguments);
  } else if (arguments->what == "threshold") {
    ginnel::sim::print_threshold(*arguments);
  } else if (arguments->what == "spread") {
    ginnel::sim::print_spread(*arguments);
  } else {
    ginnel::sim::print_scale(*arguments);
  }
  return 0;
}
