/* Ginnel for C, and for every language that calls C: the one ABI that is kept stable.
 *
 *   ginnel_options options = GINNEL_OPTIONS_INIT;
 *   ginnel_error error = GINNEL_ERROR_INIT;
 *   options.token = getenv("GINNEL_TOKEN");
 *   options.name = "alice";
 *   ginnel_node *node = ginnel_join(&options, &error);
 *   ginnel_subscription *chat = ginnel_on_message(node, "chat", print_it, NULL, &error);
 *   ginnel_send(node, "bob", "chat", "hello", 5, &error);
 *   ginnel_run(node);
 *
 * - Functions that return int return GINNEL_OK (0) or the error's code; those that return a handle
 *   return NULL on error. The last argument gets the details; it may be NULL.
 * - A handle is freed by its own function, once. Each of those takes NULL.
 * - What a callback gets is valid until it returns. Callbacks run on the node's one I/O thread,
 *   never two at once; with GINNEL_LOOP_EXTERNAL inside ginnel_poll, ginnel_wait_online and
 *   ginnel_run. They may call everything but ginnel_close and what waits: those two would wait for
 *   themselves.
 * - Every function may be called from any thread; with GINNEL_LOOP_EXTERNAL from one thread only,
 *   but for ginnel_stop.
 * - Texts are UTF-8 and end with a zero byte; data is a pointer and a size, and may be NULL if it
 *   is 0.
 * - Structs begin with their size, as the program knew it when it was compiled. Fields are added at
 *   the end; those that an older program does not have are zero.
 * - Times are milliseconds; a negative one means "for ever" where something waits.
 */
#ifndef GINNEL_GINNEL_C_H
#define GINNEL_GINNEL_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GINNEL_EXPORT __attribute__((visibility("default")))
#else
#define GINNEL_EXPORT
#endif

/* 1 until a program that was compiled before could not run any more. */
#define GINNEL_ABI_VERSION 1

typedef struct ginnel_node ginnel_node;
typedef struct ginnel_subscription ginnel_subscription;
typedef struct ginnel_request ginnel_request;

/* ---- errors ---- */

/* One to one with the command line's E_… codes (`ginnel help E_CODE`). Numbers never change;
 * later versions add some at the end. */
typedef enum ginnel_code {
  GINNEL_OK = 0,
  GINNEL_E_USAGE = 1,
  GINNEL_E_FILE = 2,
  GINNEL_E_NOT_RUNNING = 3,
  GINNEL_E_PERMISSION = 4,
  GINNEL_E_TOKEN_MALFORMED = 5,
  GINNEL_E_TOKEN_INVALID = 6,
  GINNEL_E_TOKEN_USED = 7,
  GINNEL_E_TOKEN_EXPIRED = 8,
  GINNEL_E_TOKEN_REVOKED = 9,
  GINNEL_E_KEY_UNREADABLE = 10,
  GINNEL_E_KEY_FILE_MODE = 11,
  GINNEL_E_SHARED_SECRET = 12,
  GINNEL_E_SECRET_WEAK = 13,
  GINNEL_E_UNKNOWN_PEER = 14,
  GINNEL_E_HUB_UNREACHABLE = 15,
  GINNEL_E_UNREACHABLE = 16,
  GINNEL_E_NO_SUBSCRIBER = 17,
  GINNEL_E_TIMEOUT = 18,
  GINNEL_E_CONFIG_SYNTAX = 19,
  GINNEL_E_CONFIG_KEY = 20,
  GINNEL_E_CONFIG_VALUE = 21,
  GINNEL_E_NO_QUORUM = 22,
  GINNEL_E_NOT_MASTER = 23,
  GINNEL_E_PORT_BUSY = 24,
  GINNEL_E_ADDRESS_IN_USE = 25,
  GINNEL_E_NAME_CLASH = 26,
  GINNEL_E_NOT_A_HUB = 27,
  GINNEL_E_ALREADY_RUNNING = 28,
  GINNEL_E_NAME_TAKEN = 29,
  GINNEL_E_WRONG_APP = 30,
  GINNEL_E_REPLY_FAILED = 31,
  GINNEL_E_DENIED = 32,
  GINNEL_E_EXISTS = 33,
  GINNEL_E_WRONG_NETWORK = 34,
  GINNEL_E_NOT_SERVED = 35,
  GINNEL_E_REFUSED = 36,
  GINNEL_E_WOULD_BLOCK = 37,
  GINNEL_E_TOO_LARGE = 38,
  GINNEL_E_CLOSED = 39,
  GINNEL_E_CANCELLED = 40,
  GINNEL_E_NOT_JOINED = 41,
  GINNEL_E_NO_TUN = 42,
  GINNEL_E_UNKNOWN_KEY = 43,
  GINNEL_E_CHANGED = 44,
  GINNEL_E_INTERNAL = 45
} ginnel_code;

typedef struct ginnel_error {
  size_t size;
  int code;        /* ginnel_code */
  char name[32];   /* "E_HUB_UNREACHABLE" */
  char text[512];  /* what failed: why; cut where it is longer */
  char hint[256];  /* what to do next; may be empty */
} ginnel_error;
#define GINNEL_ERROR_INIT {sizeof(ginnel_error), 0, {0}, {0}, {0}}

/* "E_USAGE"; "E_INTERNAL" for a number that is none; "OK" for 0. Never freed. */
GINNEL_EXPORT const char *ginnel_code_name(int code);
/* "0.1.0". Never freed. */
GINNEL_EXPORT const char *ginnel_version(void);
/* GINNEL_ABI_VERSION of the library that runs. */
GINNEL_EXPORT int ginnel_abi_version(void);

/* ---- a node ---- */

typedef enum ginnel_loop {
  GINNEL_LOOP_MANAGED = 0,  /* one I/O thread of the node's own */
  GINNEL_LOOP_EXTERNAL = 1  /* no thread: the program calls ginnel_poll */
} ginnel_loop;

/* NULL and 0 stand for the default of each. */
typedef struct ginnel_options {
  size_t size;
  const char *token;      /* from `ginnel invite`; not needed once the folder has an identity */
  const char *name;       /* default: the host name */
  const char *dir;        /* identity and state; default: $XDG_STATE_HOME/ginnel/NAME */
  const char *listen;     /* "ADDR:PORT"; default: a port kept in the folder */
  int64_t timeout_ms;     /* how long ginnel_join may take; default: 15 s */
  int loop;               /* ginnel_loop */
} ginnel_options;
#define GINNEL_OPTIONS_INIT {sizeof(ginnel_options), NULL, NULL, NULL, NULL, 0, 0}

/* Enrols with the token if the folder has no identity yet; connecting goes on behind. */
GINNEL_EXPORT ginnel_node *ginnel_join(const ginnel_options *options, ginnel_error *error);
/* As ginnel_join, but never touches the network: the folder must hold an identity. */
GINNEL_EXPORT ginnel_node *ginnel_open(const ginnel_options *options, ginnel_error *error);
/* The node of the daemon in `dir`; NULL: where the command line looks for it. */
GINNEL_EXPORT ginnel_node *ginnel_attach(const char *dir, ginnel_error *error);
/* Leaves: what was sent has up to a second to arrive. Subscriptions and requests stay valid
 * handles, which are freed as ever. Not from a callback. */
GINNEL_EXPORT void ginnel_close(ginnel_node *node);

/* Copies the text into `out`, cut to `size` with its zero byte; returns its whole length. */
GINNEL_EXPORT size_t ginnel_id(const ginnel_node *node, char *out, size_t size);
GINNEL_EXPORT size_t ginnel_name(const ginnel_node *node, char *out, size_t size);
/* 1 once a hub has registered the node, 0 when the time is over first. */
GINNEL_EXPORT int ginnel_wait_online(ginnel_node *node, int64_t timeout_ms);

/* ---- sending ---- */

/* Reliable, in order per (peer, channel). Never blocks: GINNEL_E_WOULD_BLOCK when the window is
 * full, then ginnel_on_writable. `peer`: a name or an Id's text. */
GINNEL_EXPORT int ginnel_send(ginnel_node *node, const char *peer, const char *channel,
                              const void *data, size_t size, ginnel_error *error);
/* At most once, up to ginnel_max_datagram bytes. */
GINNEL_EXPORT int ginnel_send_datagram(ginnel_node *node, const char *peer, const char *channel,
                                       const void *data, size_t size, ginnel_error *error);
GINNEL_EXPORT size_t ginnel_max_datagram(const ginnel_node *node, const char *peer);

typedef struct ginnel_failed {
  size_t size;
  const char *peer; /* as the caller named it */
  const ginnel_error *error;
} ginnel_failed;
/* `count` 0: every peer's program has taken the message. */
typedef void (*ginnel_acked_fn)(void *user, const ginnel_failed *failed, size_t count);
/* To one or many. `done` is called once, by the deadline. With `done` NULL the call waits instead
 * and returns the error of the first that failed; not from a callback then. */
GINNEL_EXPORT int ginnel_send_acked(ginnel_node *node, const char *const *peers, size_t peer_count,
                                    const char *channel, const void *data, size_t size,
                                    int64_t timeout_ms, ginnel_acked_fn done, void *user,
                                    ginnel_error *error);

/* ---- receiving ---- */

typedef struct ginnel_message {
  size_t size;
  const char *from;      /* the Id's text */
  const char *from_name; /* may be empty */
  const char *channel;
  const void *data;
  size_t data_size;
} ginnel_message;
typedef void (*ginnel_message_fn)(void *user, const ginnel_message *message);
/* Until ginnel_unsubscribe. */
GINNEL_EXPORT ginnel_subscription *ginnel_on_message(ginnel_node *node, const char *channel,
                                                     ginnel_message_fn handler, void *user,
                                                     ginnel_error *error);

typedef enum ginnel_outcome {
  GINNEL_NOT_SENT = 0, /* no byte of it left this node */
  GINNEL_UNKNOWN = 1   /* it was sent, at least in part, and may have arrived */
} ginnel_outcome;
typedef struct ginnel_undelivered {
  size_t size;
  int outcome;      /* ginnel_outcome */
  const char *peer; /* as the sender named it, or the Id's text */
  const char *channel;
  const void *data;
  size_t data_size;
  const ginnel_error *error;
} ginnel_undelivered;
typedef void (*ginnel_undelivered_fn)(void *user, const ginnel_undelivered *message);
/* What ginnel_send took and could not deliver. */
GINNEL_EXPORT ginnel_subscription *ginnel_on_undelivered(ginnel_node *node,
                                                         ginnel_undelivered_fn handler, void *user,
                                                         ginnel_error *error);

typedef void (*ginnel_writable_fn)(void *user, const char *peer_id, const char *channel);
/* The channel to this peer takes messages again after GINNEL_E_WOULD_BLOCK. */
GINNEL_EXPORT ginnel_subscription *ginnel_on_writable(ginnel_node *node, ginnel_writable_fn handler,
                                                      void *user, ginnel_error *error);

/* Also after ginnel_close. From another thread than the callbacks' it returns when none is running
 * and none will come; then `user` may be freed. */
GINNEL_EXPORT void ginnel_unsubscribe(ginnel_subscription *subscription);

/* ---- requests ---- */

/* Either `reply` or `error` is NULL. */
typedef void (*ginnel_reply_fn)(void *user, const ginnel_message *reply, const ginnel_error *error);
/* `done` is called once, by the deadline. */
GINNEL_EXPORT int ginnel_ask(ginnel_node *node, const char *peer, const char *channel,
                             const void *data, size_t size, int64_t timeout_ms,
                             ginnel_reply_fn done, void *user, ginnel_error *error);

/* `request` is the handler's to answer and free, at once or later, from any thread. */
typedef void (*ginnel_request_fn)(void *user, const ginnel_message *message,
                                  ginnel_request *request);
GINNEL_EXPORT ginnel_subscription *ginnel_on_request(ginnel_node *node, const char *channel,
                                                     ginnel_request_fn handler, void *user,
                                                     ginnel_error *error);
/* After GINNEL_E_WOULD_BLOCK and GINNEL_E_TOO_LARGE it is still unanswered. */
GINNEL_EXPORT int ginnel_reply(ginnel_request *request, const void *data, size_t size,
                               ginnel_error *error);
/* The other side gets GINNEL_E_DENIED if that is `code`, else GINNEL_E_REPLY_FAILED. */
GINNEL_EXPORT int ginnel_refuse(ginnel_request *request, int code, ginnel_error *error);
/* One that was not answered has failed. */
GINNEL_EXPORT void ginnel_request_free(ginnel_request *request);

/* ---- looking around ---- */

typedef struct ginnel_peer {
  size_t size;
  const char *id;      /* empty: a stock WireGuard peer */
  const char *name;
  const char *address; /* in the overlay; may be empty */
  const char *state;   /* online, connecting, down */
  const char *path;    /* none, lan, direct, punched, relay-udp, relay-tcp */
  double rtt_seconds;  /* negative: not known */
  uint64_t rx_bytes;
  uint64_t tx_bytes;
} ginnel_peer;
typedef void (*ginnel_peer_fn)(void *user, const ginnel_peer *peer);
/* Calls `each` for every peer, here and now. */
GINNEL_EXPORT int ginnel_peers(ginnel_node *node, ginnel_peer_fn each, void *user,
                               ginnel_error *error);

/* ---- who runs it ---- */

/* Blocks until ginnel_stop, also one that came before. From a callback it returns at once. */
GINNEL_EXPORT void ginnel_run(ginnel_node *node);
GINNEL_EXPORT void ginnel_stop(ginnel_node *node);

/* With GINNEL_LOOP_EXTERNAL. Readable when ginnel_poll has something to do, also when a deadline
 * has passed. Not to be read. -1: this node has a thread. */
GINNEL_EXPORT int ginnel_fd(const ginnel_node *node);
/* Milliseconds until ginnel_poll is due, for those who do not watch ginnel_fd; -1: not by itself.
 * */
GINNEL_EXPORT int64_t ginnel_next_deadline_ms(const ginnel_node *node);
/* Does all that is due; with `wait_ms` > 0 also what becomes due in that time. */
GINNEL_EXPORT int ginnel_poll(ginnel_node *node, int64_t wait_ms, ginnel_error *error);

#ifdef __cplusplus
}
#endif

#endif
