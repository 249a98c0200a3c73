/* The lives of requests, grants, sessions and errands: every cell against a transcription of
 * DESIGN.md 4 that was made by reading it, not the tables; the shapes that must hold whatever the
 * cells say; and the diagrams. `test_tables --print` prints them, tests/golden keeps them, README
 * shows them.
 */
#include "core/errand.h"
#include "core/request.h"
#include "core/session.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { STATES = 12, EVENTS = 11, DIAGRAM_CAP = 4096 };

/* A life as its table says it, with the names of things. */
struct life {
    const char *name;
    int states, events;     /* states from 1 */
    int begins, begins_too; /* the second: 0, none */
    struct move cell[STATES][EVENTS];
    const char *state_text[STATES], *event_text[EVENTS];
    bool final[STATES];
};

static struct life request_life(void)
{
    struct life l = {
        .name = "request", .states = REQ_STATES, .events = REQ_EVENTS, .begins = REQ_PENDING};

    for (int s = 0; s < l.states; s++) {
        l.state_text[s] = request_state_text((enum request_state)s);
        l.final[s] = request_state_final((enum request_state)s);
        for (int e = 0; e < l.events; e++)
            l.cell[s][e] = request_move((enum request_state)s, (enum request_event)e);
    }
    for (int e = 0; e < l.events; e++)
        l.event_text[e] = request_event_text((enum request_event)e);
    return l;
}

static struct life grant_life(void)
{
    struct life l = {
        .name = "grant", .states = GRANT_STATES, .events = GRANT_EVENTS, .begins = GRANT_WAITING};

    for (int s = 0; s < l.states; s++) {
        l.state_text[s] = grant_state_text((enum grant_state)s);
        l.final[s] = s == GRANT_CLOSED || s == GRANT_FAILED;
        for (int e = 0; e < l.events; e++)
            l.cell[s][e] = grant_move((enum grant_state)s, (enum grant_event)e);
    }
    for (int e = 0; e < l.events; e++)
        l.event_text[e] = grant_event_text((enum grant_event)e);
    return l;
}

static struct life session_life(void)
{
    struct life l = {.name = "session",
                     .states = SESSION_STATES,
                     .events = SESSION_EVENTS,
                     .begins = SESSION_OPENING,
                     .begins_too = SESSION_LIVE};

    for (int s = 0; s < l.states; s++) {
        l.state_text[s] = session_state_text((enum session_state)s);
        l.final[s] = session_state_final((enum session_state)s);
        for (int e = 0; e < l.events; e++)
            l.cell[s][e] = session_move((enum session_state)s, (enum session_event)e);
    }
    for (int e = 0; e < l.events; e++)
        l.event_text[e] = session_event_text((enum session_event)e);
    return l;
}

static struct life errand_life(void)
{
    struct life l = {.name = "errand",
                     .states = ERRAND_STATES,
                     .events = ERRAND_EVENTS,
                     .begins = ERRAND_LOOKING};

    for (int s = 0; s < l.states; s++) {
        l.state_text[s] = errand_state_text((enum errand_state)s);
        l.final[s] = s == ERRAND_OVER;
        for (int e = 0; e < l.events; e++)
            l.cell[s][e] = errand_move((enum errand_state)s, (enum errand_event)e);
    }
    for (int e = 0; e < l.events; e++)
        l.event_text[e] = errand_event_text((enum errand_event)e);
    return l;
}

/* ---- what DESIGN.md 4 says ------------------------------------------------------------------ */

/* One cell: a move "to" (for `ending` with what the end will be called, "ending as revoked"), or
 * one of the noes: "refused" to a person, "ignored" as a late echo, "impossible" by our own order,
 * or "finish". */
struct line {
    const char *state, *cells[EVENTS];
};

/* clang-format off */
static const struct line REQUEST_LINES[] = {
    /*             quorum       reject      cancel       expiry      lapse                start         all open      grant failed        revoke               window end          all closed */
    {"none",       {"impossible","impossible","impossible","impossible","impossible",     "impossible", "impossible", "impossible",       "impossible",        "impossible",       "impossible"}},
    {"pending",    {"scheduled", "rejected", "cancelled", "expired",  "cancelled",        "impossible", "impossible", "impossible",       "refused",           "impossible",       "impossible"}},
    {"scheduled",  {"refused",   "refused",  "cancelled", "ignored",  "cancelled",        "activating", "impossible", "impossible",       "revoked",           "impossible",       "impossible"}},
    {"activating", {"refused",   "refused",  "refused",   "ignored",  "ending as revoked","ignored",    "active",     "ending as failed", "ending as revoked", "ending as failed", "impossible"}},
    {"active",     {"refused",   "refused",  "refused",   "ignored",  "ending as revoked","ignored",    "ignored",    "impossible",       "ending as revoked", "ending as ended",  "impossible"}},
    {"ending",     {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "finish"}},
    {"ended",      {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
    {"revoked",    {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
    {"rejected",   {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
    {"cancelled",  {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
    {"expired",    {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
    {"failed",     {"refused",   "refused",  "refused",   "ignored",  "ignored",          "ignored",    "ignored",    "ignored",          "refused",           "ignored",          "ignored"}},
};

static const struct line GRANT_LINES[] = {
    /*          ask           granted       failure       end           gone */
    {"none",    {"impossible", "impossible", "impossible", "impossible", "impossible"}},
    {"waiting", {"opening",    "impossible", "impossible", "closed",     "ignored"}},
    {"opening", {"ignored",    "open",       "failed",     "closing",    "ignored"}},
    {"open",    {"ignored",    "ignored",    "ignored",    "closing",    "ignored"}},
    {"closing", {"ignored",    "ignored",    "ignored",    "ignored",    "closed"}},
    {"closed",  {"ignored",    "ignored",    "ignored",    "ignored",    "ignored"}},
    {"failed",  {"ignored",    "ignored",    "ignored",    "ignored",    "ignored"}},
};

/* What is ours is removed until it is gone; what was there before is left alone. */
static const struct line ERRAND_LINES[] = {
    /*           found        absent        made          failure       gone          unwanted */
    {"none",     {"impossible","impossible","impossible", "impossible", "impossible", "impossible"}},
    {"looking",  {"found",     "making",    "ignored",    "failed",     "ignored",    "over"}},
    {"making",   {"ignored",   "ignored",   "there",      "removing",   "ignored",    "removing"}},
    {"found",    {"ignored",   "making",    "ignored",    "ignored",    "ignored",    "over"}},
    {"there",    {"ignored",   "making",    "ignored",    "ignored",    "ignored",    "removing"}},
    {"removing", {"ignored",   "ignored",   "ignored",    "ignored",    "over",       "ignored"}},
    {"failed",   {"ignored",   "ignored",   "ignored",    "ignored",    "ignored",    "over"}},
    {"over",     {"ignored",   "ignored",   "ignored",    "ignored",    "ignored",    "ignored"}},
};

static const struct line SESSION_LINES[] = {
    /*              confirm       close         access lost    access back   grace over     still there   gone          not found */
    {"none",        {"impossible", "impossible", "impossible",  "impossible", "impossible",  "impossible", "impossible", "impossible"}},
    {"opening",     {"live",       "ignored",    "terminating", "ignored",    "terminating", "ignored",    "ended",      "lost"}},
    {"live",        {"ignored",    "closing",    "terminating", "ignored",    "ignored",     "ignored",    "ended",      "lost"}},
    {"closing",     {"ignored",    "ignored",    "terminating", "ignored",    "ignored",     "ignored",    "ended",      "lost"}},
    {"terminating", {"ignored",    "ignored",    "ignored",     "live",       "killing",     "ignored",    "ended",      "lost"}},
    {"killing",     {"ignored",    "ignored",    "ignored",     "ignored",    "ignored",     "stuck",      "ended",      "lost"}},
    {"stuck",       {"ignored",    "ignored",    "ignored",     "ignored",    "ignored",     "ignored",    "ended",      "lost"}},
    {"ended",       {"ignored",    "ignored",    "ignored",     "ignored",    "ignored",     "ignored",    "ignored",    "ignored"}},
    {"lost",        {"ignored",    "ignored",    "ignored",     "ignored",    "ignored",     "ignored",    "ignored",    "ignored"}},
};
/* clang-format on */

/* The cell in the words of the transcription. */
static void say_cell(const struct life *l, struct move m, char out[64])
{
    switch ((enum move_kind)m.kind) {
    case MOVE_IMPOSSIBLE:
        snprintf(out, 64, "impossible");
        return;
    case MOVE_IGNORED:
        snprintf(out, 64, "ignored");
        return;
    case MOVE_REFUSED:
        snprintf(out, 64, "refused");
        return;
    case MOVE_FINISH:
        snprintf(out, 64, "finish");
        return;
    case MOVE_GO:
        break;
    }
    if (m.end_as)
        snprintf(out, 64, "%s as %s", l->state_text[m.to], l->state_text[m.end_as]);
    else
        snprintf(out, 64, "%s", l->state_text[m.to]);
}

/* Where table and transcription part, in words; "" if nowhere. */
static void compare(const struct life *l, const struct line *lines, char out[256])
{
    char cell[64];

    out[0] = '\0';
    for (int s = 0; s < l->states; s++)
        for (int e = 0; e < l->events; e++) {
            say_cell(l, l->cell[s][e], cell);
            if (strcmp(l->state_text[s], lines[s].state) != 0 ||
                strcmp(cell, lines[s].cells[e]) != 0)
                snprintf(out, 256, "%s, %s: %s and not %s", lines[s].state, l->event_text[e], cell,
                         lines[s].cells[e]);
        }
}

/* Any other content of any one cell has to be noticed. */
static void flip_each(struct life l, const struct line *lines)
{
    char wrong[256];

    compare(&l, lines, wrong);
    if (wrong[0])
        fail_msg("%s", wrong);
    for (int s = 0; s < l.states; s++)
        for (int e = 0; e < l.events; e++)
            for (int kind = MOVE_IMPOSSIBLE; kind <= MOVE_FINISH; kind++)
                for (int to = 0; to < (kind == MOVE_GO ? l.states : 1); to++) {
                    struct move was = l.cell[s][e];
                    struct move m = {.kind = (uint8_t)kind, .to = (uint8_t)to};

                    if (was.kind == m.kind && was.to == m.to && was.end_as == m.end_as)
                        continue;
                    l.cell[s][e] = m;
                    compare(&l, lines, wrong);
                    if (!wrong[0])
                        fail_msg("nobody notices another cell at %s, %s", l.state_text[s],
                                 l.event_text[e]);
                    l.cell[s][e] = was;
                }
}

static void requests_live_as_designed(void **state)
{
    (void)state;
    flip_each(request_life(), REQUEST_LINES);
}

static void grants_live_as_designed(void **state)
{
    (void)state;
    flip_each(grant_life(), GRANT_LINES);
}

static void sessions_live_as_designed(void **state)
{
    (void)state;
    flip_each(session_life(), SESSION_LINES);
}

static void errands_live_as_designed(void **state)
{
    (void)state;
    flip_each(errand_life(), ERRAND_LINES);
}

/* ---- shapes --------------------------------------------------------------------------------- */

/* Which states can be reached from `from`, itself included? FINISH leads to what `ending` was
 * entered with. */
static void reach(const struct life *l, int from, bool seen[STATES])
{
    if (seen[from])
        return;
    seen[from] = true;
    for (int e = 0; e < l->events; e++) {
        struct move m = l->cell[from][e];

        if (m.kind == MOVE_GO)
            reach(l, m.to, seen);
        if (m.kind == MOVE_FINISH)
            for (int s = 1; s < l->states; s++)
                for (int f = 0; f < l->events; f++)
                    if (l->cell[s][f].kind == MOVE_GO && l->cell[s][f].to == from)
                        reach(l, l->cell[s][f].end_as, seen);
    }
}

static void every_state_can_be_reached(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool seen[STATES] = {false};

        reach(&lives[i], lives[i].begins, seen);
        for (int s = 1; s < lives[i].states; s++)
            if (!seen[s])
                fail_msg("no %s is ever %s", lives[i].name, lives[i].state_text[s]);
        assert_false(seen[0]);
    }
}

static void final_states_stay_final_and_the_others_have_a_way_out(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int s = 1; s < lives[i].states; s++) {
            int ways = 0;

            for (int e = 0; e < lives[i].events; e++)
                ways += lives[i].cell[s][e].kind == MOVE_GO ||
                        lives[i].cell[s][e].kind == MOVE_FINISH;
            if ((ways == 0) != lives[i].final[s])
                fail_msg("%s %s has %d ways out", lives[i].name, lives[i].state_text[s], ways);
        }
}

static void every_life_can_end_from_everywhere(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int s = 1; s < lives[i].states; s++) {
            bool seen[STATES] = {false}, ends = false;

            reach(&lives[i], s, seen);
            for (int t = 1; t < lives[i].states; t++)
                ends = ends || (seen[t] && lives[i].final[t]);
            assert_true(ends);
        }
}

static void no_way_leads_back_from_the_killing(void **state)
{
    struct life l = session_life();

    (void)state;
    for (int s = SESSION_KILLING; s < SESSION_STATES; s++) {
        bool seen[STATES] = {false};

        reach(&l, s, seen);
        for (int early = SESSION_OPENING; early < SESSION_KILLING; early++)
            if (seen[early])
                fail_msg("a session that is %s can come back", l.state_text[s]);
    }
}

static void no_way_leads_back_to_a_grant(void **state)
{
    struct life r = request_life(), g = grant_life();

    (void)state;
    for (int s = REQ_ENDING; s < REQ_STATES; s++) {
        bool seen[STATES] = {false};

        reach(&r, s, seen);
        if (seen[REQ_PENDING] || seen[REQ_SCHEDULED] || seen[REQ_ACTIVATING] || seen[REQ_ACTIVE])
            fail_msg("a request that is %s can come back", r.state_text[s]);
    }
    for (int s = GRANT_CLOSING; s < GRANT_STATES; s++) {
        bool seen[STATES] = {false};

        reach(&g, s, seen);
        if (seen[GRANT_WAITING] || seen[GRANT_OPENING] || seen[GRANT_OPEN])
            fail_msg("a grant that is %s can come back", g.state_text[s]);
    }
}

static void active_is_entered_only_through_approval_and_start(void **state)
{
    struct life r = request_life();

    (void)state;
    for (int s = 1; s < REQ_STATES; s++)
        for (int e = 0; e < REQ_EVENTS; e++) {
            struct move m = r.cell[s][e];

            if (m.kind != MOVE_GO)
                continue;
            if (m.to == REQ_ACTIVE)
                assert_true(s == REQ_ACTIVATING && e == REQ_ON_ALL_OPEN);
            if (m.to == REQ_ACTIVATING)
                assert_true(s == REQ_SCHEDULED && e == REQ_ON_START);
            if (m.to == REQ_SCHEDULED)
                assert_true(s == REQ_PENDING && e == REQ_ON_QUORUM);
            if (m.to == REQ_ENDING)
                assert_true(request_state_final((enum request_state)m.end_as));
            else
                assert_int_equal(m.end_as, 0);
        }
}

static void every_state_and_event_has_a_name_of_its_own(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (int s = 0; s < lives[i].states; s++) {
            assert_true(lives[i].state_text[s][0] != '\0');
            for (int t = 0; t < s; t++)
                assert_string_not_equal(lives[i].state_text[s], lives[i].state_text[t]);
        }
        for (int e = 0; e < lives[i].events; e++) {
            assert_true(lives[i].event_text[e][0] != '\0');
            for (int f = 0; f < e; f++)
                assert_string_not_equal(lives[i].event_text[e], lives[i].event_text[f]);
        }
    }
}

/* ---- diagrams ------------------------------------------------------------------------------- */

struct page {
    char text[DIAGRAM_CAP];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct page *p, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(p->text + p->len, sizeof p->text - p->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof p->text - p->len)
        abort();
    p->len += (size_t)n;
}

/* The arrow from one state to another with all that leads along it. */
static void put_arrow(struct page *p, const struct life *l, int from, int to)
{
    bool first = true;

    for (int e = 0; e < l->events; e++) {
        struct move m = l->cell[from][e];

        if (m.kind != MOVE_GO || m.to != to)
            continue;
        if (first)
            put(p, "    %s --> %s: ", l->state_text[from], l->state_text[to]);
        put(p, "%s%s", first ? "" : ", ", l->event_text[e]);
        if (m.end_as)
            put(p, " (%s)", l->state_text[m.end_as]);
        first = false;
    }
    if (!first)
        put(p, "\n");
}

static void put_finish(struct page *p, const struct life *l, int from)
{
    bool seen[STATES] = {false};

    for (int e = 0; e < l->events; e++) {
        if (l->cell[from][e].kind != MOVE_FINISH)
            continue;
        reach(l, from, seen);
        for (int to = 1; to < l->states; to++)
            if (seen[to] && to != from)
                put(p, "    %s --> %s: %s\n", l->state_text[from], l->state_text[to],
                    l->event_text[e]);
    }
}

static void draw(struct page *p, const struct life *l)
{
    put(p, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", l->state_text[l->begins]);
    if (l->begins_too)
        put(p, "    [*] --> %s\n", l->state_text[l->begins_too]);
    for (int from = 1; from < l->states; from++) {
        for (int to = 1; to < l->states; to++)
            put_arrow(p, l, from, to);
        put_finish(p, l, from);
    }
    for (int s = 1; s < l->states; s++)
        if (l->final[s])
            put(p, "    %s --> [*]\n", l->state_text[s]);
    put(p, "```\n");
}

static char *read_file(const char *path)
{
    char *text = NULL;
    size_t n = 0, cap = 0;
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    do {
        cap += 65536;
        text = realloc(text, cap);
        assert_non_null(text);
        n += fread(text + n, 1, cap - n - 1, f);
    } while (n == cap - 1);
    text[n] = '\0';
    fclose(f);
    return text;
}

static void the_diagrams_are_those_that_were_agreed_on(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct page p = {.len = 0};
        char path[64], *golden;

        draw(&p, &lives[i]);
        snprintf(path, sizeof path, "tests/golden/states-%s.txt", lives[i].name);
        golden = read_file(path);
        assert_non_null(golden);
        assert_string_equal(p.text, golden);
        free(golden);
    }
}

static void readme_shows_the_diagrams_of_the_tables(void **state)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};
    char *readme = read_file("README.md");

    (void)state;
    for (size_t i = 0; readme && i < 4; i++) {
        struct page p = {.len = 0};
        char begin[64], end[64];
        const char *from, *to;

        snprintf(begin, sizeof begin, "<!-- states:%s -->\n", lives[i].name);
        snprintf(end, sizeof end, "<!-- /states:%s -->", lives[i].name);
        from = strstr(readme, begin);
        if (!from)
            continue; /* README need not show all of them */
        from += strlen(begin);
        to = strstr(from, end);
        assert_non_null(to);
        draw(&p, &lives[i]);
        assert_int_equal((size_t)(to - from), p.len);
        assert_memory_equal(from, p.text, p.len);
    }
    free(readme);
}

static int print(const char *which)
{
    struct life lives[] = {request_life(), grant_life(), session_life(), errand_life()};

    for (size_t i = 0; i < 4; i++) {
        struct page p = {.len = 0};

        draw(&p, &lives[i]);
        if (!which || strcmp(which, lives[i].name) == 0)
            printf("%s", p.text);
    }
    return EXIT_SUCCESS;
}

/* A permission set is known by the end of its ARN. */
static void the_id_of_a_permission_set_is_the_end_of_its_arn(void **state)
{
    (void)state;
    assert_string_equal(set_id("arn:aws:sso:::permissionSet/ssoins-72/ps-1"), "ps-1");
    assert_string_equal(set_id("ps-1"), "ps-1");
    assert_string_equal(set_id("a/ps-45678901234567890123"), "ps-45678901234567890123");
    assert_string_equal(set_id("a/ps-456789012345678901234"), "s-456789012345678901234");
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_live_as_designed),
        cmocka_unit_test(grants_live_as_designed),
        cmocka_unit_test(sessions_live_as_designed),
        cmocka_unit_test(errands_live_as_designed),
        cmocka_unit_test(every_state_can_be_reached),
        cmocka_unit_test(final_states_stay_final_and_the_others_have_a_way_out),
        cmocka_unit_test(every_life_can_end_from_everywhere),
        cmocka_unit_test(the_id_of_a_permission_set_is_the_end_of_its_arn),
        cmocka_unit_test(no_way_leads_back_from_the_killing),
        cmocka_unit_test(no_way_leads_back_to_a_grant),
        cmocka_unit_test(active_is_entered_only_through_approval_and_start),
        cmocka_unit_test(every_state_and_event_has_a_name_of_its_own),
        cmocka_unit_test(the_diagrams_are_those_that_were_agreed_on),
        cmocka_unit_test(readme_shows_the_diagrams_of_the_tables),
    };

    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return print(argc > 2 ? argv[2] : NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
