#include "core/step.h"

enum { NAMES_MAX = 16 };

/* The most that one transition emits: the request, its words and decision, two events of the trail,
 * and for each AWS target a row of the outbox and its event. */
enum { TRANSITION_MAX = 8 + 2 * TARGETS_MAX };

bool step_room(const struct step *s)
{
    return s->out->n + TRANSITION_MAX <= EFFECTS_MAX;
}

struct effect *emit(struct step *s, enum effect_kind kind)
{
    struct effect *e = &s->out->items[s->out->n++];

    e->kind = kind;
    return e;
}

static struct effect *written_before(struct step *s, struct id id)
{
    for (size_t i = 0; i < s->out->n; i++)
        if (s->out->items[i].kind == EFFECT_REQUEST && s->out->items[i].request.id.bits == id.bits)
            return &s->out->items[i];
    return NULL;
}

void put_request(struct step *s, const struct request *r)
{
    struct effect *e = written_before(s, r->id);

    if (!e)
        e = emit(s, EFFECT_REQUEST);
    e->request = *r;
    s->written = &e->request;
}

void put_session(struct step *s, const struct session *session)
{
    emit(s, EFFECT_SESSION)->session = *session;
}

void put_act(struct step *s, enum act_kind kind, const struct session *session, int64_t left_s)
{
    emit(s, EFFECT_ACT)->act = (struct act){
        .kind = (uint8_t)kind,
        .session = session->number,
        .left_s = left_s,
        .request = session->request,
    };
}

void put_words(struct step *s, struct id id, enum words_kind kind, const char *text)
{
    if (text[0] != '\0')
        emit(s, EFFECT_WORDS)->words =
            (struct words){.id = id, .kind = (uint8_t)kind, .text = text};
}

void put_decision(struct step *s, struct request *r, uint32_t uid, bool approved, enum about about,
                  const char *comment)
{
    emit(s, EFFECT_DECISION)->decision = (struct decision){
        .id = r->id,
        .number = r->n_decisions++,
        .approved = approved,
        .about = (uint8_t)about,
        .uid = uid,
        .by = actor_name(s->w, uid),
        .at = s->now.wall,
        .comment = comment,
    };
}

static void put_targets(struct text *t, const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        if (i > 0)
            text_put(t, ",");
        text_put_target(t, &r->grants[i].target);
    }
}

struct audit *put_audit(struct step *s, const char *action, const char *actor,
                        const struct request *r, const char *outcome, const char *detail)
{
    struct audit *a = &emit(s, EFFECT_AUDIT)->audit;
    struct text name = text_over(a->actor.text, sizeof a->actor.text);
    struct text target = text_over(a->target, sizeof a->target);
    struct text words = text_over(a->detail, sizeof a->detail);

    a->action = action;
    a->outcome = outcome;
    a->id = r ? r->id : (struct id){0};
    text_put(&name, actor);
    if (r)
        put_targets(&target, r);
    text_put(&words, detail);
    return a;
}

/* ---- words ---------------------------------------------------------------------------------- */

struct text reply_text(struct step *s, enum reply_code code)
{
    s->out->reply.code = (uint8_t)code;
    return text_over(s->out->reply.text, sizeof s->out->reply.text);
}

void reply_say(struct step *s, enum reply_code code, const char *text)
{
    struct text t = reply_text(s, code);

    text_put(&t, text);
}

void reply_about(struct step *s, const struct request *r)
{
    s->out->reply.id = r->id;
    s->out->reply.state = r->state;
}

void say_state(struct step *s, const struct request *r, const char *more)
{
    struct text t = reply_text(s, REPLY_WRONG_STATE);

    text_put(&t, "it is ");
    text_put(&t, request_state_text((enum request_state)r->state));
    text_put(&t, more);
    reply_about(s, r);
}

struct audit *refuse(struct step *s, const char *action, const struct event *ev,
                     const struct request *r)
{
    struct name by = actor_name(s->w, ev->actor.uid);

    return put_audit(s, action, by.text, r, "refused", s->out->reply.text);
}

void text_put_people(struct text *t, const struct person *const people[], size_t n)
{
    enum { NAMED = 5 };
    size_t named = n <= NAMED ? n : NAMED - 1;

    if (n == 0)
        text_put(t, "an approver"); /* there are some, but nobody whom the host could list */
    for (size_t i = 0; i < named; i++) {
        if (i > 0)
            text_put(t, i + 1 == n ? " or " : ", ");
        text_put(t, people[i]->name.text);
    }
    if (n > named) {
        text_put(t, " or ");
        text_put_u64(t, n - named);
        text_put(t, " others");
    }
}

/* Not within a character. */
void text_put_cut(struct text *t, const char *s)
{
    text_make_plain(t->buf + t->len, t->cap - t->len, s, strlen(s));
    t->len += strlen(t->buf + t->len);
}

void text_put_target(struct text *t, const struct target *target)
{
    char out[TARGET_TEXT_CAP];

    target_text(target, out);
    text_put(t, out);
}

void text_put_left(struct text *t, struct wall from, struct wall to)
{
    int64_t left = (to.us - from.us + SECOND_US - 1) / SECOND_US;

    text_put_duration(t, left > 0 ? (uint64_t)left : 0);
}

struct name actor_name(const struct world *w, uint32_t uid)
{
    const struct person *p = world_person(w, uid);
    struct name n = {""};
    struct text t = text_over(n.text, sizeof n.text);

    if (uid == 0) {
        text_put(&t, "root");
    } else if (p) {
        n = p->name;
    } else {
        text_put(&t, "uid ");
        text_put_u64(&t, uid);
    }
    return n;
}

void say_progress(const struct world *w, const struct request *r, struct text *t)
{
    const struct person *people[NAMES_MAX];
    uint32_t have, of;

    if (r->n_approvals > 0) {
        text_put(t, "approved by ");
        text_put(t, r->approvals[r->n_approvals - 1].name.text);
        if (approval_count(w, r, &have, &of)) {
            text_put(t, ", ");
            text_put_u64(t, have);
            text_put(t, " of ");
            text_put_u64(t, of);
        }
        text_put(t, "; ");
    }
    text_put(t, "waiting for ");
    text_put_people(t, people, waiting_for(w, r, people, NAMES_MAX));
}
