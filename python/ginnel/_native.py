"""The C interface as ctypes sees it: ginnel_c.h, line for line."""
import ctypes as c
import ctypes.util
import os

P, S, I64 = c.c_void_p, c.c_size_t, c.c_int64


class Error(c.Structure):
    _fields_ = [("size", S), ("code", c.c_int), ("name", c.c_char * 32), ("text", c.c_char * 512),
                ("hint", c.c_char * 256)]


class Options(c.Structure):
    _fields_ = [("size", S), ("token", c.c_char_p), ("name", c.c_char_p), ("dir", c.c_char_p),
                ("listen", c.c_char_p), ("timeout_ms", I64), ("loop", c.c_int)]


class Failed(c.Structure):
    _fields_ = [("size", S), ("peer", c.c_char_p), ("error", c.POINTER(Error))]


class Message(c.Structure):
    _fields_ = [("size", S), ("from_", c.c_char_p), ("from_name", c.c_char_p),
                ("channel", c.c_char_p), ("data", P), ("data_size", S)]


class Undelivered(c.Structure):
    _fields_ = [("size", S), ("outcome", c.c_int), ("peer", c.c_char_p), ("channel", c.c_char_p),
                ("data", P), ("data_size", S), ("error", c.POINTER(Error))]


class Peer(c.Structure):
    _fields_ = [("size", S), ("id", c.c_char_p), ("name", c.c_char_p), ("address", c.c_char_p),
                ("state", c.c_char_p), ("path", c.c_char_p), ("rtt_seconds", c.c_double),
                ("rx_bytes", c.c_uint64), ("tx_bytes", c.c_uint64)]


AckedFn = c.CFUNCTYPE(None, P, c.POINTER(Failed), S)
MessageFn = c.CFUNCTYPE(None, P, c.POINTER(Message))
UndeliveredFn = c.CFUNCTYPE(None, P, c.POINTER(Undelivered))
WritableFn = c.CFUNCTYPE(None, P, c.c_char_p, c.c_char_p)
ReplyFn = c.CFUNCTYPE(None, P, c.POINTER(Message), c.POINTER(Error))
RequestFn = c.CFUNCTYPE(None, P, c.POINTER(Message), P)
PeerFn = c.CFUNCTYPE(None, P, c.POINTER(Peer))

E, T = c.POINTER(Error), c.c_char_p
SIGNATURES = {
    "ginnel_code_name": (T, [c.c_int]),
    "ginnel_version": (T, []),
    "ginnel_abi_version": (c.c_int, []),
    "ginnel_join": (P, [c.POINTER(Options), E]),
    "ginnel_open": (P, [c.POINTER(Options), E]),
    "ginnel_attach": (P, [T, E]),
    "ginnel_close": (None, [P]),
    "ginnel_id": (S, [P, P, S]),
    "ginnel_name": (S, [P, P, S]),
    "ginnel_wait_online": (c.c_int, [P, I64]),
    "ginnel_send": (c.c_int, [P, T, T, T, S, E]),
    "ginnel_send_datagram": (c.c_int, [P, T, T, T, S, E]),
    "ginnel_max_datagram": (S, [P, T]),
    "ginnel_send_acked": (c.c_int, [P, c.POINTER(T), S, T, T, S, I64, AckedFn, P, E]),
    "ginnel_on_message": (P, [P, T, MessageFn, P, E]),
    "ginnel_on_undelivered": (P, [P, UndeliveredFn, P, E]),
    "ginnel_on_writable": (P, [P, WritableFn, P, E]),
    "ginnel_unsubscribe": (None, [P]),
    "ginnel_ask": (c.c_int, [P, T, T, T, S, I64, ReplyFn, P, E]),
    "ginnel_on_request": (P, [P, T, RequestFn, P, E]),
    "ginnel_reply": (c.c_int, [P, T, S, E]),
    "ginnel_refuse": (c.c_int, [P, c.c_int, E]),
    "ginnel_request_free": (None, [P]),
    "ginnel_peers": (c.c_int, [P, PeerFn, P, E]),
    "ginnel_run": (None, [P]),
    "ginnel_stop": (None, [P]),
    "ginnel_fd": (c.c_int, [P]),
    "ginnel_next_deadline_ms": (I64, [P]),
    "ginnel_poll": (c.c_int, [P, I64, E]),
}
ABI_VERSION = 1


def _find():
    named = os.environ.get("GINNEL_LIBRARY")
    if named:
        return named
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libginnel.so.1")
    return beside if os.path.exists(beside) else c.util.find_library("ginnel") or "libginnel.so.1"


def _load():
    library = c.CDLL(_find())
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    if library.ginnel_abi_version() != ABI_VERSION:
        raise ImportError(f"libginnel has ABI {library.ginnel_abi_version()}, not {ABI_VERSION}")
    return library


lib = _load()
