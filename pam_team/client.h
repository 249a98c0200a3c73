/* One connection to teamd: packets in, packets out, bounded in time. It runs inside sudo, su, sshd
 * and login as well as in teamctl, so it has no heap, no globals, no environment, and leaves the
 * process as it found it: no signal, no file position, no descriptor below 3 is touched. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A moment on CLOCK_MONOTONIC in microseconds; a deadline covers everything that is done under it,
 * not each step. */
#define CLIENT_NEVER INT64_MAX
int64_t client_deadline(int64_t timeout_us);

struct client {
    int fd; /* -1: closed */
};

/* Connects, and makes sure that root listens there. Returns 0, or
 *   -ENOENT, -ECONNREFUSED   nobody listens
 *   -ETIMEDOUT               the deadline
 *   -EPERM                   somebody else than root listens
 *   -E...                    what the kernel said */
int client_open(const char *path, int64_t deadline, struct client *ret);

/* Sends one packet (len > 0). 0 also when the peer is gone by now: it may have said why before it
 * went, and client_receive() tells both. */
int client_send(struct client *c, const char *packet, size_t len, int64_t deadline);

/* The length of the next packet, or
 *   -ETIMEDOUT     the deadline
 *   -ECONNRESET    the peer is gone
 *   -EMSGSIZE      the packet is larger than cap
 *   -E...          what the kernel said */
int client_receive(struct client *c, char *buf, size_t cap, int64_t deadline);

/* Waits for a packet: 0, -ETIMEDOUT, or -EINTR: unlike the others it ends with any signal that the
 * host handles, because somebody sits there and wants to go. */
int client_await(const struct client *c, int64_t deadline);

/* Waits for nothing: 0 after so long, or -EINTR as above. */
int client_pause(int64_t us);

/* Any number of times. Leaves errno alone. */
void client_close(struct client *c);
