/* A server for the tests of the client, on the client's own loop: it keeps what it is asked, and
 * answers by the book that the test wrote. One page an answer, in order; the last page again and
 * again. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

enum page_kind {
    PAGE_ANSWER = 0, /* status, headers, body */
    PAGE_CUT,        /* the same, but the connection ends in the middle of the body */
    PAGE_RESET,      /* no answer, but a reset */
    PAGE_CLOSE,      /* no answer, but the end */
    PAGE_SILENT,     /* nothing at all */
    PAGE_ENDLESS,    /* a body without an end */
    PAGE_RAW,        /* `body` is all that is sent */
};

struct page {
    enum page_kind kind;
    int status;
    const char *headers; /* "Name: value\r\n"..., or NULL */
    const char *body;
};

enum { SERVER_ASKS_MAX = 2048, SERVER_ASK_CAP = 4096, SERVER_PEERS_MAX = 64 };

struct server {
    sd_event *loop;
    int fd;
    unsigned port;
    sd_event_source *source;
    const struct page *pages;
    size_t n_pages, turned;
    unsigned limit; /* answers per second; what is above is throttled. 0: none */
    /* Asks by what they were: head and body as they came. */
    char (*asks)[SERVER_ASK_CAP];
    size_t n_asks;
    uint64_t asked_at[SERVER_ASKS_MAX]; /* CLOCK_MONOTONIC, microseconds */
    struct server_peer {
        struct server *server;
        int fd;
        sd_event_source *source;
        char in[SERVER_ASK_CAP];
        size_t len;
        bool endless;
    } peers[SERVER_PEERS_MAX];
};

static inline void server_drop(struct server_peer *p)
{
    sd_event_source_disable_unref(p->source);
    close(p->fd);
    p->source = NULL;
    p->fd = -1;
}

/* What no socket holds is sent by a process of its own: who has to read it is in this one. */
static inline void server_put(struct server_peer *p, const char *s, size_t n)
{
    enum { FITS = 1 << 20 };
    pid_t child = n > FITS ? fork() : -1;

    if (child == 0)
        _exit(send(p->fd, s, n, MSG_NOSIGNAL) != (ssize_t)n);
    if (child < 0 && send(p->fd, s, n, MSG_NOSIGNAL) != (ssize_t)n)
        fprintf(stderr, "# server: %s\n", strerror(errno));
}

static inline void server_reset(struct server_peer *p)
{
    struct linger now = {1, 0};

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    server_drop(p);
}

static inline void server_answer(struct server_peer *p, const struct page *page)
{
    const char *body = page->body ? page->body : "";
    size_t n = strlen(body);
    char head[1024];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n",
                       page->status, page->headers ? page->headers : "", n);

    server_put(p, head, (size_t)len);
    if (n > 0)
        server_put(p, body, page->kind == PAGE_CUT ? n / 2 : n);
    if (page->kind == PAGE_CUT)
        server_drop(p);
}

static inline void server_turn(struct server_peer *p, const struct page *page)
{
    switch (page->kind) {
    case PAGE_RESET:
        server_reset(p);
        break;
    case PAGE_CLOSE:
        server_drop(p);
        break;
    case PAGE_SILENT:
        break;
    case PAGE_RAW:
        server_put(p, page->body, strlen(page->body));
        server_drop(p);
        break;
    case PAGE_ENDLESS:
        server_put(p, "HTTP/1.1 200 X\r\n\r\n", 18);
        p->endless = true;
        sd_event_source_set_io_events(p->source, EPOLLOUT);
        break;
    case PAGE_ANSWER:
    case PAGE_CUT:
    default:
        server_answer(p, page);
    }
}

/* Whether the ask that just came is one too many for its second. */
static inline bool server_is_above(const struct server *s)
{
    size_t last = s->n_asks - 1;

    return s->limit > 0 && last >= s->limit &&
           s->asked_at[last] - s->asked_at[last - s->limit] < 1000000;
}

/* The length of the whole request in `in`, or 0: there is more to come. */
static inline size_t server_whole(const struct server_peer *p)
{
    const char *end = strstr(p->in, "\r\n\r\n"), *length = strcasestr(p->in, "content-length:");
    size_t n = length && length < end ? strtoul(length + strlen("content-length:"), NULL, 10) : 0;

    if (!end)
        return 0;
    n += (size_t)(end - p->in) + 4;
    return n <= p->len ? n : 0;
}

static inline int server_on_peer(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    static const char JUNK[4096] = {'x'};
    static const struct page SLOWER = {
        .status = 400, .body = "{\"__type\":\"ThrottlingException\",\"message\":\"Rate\"}"};
    struct server_peer *p = ctx;
    struct server *s = p->server;
    ssize_t n;
    size_t whole;

    (void)source;
    (void)events;
    if (p->endless) {
        if (send(fd, JUNK, sizeof JUNK, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
            server_drop(p);
        return 0;
    }
    n = recv(fd, p->in + p->len, sizeof p->in - 1 - p->len, MSG_DONTWAIT);
    if (n <= 0) {
        server_drop(p);
        return 0;
    }
    p->len += (size_t)n;
    p->in[p->len] = '\0';
    whole = server_whole(p);
    if (whole == 0)
        return 0;
    if (s->n_asks < SERVER_ASKS_MAX) {
        memcpy(s->asks[s->n_asks], p->in, p->len + 1);
        sd_event_now(s->loop, CLOCK_MONOTONIC, &s->asked_at[s->n_asks]);
        s->n_asks++;
    }
    p->len = 0;
    if (server_is_above(s)) {
        server_turn(p, &SLOWER);
        return 0;
    }
    server_turn(p, &s->pages[s->turned < s->n_pages ? s->turned : s->n_pages - 1]);
    s->turned++;
    return 0;
}

static inline int server_on_connect(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct server *s = ctx;

    (void)source;
    (void)events;
    for (size_t i = 0; i < SERVER_PEERS_MAX; i++) {
        struct server_peer *p = &s->peers[i];

        if (p->fd >= 0)
            continue;
        *p = (struct server_peer){.server = s, .fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)};
        if (p->fd >= 0 &&
            sd_event_add_io(s->loop, &p->source, p->fd, EPOLLIN, server_on_peer, p) < 0)
            abort();
        return 0;
    }
    return 0;
}

static inline struct server *server_new(sd_event *loop)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    struct server *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    s->loop = loop;
    s->asks = calloc(SERVER_ASKS_MAX, sizeof *s->asks);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < SERVER_PEERS_MAX; i++)
        s->peers[i].fd = -1;
    if (!s->asks || bind(s->fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(s->fd, 64) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&a, &len) < 0 ||
        sd_event_add_io(loop, &s->source, s->fd, EPOLLIN, server_on_connect, s) < 0)
        abort();
    s->port = ntohs(a.sin_port);
    return s;
}

static inline void server_free(struct server *s)
{
    for (size_t i = 0; i < SERVER_PEERS_MAX; i++)
        if (s->peers[i].fd >= 0)
            server_drop(&s->peers[i]);
    sd_event_source_disable_unref(s->source);
    close(s->fd);
    free(s->asks);
    free(s);
}

/* The value of a header of an ask, or "". */
static inline const char *server_header(const struct server *s, size_t i, const char *name)
{
    static char value[SERVER_ASK_CAP];
    char wanted[128];
    const char *at;

    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    at = i < s->n_asks ? strcasestr(s->asks[i], wanted) : NULL;
    snprintf(value, sizeof value, "%.*s", at ? (int)strcspn(at + strlen(wanted), "\r") : 0,
             at ? at + strlen(wanted) : "");
    return value;
}
