/* logs: what was done under a request, on the host and in AWS, as one time line; and looking for a
 * text in all of it. */
#include "teamctl.h"

#include <stdlib.h>

#include "when.h"

/* A beginning or an end of a session, until its time has come among the calls. */
struct line {
    int64_t at_us;
    size_t number; /* in which order it came */
    char *fields;
    size_t len;
};

struct logs {
    struct call *c;
    bool raw, all, follow, bad;
    bool flows; /* followed, and what there was has been told */
    int64_t since_us, until_us;
    struct render render;
    struct fold fold;
    struct line *lines; /* from the first that has not been told */
    size_t first_line, n_lines, cap_lines, came;
    bool unsorted;
    size_t n_looked; /* how often sudo's log was looked for */
    uint64_t *begun; /* sessions whose beginning has been told */
    size_t n_begun, cap_begun;
    size_t without_raw, cut_raw; /* records that are not there, or not whole */
    /* what is said at the end */
    char (*notes)[512];
    bool *loud;
    size_t n_notes;
};

enum { NOTES_MAX = 64 };

/* ---- lines out --------------------------------------------------------------------------------
 */

static void out_line(struct logs *l, struct wire_span line)
{
    render_row(&l->render, line);
}

static void unfold(struct logs *l)
{
    struct wire_span line;

    if (fold_end(&l->fold, &line))
        out_line(l, line);
}

static void put(struct logs *l, struct wire_span line)
{
    bool folds = l->c->look.form == FORM_TABLE && !l->all;

    if (folds && fold_takes(&l->fold, line)) {
        fold_add(&l->fold, line);
        return;
    }
    unfold(l);
    if (folds && fold_takes(&l->fold, line))
        fold_add(&l->fold, line);
    else
        out_line(l, line);
}

static int by_time(const void *x, const void *y)
{
    const struct line *a = x, *b = y;

    if (a->at_us != b->at_us)
        return (a->at_us > b->at_us) - (a->at_us < b->at_us);
    return (a->number > b->number) - (a->number < b->number);
}

/* What happened up to then. */
static void catch_up(struct logs *l, int64_t us)
{
    if (l->unsorted)
        qsort(l->lines + l->first_line, l->n_lines - l->first_line, sizeof *l->lines, by_time);
    l->unsorted = false;
    for (; l->first_line < l->n_lines && l->lines[l->first_line].at_us <= us; l->first_line++) {
        struct line *line = &l->lines[l->first_line];

        put(l, (struct wire_span){line->fields, line->len});
        free(line->fields);
    }
    if (l->first_line == l->n_lines)
        l->first_line = l->n_lines = 0;
}

static void flush(struct logs *l)
{
    catch_up(l, INT64_MAX);
    unfold(l);
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

static bool grow(void **p, size_t *cap, size_t n, size_t size)
{
    size_t more = *cap ? 2 * *cap : 16;
    void *q;

    if (n < *cap)
        return true;
    q = reallocarray(*p, more, size);
    if (!q)
        return false;
    *p = q;
    *cap = more;
    return true;
}

static void keep_line(struct logs *l, struct wire_span line)
{
    uint64_t at = 0;
    struct line *to;

    wire_find_u64(line, TEAM_AT, &at);
    if ((int64_t)at < l->since_us || (l->until_us != 0 && (int64_t)at >= l->until_us))
        return;
    if (!grow((void **)&l->lines, &l->cap_lines, l->n_lines, sizeof *l->lines)) {
        l->bad = true;
        return;
    }
    to = &l->lines[l->n_lines];
    *to = (struct line){
        .at_us = (int64_t)at, .number = l->came++, .fields = malloc(line.len + 1), .len = line.len};
    if (!to->fields) {
        l->bad = true;
        return;
    }
    memcpy(to->fields, line.at, line.len);
    l->n_lines++;
    l->unsorted = true;
}

static bool has_begun(struct logs *l, uint64_t number)
{
    for (size_t i = 0; i < l->n_begun; i++)
        if (l->begun[i] == number)
            return true;
    if (l->follow && grow((void **)&l->begun, &l->cap_begun, l->n_begun, sizeof *l->begun))
        l->begun[l->n_begun++] = number;
    return false;
}

static void note(struct logs *l, bool loud, const char *text)
{
    if (!l->notes)
        l->notes = calloc(NOTES_MAX, sizeof *l->notes);
    if (!l->loud)
        l->loud = calloc(NOTES_MAX, sizeof *l->loud);
    if (!l->notes || !l->loud || l->n_notes == NOTES_MAX)
        return;
    snprintf(l->notes[l->n_notes], sizeof l->notes[0], "%s", text);
    l->loud[l->n_notes++] = loud;
}

/* Where sudo's own log of it is. */
static void note_sudo(struct logs *l, struct wire_span session)
{
    char id[64], text[256];
    uint64_t number = 0;

    if (l->c->look.form != FORM_TABLE || l->n_looked++ >= NOTES_MAX || !sudo_log_of(session, id))
        return;
    wire_find_u64(session, TEAM_SESSION, &number);
    snprintf(text, sizeof text,
             "session %llu has a log of sudo's: sudoreplay %s; its subcommands: journalctl -t sudo "
             "-g TSID=%s",
             (unsigned long long)number, id, id);
    note(l, true, text);
}

static void take_session(struct logs *l, struct wire_span session)
{
    struct wire_span line;
    uint64_t number = 0;

    if (l->c->given[OPT_SEARCH]) { /* each by itself */
        if (line_of_start(&l->c->look, true, session, &line))
            put(l, line);
        return;
    }
    wire_find_u64(session, TEAM_SESSION, &number);
    if (!has_begun(l, number)) {
        if (line_of_start(&l->c->look, false, session, &line))
            keep_line(l, line);
        if (!l->follow)
            note_sudo(l, session);
    }
    if (line_of_end(&l->c->look, session, &line))
        keep_line(l, line);
}

/* ---- AWS --------------------------------------------------------------------------------------
 */

static void take_raw(struct logs *l, struct wire_span row)
{
    struct wire_span raw = wire_find(row, TEAM_RAW), kind = wire_find(row, TEAM_KIND);

    uint64_t size = 0;

    wire_find_u64(row, TEAM_RAW_SIZE, &size);
    if (raw.at) {
        l->cut_raw += size > raw.len;
        out_put(l->c->out, raw.at, raw.len);
        out_put(l->c->out, "\n", 1);
    } else if (kind.len == 4) {
        l->without_raw++;
    }
}

static void take_call(struct logs *l, struct wire_span row)
{
    struct wire_span line;
    uint64_t at = 0;

    if (l->raw) {
        take_raw(l, row);
        return;
    }
    wire_find_u64(row, TEAM_AT, &at);
    catch_up(l, (int64_t)at);
    if (line_of_call(&l->c->look, l->c->given[OPT_SEARCH] != NULL, row, &line))
        put(l, line);
}

static void take_collected(struct logs *l, struct wire_span row)
{
    char target[901], text[481], when[WHEN_CAP], line[512];
    uint64_t until = 0, last = 0;

    wire_copy(row, TEAM_TARGET_NAME, target, sizeof target);
    wire_find_u64(row, TEAM_LAST, &last);
    wire_copy(row, TEAM_TEXT, text, sizeof text);
    if (text[0]) {
        snprintf(line, sizeof line, "%.200s: %.300s", target, text);
        note(l, true, line);
    }
    if (!wire_find_u64(row, TEAM_UNTIL, &until) || last)
        return;
    when_local((int64_t)until, l->c->look.now_us, false, when);
    snprintf(line, sizeof line, "%.200s: collected until %s; CloudTrail is about 5 minutes late",
             target, when);
    note(l, false, line);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static bool take_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct logs *l = ctx;

    if (kind == TEAM_ROW_SESSION && !l->raw)
        take_session(l, row);
    else if (kind == TEAM_ROW_COLLECTED)
        take_collected(l, row);
    else if (kind == TEAM_ROW_ACTIVITY)
        take_call(l, row);
    return l->c->out->error == 0 && !l->bad;
}

static void say_notes(struct logs *l)
{
    out_flush(l->c->out);
    for (size_t i = 0; i < l->n_notes; i++)
        if (l->loud[i] || (l->c->look.width > 0 && l->c->look.form == FORM_TABLE && !l->raw))
            remark(l->c, "%s", l->notes[i]);
    l->n_notes = 0;
    if (l->without_raw > 0)
        remark(l->c, "of %zu calls there is no record", l->without_raw);
    if (l->cut_raw > 0)
        remark(l->c, "%zu records were too large, and are without their largest parts", l->cut_raw);
    l->without_raw = l->cut_raw = 0;
}

/* Sessions come before calls, whenever they were: what there is already is one time line when all
 * is there. Later nothing waits for more. */
static bool wait_row(void *ctx, int fd)
{
    enum { TOGETHER_MS = 200 };
    struct logs *l = ctx;

    if (!l->flows && follow_has_more(fd, TOGETHER_MS))
        return l->c->out->error == 0;
    l->flows = true;
    flush(l);
    render_flow(&l->render);
    say_notes(l);
    return l->c->out->error == 0 && follow_wait_for(fd, l->c->out->fd);
}

static void release(struct logs *l)
{
    for (size_t i = l->first_line; i < l->n_lines; i++)
        free(l->lines[i].fields);
    free(l->lines);
    free(l->begun);
    free(l->notes);
    free(l->loud);
}

static int run(struct logs *l, struct wire_out *ask)
{
    struct call *c = l->c;
    struct answer a;

    render_begin(&l->render, &LOG_ROWS, &c->look, c->out);
    if (l->follow) {
        follow_listen();
        talk_follow(&c->talk, ask, take_row, wait_row, l, &a);
    } else {
        talk_ask(&c->talk, ask, TALK_PATIENCE_MS, take_row, l, &a);
    }
    flush(l);
    render_end(&l->render, a.code == TEAM_DONE && !l->raw);
    if (l->bad)
        complain(c, NULL, "out of memory");
    else if (a.code != TEAM_DONE)
        return complain_answer(c, c->n_args > 0 ? c->args[0] : NULL, &a);
    else if (l->render.n == 0 && c->look.form == FORM_TABLE && !l->raw && !l->follow)
        remark(c, "no activity");
    say_notes(l);
    return l->bad ? TEAM_FAILED : TEAM_DONE;
}

static int64_t moment(const struct call *c, enum option option)
{
    int64_t us = 0;

    if (c->given[option])
        when_parse(c->given[option], c->look.now_us, WHEN_BEHIND, &us);
    return us;
}

static bool put_filters(const struct call *c, struct wire_out *ask)
{
    if (!put_period(c, ask))
        return false;
    if (c->given[OPT_ERRORS])
        wire_put_u64(ask, TEAM_ERRORS, 1);
    if (c->given[OPT_RAW])
        wire_put_u64(ask, TEAM_WITH_RAW, 1);
    return true;
}

static bool misplaced(const struct call *c, const char *with, const enum option *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c->given[options[i]]) {
            complain(c, NULL, "--%s means nothing %s; see teamctl help logs",
                     OPTIONS[options[i]].name, with);
            return true;
        }
    return false;
}

static int search(struct logs *l)
{
    static const enum option NOT_HERE[] = {OPT_FOLLOW, OPT_GREP, OPT_SOURCE};
    struct call *c = l->c;
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_SEARCH);

    if (c->n_args > 0) {
        complain(c, NULL, "either an ID with --grep, or --search; not both");
        return TEAM_USAGE;
    }
    if (misplaced(c, "with --search", NOT_HERE, 3) ||
        !put_option(c, &ask, TEAM_MATCH, OPT_SEARCH) || !put_option(c, &ask, TEAM_USER, OPT_USER) ||
        !put_filters(c, &ask))
        return TEAM_USAGE;
    return run(l, &ask);
}

static int of_one(struct logs *l)
{
    static const enum option NOT_HERE[] = {OPT_USER};
    struct call *c = l->c;
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_LOGS);

    if (c->n_args == 0) {
        complain(c, NULL,
                 "say which request, or what to look for in all of them: %s, or teamctl "
                 "logs --search TEXT",
                 c->verb->example);
        return TEAM_USAGE;
    }
    if (l->raw && c->given[OPT_SOURCE] && strcmp(c->given[OPT_SOURCE], "host") == 0) {
        complain(c, NULL, "--raw is for CloudTrail's records, and of the host there are none");
        return TEAM_USAGE;
    }
    if (misplaced(c, "with an ID", NOT_HERE, 1) || !put_id(c, &ask, c->args[0]) ||
        !put_option(c, &ask, TEAM_SOURCE, OPT_SOURCE) ||
        !put_option(c, &ask, TEAM_MATCH, OPT_GREP) || !put_filters(c, &ask))
        return TEAM_USAGE;
    if (l->follow)
        wire_put_u64(&ask, TEAM_FOLLOW, 1);
    return run(l, &ask);
}

int verb_logs(struct call *c)
{
    struct logs l = {.c = c,
                     .raw = c->given[OPT_RAW] != NULL,
                     .all = c->given[OPT_ALL] != NULL || c->given[OPT_SEARCH] != NULL,
                     .follow = c->given[OPT_FOLLOW] != NULL,
                     .since_us = moment(c, OPT_SINCE),
                     .until_us = moment(c, OPT_UNTIL)};
    int r;

    if (l.raw && (c->given[OPT_JSON] || c->given[OPT_CSV])) {
        complain(c, NULL, "--raw is JSON already; leave --json and --csv out");
        return TEAM_USAGE;
    }
    r = c->given[OPT_SEARCH] ? search(&l) : of_one(&l);
    release(&l);
    return r;
}
