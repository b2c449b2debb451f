// Start here. Ginnel connects programs by Id over many LANs, clouds and NATs:
//
//   #include <ginnel/ginnel.h>
//   int main() {
//     auto node = ginnel::Node::join({.token = ginnel::token_from_env(), .name = "alice"}).value();
//     auto chat = node.on_message("chat", [](const ginnel::Message& m) { std::puts(m.text().c_str()); });
//     node.send("bob", "chat", "hello").value();
//     node.run();
//   }
//
// node.h      the node: join, send, receive, look around
// message.h   what a handler gets
// types.h     snapshots: peers, hubs, paths
// error.h     Result<T, Error> and the codes; id.h: Ids
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>
#include <ginnel/message.h>
#include <ginnel/node.h>
#include <ginnel/result.h>
#include <ginnel/types.h>
