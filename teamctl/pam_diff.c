/* What becomes of a file, as diff -u shows it. Lines only ever come, or only ever go. */
#include "pam.h"

#include <stdio.h>
#include <stdlib.h>

enum { AROUND = 2 }; /* lines before and after a change */

struct line {
    const char *at;
    size_t len; /* without its newline */
    char kind;  /* ' ', '+', '-' */
};

struct lines {
    struct line *items;
    size_t n;
};

static bool next_line(const struct pam_text *t, size_t *at, struct line *ret)
{
    const char *s = t->at + *at, *newline;

    if (*at >= t->len)
        return false;
    newline = memchr(s, '\n', t->len - *at);
    *ret = (struct line){.at = s, .len = newline ? (size_t)(newline - s) : t->len - *at};
    *at += ret->len + 1;
    return true;
}

static bool same_line(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static void add(struct lines *all, struct line l, char kind)
{
    l.kind = kind;
    all->items[all->n++] = l;
}

/* The longer text, each line of which is in the shorter or is a change. */
static struct lines compare(const struct pam_text *old, const struct pam_text *new)
{
    bool grows = new->len > old->len;
    const struct pam_text *longer = grows ? new : old, *shorter = grows ? old : new;
    struct lines all = {.items = calloc(longer->len + 1, sizeof(struct line))};
    struct line l, s;
    size_t i = 0, k = 0;
    bool more = next_line(shorter, &k, &s);

    while (all.items && next_line(longer, &i, &l)) {
        if (more && same_line(&l, &s)) {
            add(&all, l, ' ');
            more = next_line(shorter, &k, &s);
        } else {
            add(&all, l, grows ? '+' : '-');
        }
    }
    return all;
}

static bool is_near(const struct lines *all, size_t i)
{
    size_t first = i > AROUND ? i - AROUND : 0, last = i + AROUND;

    for (size_t k = first; k <= last && k < all->n; k++)
        if (all->items[k].kind != ' ')
            return true;
    return false;
}

static void put_place(struct out *o, const struct lines *all, size_t from, size_t line[2])
{
    size_t n[2] = {0, 0};
    char text[96];

    for (size_t i = from; i < all->n && is_near(all, i); i++) {
        n[0] += all->items[i].kind != '+';
        n[1] += all->items[i].kind != '-';
    }
    snprintf(text, sizeof text, "@@ -%zu,%zu +%zu,%zu @@\n", line[0], n[0], line[1], n[1]);
    out_text(o, text);
}

static void put_line(const struct call *c, const struct line *l)
{
    bool colour = c->look.colour && l->kind != ' ';
    char text[512], plain[512];
    size_t n = l->len < sizeof text - 1 ? l->len : sizeof text - 1;

    memcpy(text, l->at, n);
    text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\t')
            text[i] = ' ';
    text_make_plain(plain, sizeof plain, text, n);
    if (c->look.ascii)
        cell_ascii(plain);
    out_text(c->out, !colour ? "" : l->kind == '+' ? "\033[32m" : "\033[31m");
    out_put(c->out, &l->kind, 1);
    out_text(c->out, plain);
    out_text(c->out, colour ? "\033[0m\n" : "\n");
}

void diff_put(const struct call *c, const char *service, const struct pam_text *old,
              const struct pam_text *new)
{
    struct lines all = compare(old, new);
    size_t line[2] = {1, 1};
    bool near = false;

    out_text(c->out, "--- " PAM_DIR "/");
    out_text(c->out, service);
    out_text(c->out, "\n+++ " PAM_DIR "/");
    out_text(c->out, service);
    out_text(c->out, "\n");
    for (size_t i = 0; i < all.n; i++) {
        if (is_near(&all, i)) {
            if (!near)
                put_place(c->out, &all, i, line);
            put_line(c, &all.items[i]);
        }
        near = is_near(&all, i);
        line[0] += all.items[i].kind != '+';
        line[1] += all.items[i].kind != '-';
    }
    free(all.items);
}
