/* Random histories with AWS: people ask and revoke, time passes, teamd and the courier are killed
 * at any moment, answers are lost, late or wrong, others make and remove assignments of their own.
 * A model of AWS is what counts: after each act nothing may be there that nobody watches over,
 * nothing may be taken away from who has it, and at the end nothing of ours is left.
 *
 * SEED=n begins with that seed, N=n plays so many histories. */
#include "stage.h"

#include <setjmp.h>

#include <cmocka.h>

enum { PEOPLE = 3, ACCOUNTS = 2, SETS = 2, ACTS = 80, HISTORIES = 1500 };

static const char *const WHO[PEOPLE] = {"alice", "dave", "bob"};
static const char *const ACCOUNT[ACCOUNTS] = {"111122223333", "222222223333"};
static const char *const SET[SETS] = {"Admin", "Read"};

static const char POLICY[] =
    "may sre alice,dave,bob host:*/sudo,aws:*/* 4h free\nset comment no\naws on\n"
    "aws org 999900001111 999900001111\naws account 111122223333 one -\n"
    "aws account 222222223333 two -\naws set Admin 1h\naws set Read 2h\n"
    "aws user alice\naws user dave\naws user bob\n";

/* ---- AWS --------------------------------------------------------------------------------------
 */

/* One assignment as AWS has it. */
struct held {
    bool there;
    bool theirs;  /* somebody else's: it was there before */
    bool removed; /* somebody else took it away since we last knew */
};

static struct stage g;
static struct held held[PEOPLE][ACCOUNTS][SETS];
static unsigned asked;
static char deeds[ACTS + 1][80];
static unsigned n_deeds;

static uint64_t chance;

static uint64_t draw(void)
{
    uint64_t z = (chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(draw() % n);
}

static uint32_t uid_of(unsigned who)
{
    const struct member *m = member_named(&g, WHO[who]);

    stage_check(m != NULL, WHO[who]);
    return m ? m->uid : NOBODY;
}

static struct held *held_of(const struct errand *e, unsigned *ret_who)
{
    unsigned who = 0, account = 0, set = 0;

    while (uid_of(who) != e->uid)
        who++;
    while (strcmp(ACCOUNT[account], e->account) != 0)
        account++;
    while (strcmp(SET[set], e->set_name) != 0)
        set++;
    *ret_who = who;
    return &held[who][account][set];
}

static const struct errand *errand_of(unsigned who, unsigned account, unsigned set)
{
    for (const struct errand *e = NULL; (e = world_next_errand_of(&g.w, uid_of(who), e));)
        if (strcmp(e->account, ACCOUNT[account]) == 0 && strcmp(e->set_name, SET[set]) == 0)
            return e;
    return NULL;
}

/* ---- what has to hold -------------------------------------------------------------------------
 */

static bool grant_is(const struct grant *grant, unsigned account, unsigned set)
{
    return grant_is_aws(grant) && strcmp(grant->target.place, ACCOUNT[account]) == 0 &&
           strcmp(grant->target.what, SET[set]) == 0;
}

static bool is_open(unsigned who, unsigned account, unsigned set)
{
    for (const struct request *r = NULL; (r = world_next_of(&g.w, uid_of(who), r));)
        for (size_t i = 0; i < r->n_targets; i++)
            if (grant_is(&r->grants[i], account, set) && r->grants[i].state == GRANT_OPEN)
                return true;
    return false;
}

static const char *check_one(unsigned who, unsigned account, unsigned set)
{
    const struct held *h = &held[who][account][set];
    const struct errand *e = errand_of(who, account, set);
    bool ours = e && (e->state == ERRAND_MAKING || e->state == ERRAND_THERE ||
                      e->state == ERRAND_REMOVING);

    if (h->there && !h->theirs && !ours)
        return "AWS has an assignment that nobody watches over";
    if (!is_open(who, account, set))
        return NULL;
    if (!e || e->state == ERRAND_LOOKING || e->state == ERRAND_REMOVING ||
        e->state == ERRAND_FAILED)
        return "what is open is taken away";
    return h->there || h->removed ? NULL : "what is open is not there";
}

static const char *check_requests(void)
{
    const struct request *r;

    for (uint32_t at = 0; (r = world_each_request(&g.w, &at));) {
        if (r->state == REQ_ACTIVE && deadline_passed(r->due, g.now))
            return "an elevation is active after its end";
        if (r->state == REQ_ACTIVE &&
            r->active_until.us - r->active_from.us > r->duration_s * SECOND_US)
            return "a window is longer than was granted";
    }
    return NULL;
}

static const char *check(void)
{
    for (unsigned who = 0; who < PEOPLE; who++)
        for (unsigned account = 0; account < ACCOUNTS; account++)
            for (unsigned set = 0; set < SETS; set++) {
                const char *wrong = check_one(who, account, set);

                if (wrong)
                    return wrong;
            }
    return check_requests();
}

/* ---- acts -------------------------------------------------------------------------------------
 */

__attribute__((format(printf, 1, 2))) static void deed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(deeds[n_deeds < ACTS ? n_deeds++ : ACTS], sizeof deeds[0], format, args);
    va_end(args);
}

static const char *step(const struct event *ev)
{
    const char *wrong = stage_step(&g, ev);

    return wrong ? wrong : stage_settle(&g);
}

static const char *play_request(void)
{
    struct target targets[4];
    unsigned who = below(PEOPLE), n = 0, first = below(4);
    uint32_t uid = uid_of(who);
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = uid, .loginuid = uid}};

    for (unsigned i = 0; i < 4; i++)
        if (i == first || below(4) == 0) {
            char text[64];

            snprintf(text, sizeof text, "aws:%s/%s", ACCOUNT[i / 2], SET[i % 2]);
            stage_check(target_parse(text, strlen(text), STAGE_HOST, &targets[n++]) == TARGET_OK,
                        text);
        }
    ev.submit.fresh = (struct id){asked + 1};
    ev.submit.targets = targets;
    ev.submit.n_targets = n;
    ev.submit.duration_s = (int64_t)(60 * (1 + below(60)));
    ev.submit.start.us = below(3) == 0 ? g.now.wall.us + (int64_t)below(3600) * SECOND_US : 0;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    deed("%s requests %u targets for %us", WHO[who], n, (unsigned)ev.submit.duration_s);
    asked++;
    return step(&ev);
}

static const char *play_end(enum event_kind kind)
{
    struct event ev = {.kind = kind, .id = {asked > 0 ? asked - below(asked < 6 ? asked : 6) : 1}};
    const struct request *r = world_request(&g.w, ev.id);

    if (!r)
        return NULL;
    ev.actor = (struct actor){.uid = r->requester, .loginuid = r->requester};
    if (kind == EV_REVOKE) {
        ev.revoke.comment = "";
    } else if (kind == EV_EXTEND) {
        ev.extend.for_s = 600;
        ev.extend.reason = "more";
    }
    deed("%s of %u",
         kind == EV_REVOKE   ? "revoke"
         : kind == EV_CANCEL ? "cancel"
                             : "extend",
         (unsigned)ev.id.bits);
    return step(&ev);
}

static const char *play_time(void)
{
    int64_t s = below(4) == 0 ? 1 + below(3) : 1 + below(1800);

    deed("%us pass", (unsigned)s);
    stage_pass(&g, s);
    return step(&(struct event){.kind = EV_TICK});
}

static const char *play_restart(void)
{
    bool reboot = below(4) == 0;

    deed(reboot ? "reboot" : "restart");
    if (reboot) {
        g.now.wall.us += below(600) * SECOND_US;
        g.now.boot.us = 60 * SECOND_US;
    }
    restore(&g, &g.w, !reboot);
    for (size_t i = 0; i < g.store.n_requests; i++) {
        const struct request *r = world_request(&g.w, g.store.requests[i].id);

        if (r)
            g.store.requests[i] = *r; /* ends are worked out anew: what later starts will find */
    }
    return step(&(struct event){.kind = EV_TICK});
}

/* What AWS does with the step that the courier takes, and what the courier then has to say. */
static uint8_t do_in_aws(const struct errand *e, struct held *h, bool smooth,
                         const char **ret_wrong)
{
    bool fails = !smooth && below(12) == 0;

    switch ((enum errand_state)e->state) {
    case ERRAND_LOOKING:
        return fails ? OUTCOME_FAILED : h->there ? OUTCOME_THERE : OUTCOME_ABSENT;
    case ERRAND_MAKING:
        if (!fails || below(2)) {
            h->there = true;
            h->removed = false;
        }
        return fails ? OUTCOME_FAILED : OUTCOME_MADE;
    case ERRAND_REMOVING:
        if (h->there && h->theirs)
            *ret_wrong = "somebody else's assignment is removed";
        h->there = false;
        return OUTCOME_GONE;
    case ERRAND_FOUND:
    case ERRAND_THERE:
        if (!h->there)
            h->theirs = false; /* what is made then is ours */
        return h->there ? OUTCOME_THERE : OUTCOME_ABSENT;
    case ERRAND_FAILED:
    case ERRAND_OVER:
    case ERRAND_STATES:
        break;
    }
    return 0;
}

/* The courier takes one step of one errand. It may die before, or before it has told. */
static const char *play_courier(bool smooth)
{
    const struct errand *e = NULL;
    uint32_t at = 0;
    struct event ev = {.kind = EV_RESULT};
    struct held *h;
    const char *wrong = NULL;
    unsigned who;

    for (unsigned n = g.w.n_errands ? 1 + below(g.w.n_errands) : 0; n > 0; n--)
        e = world_each_errand(&g.w, &at);
    if (!e || (!smooth && below(6) == 0))
        return NULL;
    h = held_of(e, &who);
    ev.result.errand = e->number;
    ev.result.round = e->round;
    ev.result.text = "because";
    ev.result.outcome = do_in_aws(e, h, smooth, &wrong);
    deed("errand %u is %s: %u", (unsigned)e->number, errand_state_text((enum errand_state)e->state),
         ev.result.outcome);
    if (wrong || ev.result.outcome == 0 || (!smooth && below(4) == 0))
        return wrong;
    if (!smooth && below(10) == 0)
        ev.result.round -= 1 + below(2);
    if (!smooth && below(16) == 0)
        ev.result.outcome = OUTCOME_WAITS;
    wrong = step(&ev);
    if (!wrong && !smooth && below(8) == 0)
        wrong = step(&ev); /* and once more */
    return wrong;
}

/* Others have hands, too. Not where we are at work: then nobody could tell whose it is. */
static const char *play_others(void)
{
    unsigned who = below(PEOPLE), account = below(ACCOUNTS), set = below(SETS);
    struct held *h = &held[who][account][set];
    const struct errand *e = errand_of(who, account, set);

    if (h->there && below(3) == 0) {
        deed("somebody removes %s on %s of %s", SET[set], ACCOUNT[account], WHO[who]);
        h->there = false;
        h->theirs = false;
        h->removed = true;
    } else if (!h->there && !e) {
        deed("somebody assigns %s on %s to %s", SET[set], ACCOUNT[account], WHO[who]);
        h->there = h->theirs = true;
        h->removed = false;
    }
    return NULL;
}

static const char *play(void)
{
    unsigned dice = below(100);

    if (dice < 14)
        return play_request();
    if (dice < 20)
        return play_end(EV_REVOKE);
    if (dice < 22)
        return play_end(EV_CANCEL);
    if (dice < 25)
        return play_end(EV_EXTEND);
    if (dice < 43)
        return play_time();
    if (dice < 47)
        return play_restart();
    if (dice < 50)
        return play_others();
    return play_courier(false);
}

/* Everything ends, and AWS answers to everything. */
static const char *drain(void)
{
    const char *wrong = NULL;

    for (int i = 0; !wrong && i < 400 && (g.w.n_errands > 0 || g.w.n_requests > 0); i++) {
        wrong = play_courier(true);
        if (!wrong && i % 10 == 9) {
            stage_pass(&g, 4000);
            wrong = step(&(struct event){.kind = EV_TICK});
        }
    }
    if (wrong)
        return wrong;
    if (g.w.n_errands > 0 || g.w.n_requests > 0)
        return "something never ends";
    for (unsigned i = 0; i < PEOPLE * ACCOUNTS * SETS; i++) {
        const struct held *h = &held[i / 4][i / 2 % 2][i % 2];

        if (h->there && !h->theirs)
            return "an assignment of ours is left";
    }
    return NULL;
}

static const char *play_history(uint64_t seed)
{
    const char *wrong;

    chance = seed;
    n_deeds = asked = 0;
    memset(held, 0, sizeof held);
    stage_set(&g);
    wrong = stage_policy(&g, POLICY);
    for (int i = 0; !wrong && i < ACTS; i++) {
        wrong = play();
        if (!wrong)
            wrong = check();
    }
    return wrong ? wrong : drain();
}

static void nothing_is_left_and_nothing_is_lost(void **state)
{
    const char *from = getenv("SEED"), *many = getenv("N");
    uint64_t seed = from ? strtoull(from, NULL, 0) : 1;
    uint64_t n = many ? strtoull(many, NULL, 0) : HISTORIES;

    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        const char *wrong = play_history(seed + i);

        if (!wrong)
            continue;
        for (unsigned d = 0; d < n_deeds; d++)
            fprintf(stderr, "#   %s\n", deeds[d]);
        fail_msg("SEED=%llu: %s", (unsigned long long)(seed + i), wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_left_and_nothing_is_lost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
