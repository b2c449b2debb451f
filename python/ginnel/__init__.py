"""Ginnel connects programs by Id over many LANs, clouds and NATs.

    import ginnel
    node = ginnel.Node.join(token=ginnel.token_from_env(), name="alice")
    chat = node.on_message("chat", lambda m: print(m.text))
    node.send("bob", "chat", "hello")
    node.run()

Python's standard library only, over the C interface (libginnel.so). The library is taken from
$GINNEL_LIBRARY, else from beside this file, else from where the system looks for libraries.

Thread-safe as the C++ Node: handlers run on the node's one I/O thread, never two at once. What waits
(Node.send_acked, Node.request, Node.wait_online, Node.close) must not be called in a handler. With
`external=True` there is no thread: call Node.poll, when Node.fileno() is readable.
"""
from ._node import (Code, Failed, GinnelError, Message, Node, Peer, Request, Subscription, Undelivered,
                    token_from_env, version)

__all__ = ["Code", "Failed", "GinnelError", "Message", "Node", "Peer", "Request", "Subscription",
           "Undelivered", "token_from_env", "version"]
