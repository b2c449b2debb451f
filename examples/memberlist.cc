// Two members of a gossip cluster in one program: they find each other, share a key, and one leaves.
#include <ginnel/memberlist.h>

#include <cstdio>
#include <thread>

using ginnel::gossip::Memberlist;
using namespace std::chrono_literals;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

int main() {
  Memberlist a =
      Memberlist::create({.name = "a", .bind = "127.0.0.1:0", .preset = "local"}).value();
  Memberlist b =
      Memberlist::create({.name = "b", .bind = "127.0.0.1:0", .preset = "local"}).value();
  b.join({a.address()}).value();
  for (const auto& member : b.members()) {
    std::printf("%s at %s\n", member.name.c_str(), member.address.c_str());
  }
  a.put("greeting", bytes("hello")).value();
  for (int tries = 0; tries < 1500 && !b.value("greeting"); ++tries) {
    std::this_thread::sleep_for(10ms);
  }
  const auto greeting = b.value("greeting");
  if (!greeting) return 1;
  std::printf("b has the greeting of a: %.*s\n", static_cast<int>(greeting->size()),
              reinterpret_cast<const char*>(greeting->data()));
  b.leave().value();
  return 0;
}
