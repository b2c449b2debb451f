// ginnel-sim-gossip: what gossip does in virtual time, as tables for docs/benchmarks.md. All from a
// seed: the same command prints the same numbers.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "sim/gossip/lifeguard.h"
#include "sim/gossip/scale.h"
#include "sim/gossip/spread.h"

namespace ginnel::sim {
namespace {

constexpr char kUsage[] =
    "usage: ginnel-sim-gossip interval|threshold|scale|spread [--seed=N] [--runs=N] [--members=N]\n"
    "         [--rules=memberlist|paper] [--silence=blocked|stalled]\n"
    "         [--concurrent=C,…] [--silent=MS,…] [--between=MS,…] [--partition=SECONDS]\n"
    "         [--keys=N] [--changes=N] [--loss=PERCENT]\n"
    "interval, threshold: Lifeguard's experiments with each of its parts "
    "(sim/gossip/lifeguard.h).\n"
    "scale: joins, an idle cluster, deaths and a partition (sim/gossip/scale.h).\n"
    "spread: a change of shared data, and exchanges that find none (sim/gossip/spread.h).\n";

using List = std::vector<std::uint32_t>;

struct Arguments {
  std::string_view what;
  List seed{1}, runs{3}, members{}, concurrent{4, 8, 16, 32}, silent{2048, 8192, 32768},
      between{1, 64, 1024}, partition{0}, keys{10'000}, changes{20}, loss{0};
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

bool take_word(std::string_view text, Arguments& out) {
  if (text == "--rules=memberlist") return out.rules = LifeguardRules::kMemberlist, true;
  if (text == "--rules=paper") return out.rules = LifeguardRules::kPaper, true;
  if (text == "--silence=blocked") return out.silence = Silence::kBlocked, true;
  if (text == "--silence=stalled") return out.silence = Silence::kStalled, true;
  return false;
}

bool is_sound(const Arguments& a) {
  const auto positive = [](const List& list) { return std::ranges::min(list) > 0; };
  return positive(a.runs) && positive(a.members) && positive(a.concurrent) && positive(a.silent) &&
         positive(a.between) && std::ranges::max(a.concurrent) < a.members[0];
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
    const bool known = take_numbers(text, "--seed=", out.seed) ||
                       take_numbers(text, "--runs=", out.runs) ||
                       take_numbers(text, "--members=", out.members) ||
                       take_numbers(text, "--concurrent=", out.concurrent) ||
                       take_numbers(text, "--silent=", out.silent) ||
                       take_numbers(text, "--between=", out.between) ||
                       take_numbers(text, "--partition=", out.partition) ||
                       take_numbers(text, "--keys=", out.keys) ||
                       take_numbers(text, "--changes=", out.changes) ||
                       take_numbers(text, "--loss=", out.loss) || take_word(text, out);
    if (!known) return std::nullopt;
  }
  return is_sound(out) ? std::optional(out) : std::nullopt;
}

double seconds(Nanoseconds d) { return std::chrono::duration<double>(d).count(); }

// Of a sorted list; the value that so large a part does not exceed.
double quantile(const std::vector<Nanoseconds>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return seconds(sorted[static_cast<std::size_t>(part * last + 0.5)]);
}

template <class Each>
void each_setting(const Arguments& a, bool with_between, Each&& each) {
  const List once{a.between[0]};
  for (const std::uint32_t c : a.concurrent) {
    for (const std::uint32_t d : a.silent) {
      for (const std::uint32_t i : with_between ? a.between : once) each(c, d, i);
    }
  }
}

LifeguardOptions options_of(const Arguments& a, LifeguardPart part, std::uint32_t run,
                            std::uint32_t c, std::uint32_t d, std::uint32_t i) {
  return {.seed = a.seed[0] + run,
          .members = a.members[0],
          .part = part,
          .rules = a.rules,
          .silence = a.silence,
          .concurrent = c,
          .silent = std::chrono::milliseconds(d),
          .between = std::chrono::milliseconds(i)};
}

// One row a part: counts summed over all settings and runs, messages per member and second.
void print_interval(const Arguments& a) {
  std::printf(
      "| | false positives | at healthy members | suspicions | datagrams/s | bytes/s |\n"
      "|---|---|---|---|---|---|\n");
  for (std::size_t p = 0; p < static_cast<std::size_t>(LifeguardPart::kCount); ++p) {
    const auto part = static_cast<LifeguardPart>(p);
    IntervalResult sum;
    double member_seconds = 0;
    each_setting(a, true, [&](std::uint32_t c, std::uint32_t d, std::uint32_t i) {
      for (std::uint32_t run = 0; run < a.runs[0]; ++run) {
        const LifeguardOptions options = options_of(a, part, run, c, d, i);
        const IntervalResult one = run_interval(options);
        sum.false_positives += one.false_positives;
        sum.false_positives_at_healthy += one.false_positives_at_healthy;
        sum.suspicions += one.suspicions;
        sum.traffic.datagrams += one.traffic.datagrams;
        sum.traffic.datagram_bytes += one.traffic.datagram_bytes;
        member_seconds += seconds(options.duration) * options.members;
      }
    });
    std::printf("| %s | %llu | %llu | %llu | %.2f | %.0f |\n", std::string(name_of(part)).c_str(),
                static_cast<unsigned long long>(sum.false_positives),
                static_cast<unsigned long long>(sum.false_positives_at_healthy),
                static_cast<unsigned long long>(sum.suspicions),
                static_cast<double>(sum.traffic.datagrams) / member_seconds,
                static_cast<double>(sum.traffic.datagram_bytes) / member_seconds);
    std::fflush(stdout);
  }
}

void print_threshold(const Arguments& a) {
  std::printf(
      "| | found | missed | first: median | 99 %% | all: median | 99 %% |\n"
      "|---|---|---|---|---|---|---|\n");
  for (std::size_t p = 0; p < static_cast<std::size_t>(LifeguardPart::kCount); ++p) {
    const auto part = static_cast<LifeguardPart>(p);
    ThresholdResult sum;
    each_setting(a, false, [&](std::uint32_t c, std::uint32_t d, std::uint32_t i) {
      for (std::uint32_t run = 0; run < a.runs[0]; ++run) {
        const ThresholdResult one = run_threshold(options_of(a, part, run, c, d, i));
        sum.first.insert(sum.first.end(), one.first.begin(), one.first.end());
        sum.all.insert(sum.all.end(), one.all.begin(), one.all.end());
        sum.missed += one.missed;
      }
    });
    std::ranges::sort(sum.first);
    std::ranges::sort(sum.all);
    std::printf("| %s | %zu | %u | %.2f s | %.2f s | %.2f s | %.2f s |\n",
                std::string(name_of(part)).c_str(), sum.first.size(), sum.missed,
                quantile(sum.first, 0.5), quantile(sum.first, 0.99), quantile(sum.all, 0.5),
                quantile(sum.all, 0.99));
    std::fflush(stdout);
  }
}

void print_scale(const Arguments& a) {
  std::printf(
      "| members | joined after | datagrams/s | bytes/s | stream bytes/s | death: first, median "
      "| worst | all, median | worst | false | healed after |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::uint32_t members : a.members) {
    const ScaleOptions options{
        .seed = a.seed[0], .members = members, .partition = std::chrono::seconds(a.partition[0])};
    ScaleResult r = run_scale(options);
    std::ranges::sort(r.first);
    std::ranges::sort(r.all);
    const double member_seconds = seconds(options.quiet) * members;
    const auto per = [&](std::uint64_t n) { return static_cast<double>(n) / member_seconds; };
    std::printf("| %u | %.1f s | %.2f | %.0f | %.0f | %.2f s | %.2f s | %.2f s | %.2f s | %llu | ",
                members, r.joined ? seconds(*r.joined) : -1.0, per(r.idle.datagrams),
                per(r.idle.datagram_bytes), per(r.idle.stream_bytes), quantile(r.first, 0.5),
                quantile(r.first, 1), quantile(r.all, 0.5), quantile(r.all, 1),
                static_cast<unsigned long long>(r.false_positives));
    if (options.partition == 0ns)
      std::printf("- |\n");
    else if (r.healed)
      std::printf("%.1f s |\n", seconds(*r.healed));
    else
      std::printf("never |\n");
    std::fflush(stdout);
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
  if (arguments->what == "interval")
    ginnel::sim::print_interval(*arguments);
  else if (arguments->what == "threshold")
    ginnel::sim::print_threshold(*arguments);
  else if (arguments->what == "spread")
    ginnel::sim::print_spread(*arguments);
  else
    ginnel::sim::print_scale(*arguments);
  return 0;
}
