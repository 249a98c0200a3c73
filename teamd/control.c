#include "teamd.h"

#include <errno.h>
#include <stdlib.h>

/* control.sock: who asks, whom it is about, and the answer. What is asked is in change.c and
 * query.c. */

struct ask *ask_new(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct ask *a = calloc(1, sizeof *a);

    if (!a) {
        conn_answer(c, NULL, 0);
        return NULL;
    }
    *a = (struct ask){.t = t, .conn = c, .msg = *msg};
    conn_set_data(c, a);
    return a;
}

static void ask_free(struct ask *a)
{
    if (a->conn)
        conn_set_data(a->conn, NULL);
    if (a->drop)
        a->drop(a);
    free(a);
}

void ask_answer(struct ask *a, const struct reply *reply)
{
    char packet[TEAM_ASK_PACKET_MAX], plain[sizeof reply->text];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, a->msg.op);
    struct conn *c = a->conn;

    text_make_plain(plain, sizeof plain, reply->text, strlen(reply->text));
    wire_put_u64(&w, TEAM_CODE, reply->code);
    wire_put(&w, TEAM_TEXT, plain);
    if (reply->id.bits != 0)
        wire_put_id(&w, TEAM_ID, reply->id.bits);
    if (reply->state != 0)
        wire_put(&w, TEAM_STATE, request_state_text((enum request_state)reply->state));
    ask_free(a);
    if (c)
        conn_answer(c, packet, wire_finish(&w));
}

void ask_say(struct ask *a, enum reply_code code, const char *text)
{
    struct reply reply = {.code = (uint8_t)code};
    struct text t = text_over(reply.text, sizeof reply.text);

    text_put(&t, text);
    ask_answer(a, &reply);
}

void ask_hang_up(struct ask *a)
{
    struct conn *c = a->conn;

    ask_free(a);
    if (c)
        conn_answer(c, NULL, 0);
}

/* ---- whom it is about -------------------------------------------------------------------------
 */

/* A question has nothing queued: without its peer it is over. */
static bool is_question(const struct ask *a)
{
    return a->msg.op >= TEAM_OP_LIST || a->msg.op == TEAM_OP_AWAIT;
}

void ask_looked_up(struct ask *a)
{
    if (--a->looking_up > 0)
        return;
    if (!a->conn && is_question(a))
        ask_free(a);
    else
        a->go(a);
}

struct look_up {
    struct ask *ask;
    uint32_t uid;
};

static void looked_up(void *ctx, int error, const struct person *who)
{
    struct look_up *l = ctx;
    struct ask *a = l->ask;

    budget_looked_up(a->t->budget, &a->actor);
    learn_person(a->t, l->uid, error, who);
    if (error < 0 && error != -ENOENT && a->look_up_error == 0)
        a->look_up_error = error;
    free(l);
    ask_looked_up(a);
}

static int look_up(struct ask *a, uint32_t uid)
{
    struct look_up *l = malloc(sizeof *l);
    int r;

    if (!l)
        return -ENOMEM;
    *l = (struct look_up){a, uid};
    r = budget_look_up(a->t->budget, &a->actor) ? 0 : -EAGAIN;
    if (r == 0) {
        r = people_by_uid(a->t->people, uid, looked_up, l);
        if (r < 0)
            budget_looked_up(a->t->budget, &a->actor);
    }
    if (r < 0)
        free(l);
    else
        a->looking_up++;
    return r;
}

void ask_look_up(struct ask *a, const uint32_t *uids, size_t n, void (*go)(struct ask *a))
{
    a->go = go;
    for (size_t i = 0; i < n; i++) {
        int r = uids[i] == 0 ? 0 : look_up(a, uids[i]);

        if (r < 0 && a->look_up_error == 0)
            a->look_up_error = r;
    }
    if (a->looking_up == 0)
        go(a);
}

/* ---- which request it is about ----------------------------------------------------------------
 */

static int copy_history(void *ctx, const struct record *r)
{
    *(struct request *)ctx = r->request;
    return 0;
}

static bool find_whole(struct ask *a, struct id id, struct request *history, bool *ret_live)
{
    int r;

    *ret_live = world_request(&a->t->world, id) != NULL;
    if (*ret_live)
        return true;
    r = store_request(a->t->store, id, copy_history, history);
    if (r == 0)
        return true;
    ask_say(a, r == -ENOENT ? REPLY_NOT_FOUND : REPLY_FAILED,
            r == -ENOENT ? "no such request, or not yours to see" : "the store cannot be read");
    return false;
}

static bool find_prefix(struct ask *a, uint64_t first, uint64_t last, struct id *ret)
{
    const struct request *r;
    struct reply reply = {.code = REPLY_USAGE};
    struct text t = text_over(reply.text, sizeof reply.text);
    size_t n = 0;

    text_put(&t, "it begins more than one id:");
    for (uint32_t at = 0; (r = world_each_request(&a->t->world, &at));) {
        if (r->id.bits < first || r->id.bits > last ||
            !may_see(&a->t->world, a->actor.uid, r, false))
            continue;
        if (n++ == 0)
            *ret = r->id;
        text_put(&t, " ");
        text_put_id(&t, r->id.bits);
    }
    if (n == 1)
        return true;
    if (n == 0)
        ask_say(a, REPLY_NOT_FOUND, "no such open request; an ended one needs its whole id");
    else
        ask_answer(a, &reply);
    return false;
}

bool ask_find(struct ask *a, struct id *ret, struct request *history, bool *ret_live)
{
    struct wire_span v = wire_find(a->msg.fields, TEAM_ID);
    uint64_t first, last;

    if (!v.at || !text_parse_id_prefix(v.at, v.len, &first, &last)) {
        ask_say(a, REPLY_USAGE, "an id is 8 characters, or at least the first 4 of them");
        return false;
    }
    if (first != last) {
        *ret_live = true;
        return find_prefix(a, first, last, ret);
    }
    *ret = (struct id){first};
    return find_whole(a, *ret, history, ret_live);
}

/* ---- which target it is about ------------------------------------------------------------------
 */

/* An account's name, which only the directory can turn into its number. */
static bool names_account(struct wire_span v, enum target_error e)
{
    return e == TARGET_BAD_PLACE && v.len > 4 && memcmp(v.at, "aws:", 4) == 0;
}

enum target_error ask_target(struct ask *a, struct wire_span v, struct target *ret,
                             char why[static WHY_CAP])
{
    const struct world *w = &a->t->world;
    enum target_error e = directory_parse(w->directory, v.at, v.len, w->policy->host, ret, why);
    struct text t;

    if (!names_account(v, e) || (w->policy->aws && w->directory))
        return e;
    t = text_over(why, WHY_CAP);
    if (w->policy->aws)
        text_put_standing(&t, ret, AWS_UNREAD);
    else
        text_put(&t, "AWS is not configured");
    return e;
}

enum reply_code ask_target_code(struct ask *a, struct wire_span v, enum target_error e)
{
    const struct world *w = &a->t->world;

    if (!names_account(v, e))
        return REPLY_USAGE;
    return w->policy->aws && !w->directory ? REPLY_FAILED : REPLY_REFUSED;
}

/* ---- the socket -------------------------------------------------------------------------------
 */

void control_gone(struct conn *c)
{
    struct ask *a = conn_data(c);

    if (!a)
        return;
    a->conn = NULL;
    if (is_question(a) && a->looking_up == 0)
        ask_free(a);
}

bool is_elevating(const struct teamd *t, uint64_t number)
{
    const struct session *s = number ? world_session(&t->world, number) : NULL;

    return number > 0 && (!s || s->class == CLASS_SUDO || s->class == CLASS_SU);
}

void control_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct ask *a = ask_new(t, c, msg);
    uint64_t inside;
    char why[200];

    if (!a)
        return;
    inside = sessions_of_process(t, conn_pid(c)); /* of this process, says the next */
    if (process_login(conn_pidfd(c), conn_pid(c), &a->actor.loginuid) < 0) {
        ask_say(a, REPLY_FAILED, "the asking process is gone");
        return;
    }
    a->actor.uid = conn_uid(c);
    a->actor.in_session = is_elevating(t, inside);
    a->impostor = !identity_ok(t->world.policy, &a->actor, IDENTITY_READ, why);
    if (!is_question(a))
        change_ask(a); /* an impostor's try belongs into the trail: the core refuses it */
    else if (a->impostor)
        ask_say(a, REPLY_REFUSED, why);
    else
        query_ask(a);
}
