/* Which login a process belongs to, and how it has come to be what it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A login, as far as the kernel can tell one from another. */
struct login {
    uint64_t audit;    /* audit session; LOGIN_NO_AUDIT: none */
    uint64_t terminal; /* device number of the one that it came by; 0: none */
};

#define LOGIN_NO_AUDIT UINT64_C(4294967295)

struct login login_of_self(void);

/* Who logged in, as the kernel knows it. False: nobody did. */
bool login_uid(uint64_t *ret);

/* The newest audit session of all processes; 0: there is none. Later ones have greater numbers. */
uint64_t login_newest(void);

/* Does this process descend from a program that has been started since, and that counts? It is
 * called by the name of the file that it runs. `since_us` is on CLOCK_BOOTTIME. */
typedef bool (*login_counts_fn)(const void *ctx, const char *program);
bool login_came_since(int64_t since_us, login_counts_fn counts, const void *ctx);
