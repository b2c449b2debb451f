// A chat: what is typed goes to every name on the command line, what they say is printed.
//
// usage: chat [--attach] NAME PEER…      (GINNEL_TOKEN for the first time; ends with the input)
// With --attach it speaks through the daemon on this machine, as which NAME does not matter.
#include <ginnel/ginnel.h>

#include <iostream>
#include <span>
#include <string>

namespace {

using namespace std::chrono_literals;

int fail(const ginnel::Error& error) {
  std::cerr << "chat: " << error.text << "\n  " << error.hint << "\n";
  return 1;
}

// Who did not take a line within this is not there; the chat goes on.
void say(ginnel::Node& node, const std::vector<std::string>& peers, const std::string& line) {
  const auto data = std::as_bytes(std::span(line));
  for (const ginnel::Failed& one : node.send_acked(peers, "chat", data, 10s).get()) {
    std::cerr << one.peer << " did not get that: " << one.error.text << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool attach = argc > 1 && std::string(argv[1]) == "--attach";
  const int first = attach ? 2 : 1;
  if (argc < first + 2) {
    std::cerr << "usage: chat [--attach] NAME PEER…\n";
    return 2;
  }
  const std::vector<std::string> peers(argv + first + 1, argv + argc);
  auto node = attach ? ginnel::Node::attach()
                     : ginnel::Node::join({.token = ginnel::token_from_env(), .name = argv[first]});
  if (!node) return fail(node.error());
  const auto chat = node->on_message("chat", [](const ginnel::Message& message) {
    std::cout << message.from_name() << ": " << message.text() << std::endl;
  });
  for (std::string line; std::getline(std::cin, line);) say(*node, peers, line);
}
