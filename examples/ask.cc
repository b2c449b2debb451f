// Requests and their answers: one program does sums, others ask it.
//
// usage: ask NAME                    answers "3 4" with "7", until its input ends
//        ask NAME PEER NUMBER…       asks, prints the answer, and exits 0
#include <ginnel/ginnel.h>

#include <iostream>
#include <sstream>
#include <string>

namespace {

using namespace std::chrono_literals;

void answer(const ginnel::Request& request) {
  std::istringstream numbers(request.text());
  long sum = 0;
  for (long number = 0; numbers >> number;) sum += number;
  if (!numbers.eof()) return (void)request.fail();  // the other side gets kReplyFailed
  (void)request.reply(std::to_string(sum));
}

int serve(ginnel::Node& node) {
  const auto sums = node.on_request("sum", answer);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) continue;
  return 0;
}

int ask(ginnel::Node& node, const std::string& peer, const std::string& numbers) {
  const auto reply = node.request(peer, "sum", numbers, 20s).get();
  if (!reply) {
    std::cerr << "ask: " << reply.error().text << "\n  " << reply.error().hint << "\n";
    return 1;
  }
  std::cout << reply->text() << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: ask NAME [PEER NUMBER…]\n";
    return 2;
  }
  auto node = ginnel::Node::join({.token = ginnel::token_from_env(), .name = argv[1]});
  if (!node) {
    std::cerr << "ask: " << node.error().text << "\n  " << node.error().hint << "\n";
    return 1;
  }
  if (argc < 3) return serve(*node);
  std::string numbers;
  for (int i = 3; i < argc; ++i) numbers += std::string(argv[i]) + " ";
  if (!numbers.empty()) numbers.pop_back();
  return ask(*node, argv[2], numbers);
}
