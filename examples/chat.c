/* A chat in C, in one loop: poll(2) over the keyboard and the node. See chat.cc.
 *
 * usage: chat-c NAME PEER…      (GINNEL_TOKEN for the first time; ends with the input)
 */
#include <ginnel/ginnel_c.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct talk {
  ginnel_node *node;
  const char *const *peers;
  size_t peer_count;
  int open; /* lines that are on the way */
};

static void on_chat(void *user, const ginnel_message *message) {
  (void)user;
  printf("%s: %.*s\n", message->from_name, (int)message->data_size, (const char *)message->data);
  fflush(stdout);
}

static void on_taken(void *user, const ginnel_failed *failed, size_t count) {
  struct talk *talk = user;
  size_t i;
  for (i = 0; i < count; ++i)
    fprintf(stderr, "%s did not get that: %s\n", failed[i].peer, failed[i].error->text);
  --talk->open;
}

/* 0 at the end of the input. */
static int say_a_line(struct talk *talk) {
  char line[4096];
  if (!fgets(line, sizeof line, stdin)) return 0;
  ++talk->open;
  ginnel_send_acked(talk->node, talk->peers, talk->peer_count, "chat", line, strcspn(line, "\n"),
                    10000, on_taken, talk, NULL);
  return 1;
}

static void take_part(struct talk *talk) {
  int typing = 1;
  setvbuf(stdin, NULL, _IONBF, 0); /* what poll(2) sees and what fgets sees is the same */
  while (typing || talk->open > 0) {
    struct pollfd wait[2];
    wait[0].fd = ginnel_fd(talk->node);
    wait[1].fd = typing ? 0 : -1;
    wait[0].events = wait[1].events = POLLIN;
    if (poll(wait, 2, -1) < 0) continue;
    if (wait[0].revents) ginnel_poll(talk->node, 0, NULL);
    if (wait[1].revents) typing = say_a_line(talk);
  }
}

int main(int argc, char **argv) {
  ginnel_options options = GINNEL_OPTIONS_INIT;
  ginnel_error error = GINNEL_ERROR_INIT;
  ginnel_subscription *chat;
  struct talk talk;
  if (argc < 3) {
    fputs("usage: chat-c NAME PEER...\n", stderr);
    return 2;
  }
  options.token = getenv("GINNEL_TOKEN");
  options.name = argv[1];
  options.loop = GINNEL_LOOP_EXTERNAL;
  talk.node = ginnel_join(&options, &error);
  if (!talk.node) {
    fprintf(stderr, "chat: %s\n  %s\n", error.text, error.hint);
    return 1;
  }
  talk.peers = (const char *const *)(argv + 2);
  talk.peer_count = (size_t)argc - 2;
  talk.open = 0;
  chat = ginnel_on_message(talk.node, "chat", on_chat, NULL, NULL);
  take_part(&talk);
  ginnel_unsubscribe(chat);
  ginnel_close(talk.node);
  return 0;
}
