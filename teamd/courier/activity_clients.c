#include "courier/activity_clients.h"
#include "courier/why.h"

#include <stdio.h>
#include <string.h>

static void drop(struct activity_client *c)
{
    c->aws = aws_client_free(c->aws);
}

/* A free place, or the one that nobody has used for the longest time. */
static struct activity_client *place(struct activity_clients *c)
{
    struct activity_client *found = NULL;

    for (size_t i = 0; i < ACTIVITY_CLIENTS_MAX; i++) {
        struct activity_client *at = &c->at[i];

        if (!at->aws)
            return at;
        if (at->users == 0 && (!found || at->used < found->used))
            found = at;
    }
    if (found)
        drop(found);
    return found;
}

static struct activity_client *find(struct activity_clients *c, const char *role,
                                    const char *external_id)
{
    for (size_t i = 0; i < ACTIVITY_CLIENTS_MAX; i++)
        if (c->at[i].aws && strcmp(c->at[i].role, role) == 0 &&
            strcmp(c->at[i].external_id, external_id) == 0)
            return &c->at[i];
    return NULL;
}

static struct activity_client *make(struct activity_clients *c, const char *role,
                                    const char *external_id, char why[AWS_TEXT_CAP])
{
    struct activity_client *at = place(c);
    int r;

    if (!at) {
        why_set(why, "too many accounts are being read at once");
        return NULL;
    }
    *at = (struct activity_client){.users = 0};
    snprintf(at->role, sizeof at->role, "%s", role);
    snprintf(at->external_id, sizeof at->external_id, "%s", external_id);
    r = c->make(c->ctx, role, external_id, &at->aws, why);
    if (r == 0)
        return at;
    at->aws = NULL;
    if (!why[0])
        why_set(why, "%s", strerror(-r));
    return NULL;
}

struct aws_client *activity_clients_take(struct activity_clients *c, const char *role,
                                         const char *external_id, char why[AWS_TEXT_CAP])
{
    struct activity_client *at;

    why[0] = '\0';
    if (!role[0])
        return c->own;
    at = find(c, role, external_id);
    if (!at)
        at = make(c, role, external_id, why);
    if (!at)
        return NULL;
    at->users++;
    return at->aws;
}

void activity_clients_give(struct activity_clients *c, struct aws_client *aws)
{
    for (size_t i = 0; i < ACTIVITY_CLIENTS_MAX; i++) {
        if (c->at[i].aws != aws)
            continue;
        c->at[i].users--;
        c->at[i].used = ++c->uses;
        return;
    }
}

void activity_clients_reload(struct activity_clients *c)
{
    char why[AWS_TEXT_CAP];

    for (size_t i = 0; i < ACTIVITY_CLIENTS_MAX; i++) {
        if (c->at[i].aws && c->at[i].users == 0)
            drop(&c->at[i]);
        else if (c->at[i].aws)
            aws_client_reload(c->at[i].aws, why); /* what is wrong with it, the own one says */
    }
}

void activity_clients_free(struct activity_clients *c)
{
    for (size_t i = 0; i < ACTIVITY_CLIENTS_MAX; i++)
        drop(&c->at[i]);
}
