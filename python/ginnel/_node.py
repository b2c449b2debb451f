"""Node and what it hands out."""
import atexit
import collections
import ctypes as c
import enum
import os
import sys
import threading
import traceback
import weakref

from . import _native
from ._native import lib


def _codes():
    names, number = {}, 1
    while True:
        name = lib.ginnel_code_name(number).decode().removeprefix("E_")
        names[name] = number
        if name == "INTERNAL":  # the last one that this library has
            return names
        number += 1


Code = enum.IntEnum("Code", _codes())


class GinnelError(Exception):
    """`code` is one of Code, `name` its E_… text, `hint` what to do next."""

    def __init__(self, code, name, text, hint):
        super().__init__(f"{text} [{name}]" + (f"\n  {hint}" if hint else ""))
        self.code, self.name, self.text, self.hint = code, name, text, hint

    @classmethod
    def of(cls, error):
        number = error.code
        code = Code(number) if number in Code._value2member_map_ else Code.INTERNAL
        return cls(code, error.name.decode(), error.text.decode("utf-8", "replace"),
                   error.hint.decode("utf-8", "replace"))


Failed = collections.namedtuple("Failed", "peer error")
Peer = collections.namedtuple("Peer", "id name address state path rtt rx_bytes tx_bytes")
Undelivered = collections.namedtuple("Undelivered", "sent peer channel data error")


_nodes = weakref.WeakSet()  # those that are not closed yet


@atexit.register
def _leave():
    """No handler is called in an interpreter that ends, and the others are told."""
    for node in list(_nodes):
        node.close()


class Message:
    """One message; a copy, so it may be kept. `from_id` and `from_name` say who sent it."""

    __slots__ = ("from_id", "from_name", "channel", "data")

    def __init__(self, view):
        self.from_id = view.from_.decode()
        self.from_name = view.from_name.decode()
        self.channel = view.channel.decode("utf-8", "replace")
        self.data = _bytes(view)

    @property
    def text(self):
        return self.data.decode("utf-8", "replace")


class Request(Message):
    """A message that is answered once, in its handler or later. One that is dropped has failed."""

    __slots__ = ("_handle",)

    def __init__(self, view, handle):
        super().__init__(view)
        self._handle = handle

    def reply(self, data):
        raw = _raw(data)
        _check(lib.ginnel_reply, self._handle, raw, len(raw))

    def fail(self, code=None):
        number = Code.REPLY_FAILED if code is None else code
        _check(lib.ginnel_refuse, self._handle, int(number))

    def __del__(self):
        if lib is not None:
            lib.ginnel_request_free(self._handle)


class Subscription:
    """Ends with cancel(), with its `with` block, or with the node."""

    def __init__(self, node, handle, function):
        self._node, self._handle, self._function = node, handle, function
        node._subscriptions.add(self)

    def cancel(self):
        handle, self._handle = self._handle, None
        if handle:
            lib.ginnel_unsubscribe(handle)
        # The C function that is running, if this is its own handler, must outlive this call.
        self._node._retired.append(self._function)
        self._node._subscriptions.discard(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cancel()


class Node:
    """A node of this program (join, open), or the local daemon's (attach)."""

    def __init__(self, handle, external=False):
        self._handle = handle
        self._external = external
        self._stopped = threading.Event()
        self._subscriptions = set()
        # Functions whose subscriptions ended a while ago; nobody is inside one for so long.
        self._retired = collections.deque(maxlen=64)
        _nodes.add(self)
        self._calls = {}  # of what is under way: their C functions must live so long

    @classmethod
    def join(cls, token=None, name=None, dir=None, listen=None, timeout=None, external=False):
        """Enrols with the token if the folder has no identity yet; connecting goes on behind."""
        options = _options(token, name, dir, listen, timeout, external)
        return cls(_make(lib.ginnel_join, c.byref(options)), external)

    @classmethod
    def open(cls, name=None, dir=None, listen=None, external=False):
        """As join, but never touches the network: the folder must hold an identity."""
        options = _options(None, name, dir, listen, None, external)
        return cls(_make(lib.ginnel_open, c.byref(options)), external)

    @classmethod
    def attach(cls, dir=None):
        """The node of the daemon in `dir`, or where the command line looks for it."""
        return cls(_make(lib.ginnel_attach, _text(dir)))

    def close(self):
        """Leaves: what was sent has up to a second to arrive."""
        handle, self._handle = self._handle, None
        if not handle:
            return
        for subscription in list(self._subscriptions):
            subscription.cancel()
        lib.ginnel_close(handle)
        self._stopped.set()
        _nodes.discard(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if lib is not None and getattr(self, "_handle", None):
            self.close()

    @property
    def id(self):
        return self._get(lib.ginnel_id)

    @property
    def name(self):
        return self._get(lib.ginnel_name)

    def wait_online(self, timeout=None):
        return bool(lib.ginnel_wait_online(self._open(), _milliseconds(timeout)))

    def send(self, peer, channel, data):
        """Reliable, in order per (peer, channel). Never blocks: Code.WOULD_BLOCK, then on_writable."""
        raw = _raw(data)
        _check(lib.ginnel_send, self._open(), _text(peer), _text(channel), raw, len(raw))

    def send_datagram(self, peer, channel, data):
        """At most once, up to max_datagram(peer) bytes."""
        raw = _raw(data)
        _check(lib.ginnel_send_datagram, self._open(), _text(peer), _text(channel), raw, len(raw))

    def max_datagram(self, peer):
        return lib.ginnel_max_datagram(self._open(), _text(peer))

    def send_acked(self, peers, channel, data, timeout=10.0, done=None):
        """To one name or many; waits, and returns a list of Failed: empty if all took it.

        With `done` it returns at once, and done(list) is called like a handler."""
        names = [peers] if isinstance(peers, str) else list(peers)
        raw, array = _raw(data), (c.c_char_p * len(names))(*[_text(name) for name in names])

        def start(function):
            _check(lib.ginnel_send_acked, self._open(), array, len(names), _text(channel), raw,
                   len(raw), _milliseconds(timeout), function, None)

        def read(rows, count):
            return [Failed(rows[i].peer.decode(), GinnelError.of(rows[i].error[0]))
                    for i in range(count)]

        return self._call(_native.AckedFn, start, read, done)

    def request(self, peer, channel, data, timeout=10.0, done=None):
        """Waits for the answer, a Message; raises GinnelError when there is none.

        With `done` it returns at once, and done(Message or GinnelError) is called like a handler."""
        raw = _raw(data)

        def start(function):
            _check(lib.ginnel_ask, self._open(), _text(peer), _text(channel), raw, len(raw),
                   _milliseconds(timeout), function, None)

        def read(reply, error):
            return Message(reply[0]) if reply else GinnelError.of(error[0])

        answer = self._call(_native.ReplyFn, start, read, done)
        if isinstance(answer, GinnelError):
            raise answer
        return answer

    def on_message(self, channel, handler):
        """handler(Message). Keep what is returned only to cancel it."""
        function = _handler(_native.MessageFn, lambda view: handler(Message(view[0])))
        return self._subscribe(lib.ginnel_on_message, function, _text(channel))

    def on_request(self, channel, handler):
        """handler(Request), which answers by reply() or fail(); what it returns is the reply, too."""

        def answer(view, handle):
            request = Request(view[0], handle)
            try:
                data = handler(request)
            except Exception:
                request.fail()
                raise
            if data is not None:
                request.reply(data)

        function = _handler(_native.RequestFn, answer)
        return self._subscribe(lib.ginnel_on_request, function, _text(channel))

    def on_undelivered(self, handler):
        """handler(Undelivered): what send() took and could not deliver."""

        def read(view):
            lost = view[0]
            handler(Undelivered(lost.outcome == 1, lost.peer.decode(),
                                lost.channel.decode("utf-8", "replace"), _bytes(lost),
                                GinnelError.of(lost.error[0])))

        return self._subscribe(lib.ginnel_on_undelivered, _handler(_native.UndeliveredFn, read))

    def on_writable(self, handler):
        """handler(peer_id, channel): it takes messages again after Code.WOULD_BLOCK."""
        function = _handler(_native.WritableFn, lambda peer, channel: handler(
            peer.decode(), channel.decode("utf-8", "replace")))
        return self._subscribe(lib.ginnel_on_writable, function)

    def peers(self):
        rows = []

        def add(view):
            peer = view[0]
            texts = [text.decode() for text in (peer.id, peer.name, peer.address, peer.state,
                                                peer.path)]
            rtt = peer.rtt_seconds if peer.rtt_seconds >= 0 else None
            rows.append(Peer(*texts, rtt, peer.rx_bytes, peer.tx_bytes))

        _check(lib.ginnel_peers, self._open(), _handler(_native.PeerFn, add), None)
        return rows

    def run(self):
        """Until stop() or Ctrl-C."""
        while not self._stopped.is_set():
            if self._external:
                self.poll(0.1)
            else:
                self._stopped.wait(0.5)  # wakes up for signals

    def stop(self):
        self._stopped.set()

    def fileno(self):
        """With external=True: readable when poll() has something to do; fits select and asyncio."""
        return lib.ginnel_fd(self._open())

    def next_deadline(self):
        """Seconds until poll() is due, for those who do not watch fileno(); None: not by itself."""
        left = lib.ginnel_next_deadline_ms(self._open())
        return None if left < 0 else left / 1000

    def poll(self, wait=0.0):
        """With external=True: does all that is due, and what becomes due in `wait` seconds."""
        _check(lib.ginnel_poll, self._open(), _milliseconds(wait))

    def _open(self):
        if not self._handle:
            raise GinnelError(Code.CLOSED, "E_CLOSED", "the node was closed", "")
        return self._handle

    def _get(self, function):
        out = c.create_string_buffer(256)
        function(self._open(), out, len(out))
        return out.value.decode()

    def _subscribe(self, subscribe, function, *arguments):
        handle = _make(subscribe, self._open(), *arguments, function, None)
        return Subscription(self, handle, function)

    def _call(self, kind, start, read, done):
        """Starts what ends with one call of a C function, and waits for it unless there is `done`."""
        box, over, key = [], threading.Event(), object()

        def finish(*values):
            try:
                box.append(read(*values))
                if done:
                    done(box[0])
            finally:
                self._retired.append(self._calls.pop(key, None))
                over.set()

        function = _handler(kind, finish)
        self._calls[key] = function
        try:
            start(function)
        except GinnelError:
            self._calls.pop(key, None)
            raise
        if done:
            return None
        while not over.wait(0.0 if self._external else 0.5):
            if self._external:
                self.poll(0.01)
        return box[0]


def token_from_env():
    """The text of $GINNEL_TOKEN, or nothing."""
    return os.environ.get("GINNEL_TOKEN", "")


def version():
    return lib.ginnel_version().decode()


def _handler(kind, function):
    """A C function that never throws: what the Python one raises goes to standard error."""

    def call(_, *values):
        try:
            function(*values)
        except Exception:
            traceback.print_exc(file=sys.stderr)

    return kind(call)


def _error():
    out = _native.Error()
    out.size = c.sizeof(out)
    return out


def _check(function, *arguments):
    error = _error()
    if function(*arguments, c.byref(error)) != 0:
        raise GinnelError.of(error)


def _make(function, *arguments):
    error = _error()
    handle = function(*arguments, c.byref(error))
    if not handle:
        raise GinnelError.of(error)
    return handle


def _options(token, name, dir, listen, timeout, external):
    out = _native.Options()
    out.size = c.sizeof(out)
    out.token, out.name, out.dir, out.listen = _text(token), _text(name), _text(dir), _text(listen)
    out.timeout_ms = 0 if timeout is None else max(1, _milliseconds(timeout))
    out.loop = 1 if external else 0
    return out


def _text(value):
    return None if value is None else os.fsencode(value)


def _raw(data):
    return data.encode() if isinstance(data, str) else bytes(data)


def _bytes(view):
    return c.string_at(view.data, view.data_size) if view.data_size else b""


def _milliseconds(seconds):
    return -1 if seconds is None else int(seconds * 1000)
