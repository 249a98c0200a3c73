/* The order of the parts, and what they have in common. */
#include "courier/directory_parts.h"

#include "courier/json.h"

#include <errno.h>
#include <stdlib.h>

void sync_row(struct directory_sync *s, const struct directory_row *row)
{
    if (!s->dropped)
        s->calls.row(s->calls.ctx, row);
}

void sync_list(struct directory_sync *s, const char *id)
{
    s->forgot |= json_array_append_new(s->list, json_string(id)) < 0;
}

void sync_seen(struct directory_sync *s, const char *id)
{
    s->forgot |= json_object_set_new(s->seen, id, json_true()) < 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

static void on_rows(void *ctx, const json_t *rows)
{
    struct directory_sync *s = ctx;
    json_t *row;
    size_t i;

    s->held = true;
    json_array_foreach(rows, i, row)
    {
        if (s->dropped)
            break;
        s->ask.row(s, row);
    }
    s->held = false;
    if (s->dropped)
        directory_sync_free(s);
}

static void on_end(void *ctx, const struct aws_failure *failure)
{
    struct directory_sync *s = ctx;
    const char *forgiven = s->ask.forgiven;

    s->pages = NULL;
    s->refused = failure && forgiven && strncmp(failure->code, forgiven, strlen(forgiven)) == 0;
    if (failure && !s->refused)
        sync_part_ends(s, failure);
    else
        s->ask.then(s);
}

void sync_pages(struct directory_sync *s, const struct sync_ask *ask)
{
    struct pages_ask pages = {.service = ask->service,
                              .operation = ask->operation,
                              .member = ask->member,
                              .urgency = AWS_SOMETIME,
                              .body = ask->body};
    struct pages_calls calls = {on_rows, on_end, s};

    s->ask = *ask;
    if (pages_start(s->aws, &pages, &calls, &s->pages) < 0)
        sync_part_fails(s, ask->service, ask->operation, "it could not be asked");
}

void sync_call(struct directory_sync *s, enum aws_service service, const char *operation,
               json_t *body, aws_done done)
{
    struct aws_options options = {.urgency = AWS_SOMETIME};

    if (aws_call(s->aws, service, operation, body, &options, done, s, &s->call) < 0)
        sync_part_fails(s, service, operation, "it could not be asked");
}

/* ---- parts ---------------------------------------------------------------------------------- */

static enum directory_part sync_part(const struct directory_sync *s)
{
    return (enum directory_part)(s->parts & -s->parts);
}

static void sync_forget(struct directory_sync *s)
{
    json_decref(s->list);
    json_decref(s->seen);
    json_decref(s->strays);
    s->list = s->seen = s->strays = NULL;
    s->at = 0;
    s->left_out = 0;
    s->forgot = false;
}

static void sync_begin(struct directory_sync *s)
{
    s->list = json_array();
    s->seen = json_object();
    s->strays = json_object();
    switch (sync_part(s)) {
    case DIRECTORY_ACCOUNTS:
        accounts_begin(s);
        break;
    case DIRECTORY_SETS:
        sets_begin(s);
        break;
    case DIRECTORY_USERS:
        users_begin(s);
        break;
    case DIRECTORY_GROUPS:
        groups_begin(s);
        break;
    case DIRECTORY_ALL:
        break;
    }
}

void sync_part_ends(struct directory_sync *s, const struct aws_failure *failure)
{
    enum directory_part part = sync_part(s);
    uint32_t left_out = s->left_out;
    struct aws_failure forgot = {.outcome = AWS_GARBLED,
                                 .message = "team-courier is out of memory"};

    if (!failure && s->forgot)
        failure = &forgot;
    sync_forget(s);
    s->parts &= ~(unsigned)part;
    s->held = true;
    s->calls.part(s->calls.ctx, part, failure, left_out);
    s->held = false;
    if (s->dropped)
        directory_sync_free(s);
    else if (s->parts)
        sync_begin(s);
    else
        s->calls.done(s->calls.ctx);
}

void sync_part_fails(struct directory_sync *s, enum aws_service service, const char *operation,
                     const char *why)
{
    struct aws_failure failure;

    if (s->starts) { /* the caller of directory_sync() is told by its result */
        s->start_failed = true;
        return;
    }
    failure_say(&failure, service, operation, AWS_GARBLED, why);
    sync_part_ends(s, &failure);
}

/* ---- the callers' side ---------------------------------------------------------------------- */

int directory_sync(struct aws_client *aws, const struct aws_place *place, unsigned parts,
                   const struct directory_calls *calls, struct directory_sync **ret)
{
    struct directory_sync *s;

    if (parts == 0 || (parts & ~(unsigned)DIRECTORY_ALL) != 0)
        return -EINVAL;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *s = (struct directory_sync){
        .aws = aws, .place = *place, .calls = *calls, .parts = parts, .starts = true};
    sync_begin(s);
    s->starts = false;
    if (s->start_failed) {
        directory_sync_free(s);
        return -EAGAIN;
    }
    *ret = s;
    return 0;
}

struct directory_sync *directory_sync_free(struct directory_sync *s)
{
    if (!s)
        return NULL;
    if (s->held) {
        s->dropped = true;
        return NULL;
    }
    aws_cancel(s->call);
    pages_cancel(s->pages);
    sync_forget(s);
    free(s);
    return NULL;
}
