/* credential_process: a program that prints credentials. It is started without a shell, gets the
 * given environment and nothing on standard input, and is killed with all its process group when it
 * takes longer than PROCESS_US or prints more than PROCESS_OUT_MAX. What it says on standard error
 * goes where ours goes. */
#pragma once

#include "courier/keys.h"

enum { PROCESS_OUT_MAX = 64 * 1024, PROCESS_WORDS_MAX = 64 };
#define PROCESS_US (60 * SECOND_US)

/* Cuts a command line into words as a shell would that expands nothing: blanks, quotes,
 * backslashes. `out` has room for strlen(line) + 1. The number of words, or -1: a quote does not
 * end, too many. */
int process_words(const char *line, char *out, char *words[PROCESS_WORDS_MAX + 1]);

/* The JSON that such a program prints: Version 1 and keys. Any bytes may come in. */
bool process_read(const char *text, size_t len, struct keys *ret, char why[AWS_TEXT_CAP]);

/* `keys` is NULL when there are none; then `why` says so. */
typedef void (*process_done)(void *ctx, const struct keys *keys, const char *why);

struct process;

/* 0, and `done` is called once, from the loop; or -EINVAL, -ENOMEM and why. */
int process_start(sd_event *loop, const char *command, char *const *environment, process_done done,
                  void *ctx, struct process **ret, char why[AWS_TEXT_CAP]);

/* Kills it; `done` is not called any more. Returns NULL; NULL is fine. */
struct process *process_stop(struct process *p);
