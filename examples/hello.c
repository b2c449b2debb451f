/* Two programs that greet each other by name, in C; see hello.cc.
 *
 * usage: hello-c [--dir DIR] NAME PEER
 * The token comes from `ginnel invite --uses 2` on a hub. Either may start first.
 */
#define _POSIX_C_SOURCE 200809L
#include <ginnel/ginnel_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kPatienceMs = 20000, kStepMs = 200 };

struct greeting {
  const char *peer;
  int heard; /* the peer's greeting */
};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_hello(void *user, const ginnel_message *message) {
  struct greeting *greeting = user;
  printf("%s: %.*s\n", message->from_name, (int)message->data_size, (const char *)message->data);
  fflush(stdout);
  if (strcmp(message->from_name, greeting->peer) == 0) greeting->heard = 1;
}

static int fail(const ginnel_error *error) {
  fprintf(stderr, "hello: %s [%s]\n", error->text, error->name);
  if (error->hint[0]) fprintf(stderr, "  %s\n", error->hint);
  return 1;
}

/* Until the peer's program has taken it: it may have to be started first. */
static int greet(ginnel_node *node, const char *name, const char *peer, int64_t end,
                 ginnel_error *error) {
  char text[128];
  int code = GINNEL_E_TIMEOUT;
  const int size = snprintf(text, sizeof text, "hello from %s", name);
  while (code != GINNEL_OK && now_ms() < end) {
    code = ginnel_send_acked(node, &peer, 1, "hello", text, (size_t)size, end - now_ms(), NULL,
                             NULL, error);
    if (code != GINNEL_OK) ginnel_poll(node, kStepMs, NULL);
  }
  return code;
}

/* The loop is this program's, so the callback runs inside ginnel_poll and needs no lock. */
static int take_part(ginnel_node *node, const char *name, const char *peer) {
  const int64_t end = now_ms() + kPatienceMs;
  struct greeting greeting = {peer, 0};
  ginnel_error error = GINNEL_ERROR_INIT;
  ginnel_subscription *hello = ginnel_on_message(node, "hello", on_hello, &greeting, &error);
  int code;
  if (!hello) return fail(&error);
  code = greet(node, name, peer, end, &error);
  while (!greeting.heard && now_ms() < end) ginnel_poll(node, kStepMs, NULL);
  ginnel_unsubscribe(hello);
  if (code != GINNEL_OK) {
    fail(&error);
    fprintf(stderr, "hello: %s did not take our greeting\n", peer);
  }
  if (!greeting.heard) fprintf(stderr, "hello: %s did not greet us\n", peer);
  return code != GINNEL_OK || !greeting.heard;
}

int main(int argc, char **argv) {
  const int has_dir = argc > 2 && strcmp(argv[1], "--dir") == 0;
  ginnel_options options = GINNEL_OPTIONS_INIT;
  ginnel_error error = GINNEL_ERROR_INIT;
  ginnel_node *node;
  int code;
  if (argc != (has_dir ? 5 : 3)) {
    fputs("usage: hello-c [--dir DIR] NAME PEER\n", stderr);
    return 2;
  }
  options.token = getenv("GINNEL_TOKEN");
  options.dir = has_dir ? argv[2] : NULL;
  options.name = argv[argc - 2];
  options.loop = GINNEL_LOOP_EXTERNAL;
  node = ginnel_join(&options, &error);
  if (!node) return fail(&error);
  code = take_part(node, options.name, argv[argc - 1]);
  ginnel_close(node);
  return code;
}
