// Parsing builds the automaton back to front: each piece is made for a given next state.
#include "proto/swim/serf/pattern.h"

#include <algorithm>

namespace ginnel::swim::serf {

// First a tree, since a piece's next state is known only when what follows it is.
class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  std::optional<Pattern> run() {
    const std::size_t root = alternatives(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    Pattern out;
    out.states_.push_back({});  // 0: match
    out.start_ = build(out, root, 0);
    return out;
  }

 private:
  enum class Op : std::uint8_t { kEmpty, kSet, kThen, kOr, kStar, kPlus, kMaybe, kBegin, kEnd };
  struct Node {
    Op op = Op::kEmpty;
    std::bitset<256> set{};
    std::size_t a = 0;
    std::size_t b = 0;
  };

  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (!more() || peek() != c) return false;
    ++at_;
    return true;
  }
  std::size_t add(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }
  std::size_t fail() {
    failed_ = true;
    at_ = text_.size();
    return add({});
  }

  std::size_t alternatives(int depth) {
    if (depth > Pattern::kDepthMax) return fail();
    std::size_t left = sequence(depth);
    while (take('|')) left = add({Op::kOr, {}, left, sequence(depth)});
    return left;
  }
  std::size_t sequence(int depth) {
    std::size_t left = add({});
    while (more() && peek() != '|' && peek() != ')') {
      left = add({Op::kThen, {}, left, repeated(depth)});
    }
    return left;
  }
  std::size_t repeated(int depth) {
    const std::size_t piece = single(depth);
    if (take('*')) return add({Op::kStar, {}, piece, 0});
    if (take('+')) return add({Op::kPlus, {}, piece, 0});
    if (take('?')) return add({Op::kMaybe, {}, piece, 0});
    if (more() && peek() == '{') return fail();
    return piece;
  }
  std::size_t single(int depth) {
    if (take('(')) {
      if (more() && peek() == '?') return fail();
      const std::size_t inside = alternatives(depth + 1);
      return take(')') ? inside : fail();
    }
    if (take('^')) return add({Op::kBegin});
    if (take('$')) return add({Op::kEnd});
    if (take('[')) return char_class();
    if (take('.')) {
      std::bitset<256> any;
      any.set();
      any.reset('\n');
      return add({Op::kSet, any});
    }
    if (peek() == '*' || peek() == '+' || peek() == '?') return fail();
    return add({Op::kSet, one()});
  }

  // One character, or an escape that stands for several.
  std::bitset<256> one() {
    std::bitset<256> out;
    const char c = text_[at_++];
    if (c != '\\') return out.set(static_cast<unsigned char>(c));
    if (!more()) return failed_ = true, out;
    const char escaped = text_[at_++];
    const auto range = [&](char low, char high) {
      for (int i = low; i <= high; ++i) out.set(static_cast<std::size_t>(i));
    };
    switch (escaped) {
      case 'd': range('0', '9'); break;
      case 'w': range('0', '9'), range('a', 'z'), range('A', 'Z'), out.set('_'); break;
      case 's': range('\t', '\n'), range('\f', '\r'), out.set(' '); break;
      default:
        // Other letters and digits mean things that are not read here.
        failed_ = failed_ || std::string_view("0123456789abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                                     .find(escaped) != std::string_view::npos;
        out.set(static_cast<unsigned char>(escaped));
    }
    return out;
  }

  std::size_t char_class() {
    const bool inverse = take('^');
    std::bitset<256> out;
    for (bool first = true; more() && (first || peek() != ']'); first = false) {
      const char low = peek();
      if (low == '[' && at_ + 1 < text_.size() && text_[at_ + 1] == ':') return fail();
      const bool range = low != '\\' && at_ + 2 < text_.size() && text_[at_ + 1] == '-' &&
                         text_[at_ + 2] != ']';
      if (!range) {
        out |= one();
        continue;
      }
      const auto from = static_cast<unsigned char>(low);
      const auto to = static_cast<unsigned char>(text_[at_ + 2]);
      if (from > to || to == '\\') return fail();
      for (std::size_t i = from; i <= to; ++i) out.set(i);
      at_ += 3;
    }
    if (!take(']')) return fail();
    return add({Op::kSet, inverse ? ~out : out});
  }

  std::size_t state(Pattern& out, Pattern::State state) {
    out.states_.push_back(state);
    return out.states_.size() - 1;
  }
  // The state at which `node` begins, if `next` is what follows it.
  std::size_t build(Pattern& out, std::size_t index, std::size_t next) {
    const Node& node = nodes_[index];
    using Kind = Pattern::Kind;
    switch (node.op) {
      case Op::kEmpty: return next;
      case Op::kSet: return state(out, {Kind::kSet, node.set, next, 0});
      case Op::kBegin: return state(out, {Kind::kBegin, {}, next, 0});
      case Op::kEnd: return state(out, {Kind::kEnd, {}, next, 0});
      case Op::kThen: return build(out, node.a, build(out, node.b, next));
      case Op::kOr: {
        const std::size_t a = build(out, node.a, next);
        return state(out, {Kind::kSplit, {}, a, build(out, node.b, next)});
      }
      case Op::kMaybe: return state(out, {Kind::kSplit, {}, build(out, node.a, next), next});
      case Op::kStar:
      case Op::kPlus: break;
    }
    const std::size_t loop = state(out, {Kind::kSplit, {}, next, next});
    const std::size_t body = build(out, node.a, loop);
    out.states_[loop].next = body;
    return node.op == Op::kStar ? loop : body;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
  std::vector<Node> nodes_;
};

std::optional<Pattern> Pattern::parse(std::string_view text) {
  if (text.size() > kBytesMax) return std::nullopt;
  return PatternParser(text).run();
}

// Enters a state and all that can be reached from it without a character.
void Pattern::add(std::size_t start, bool at_begin, bool at_end, std::vector<bool>& in) const {
  std::vector<std::size_t> open{start};
  while (!open.empty()) {
    const std::size_t state = open.back();
    open.pop_back();
    if (in[state]) continue;
    in[state] = true;
    const State& s = states_[state];
    if (s.kind == Kind::kSplit) open.insert(open.end(), {s.next, s.other});
    if (s.kind == Kind::kBegin && at_begin) open.push_back(s.next);
    if (s.kind == Kind::kEnd && at_end) open.push_back(s.next);
  }
}

bool Pattern::matches(std::string_view text) const {
  std::vector<bool> now(states_.size());
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool at_end = i == text.size();
    add(start_, i == 0, at_end, now);
    if (now[0]) return true;
    if (at_end) return false;
    std::vector<bool> then(states_.size());
    for (std::size_t state = 0; state < states_.size(); ++state) {
      const State& s = states_[state];
      if (!now[state] || s.kind != Kind::kSet) continue;
      if (!s.set[static_cast<unsigned char>(text[i])]) continue;
      add(s.next, false, i + 1 == text.size(), then);
    }
    now = std::move(then);
  }
  return false;
}

}  // namespace ginnel::swim::serf
