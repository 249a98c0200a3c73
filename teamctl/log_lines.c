/* What was done, as one time line: rows of teamd's as rows of LOG_ROWS. */
#include "teamctl.h"

#include "when.h"

static struct wire_out begin(void)
{
    static char buf[TEAM_PACKET_MAX];

    return wire_begin(buf, sizeof buf, TEAM_ROWS, 0);
}

static bool end(struct wire_out *w, struct wire_span *ret)
{
    *ret = (struct wire_span){w->buf + TEAM_HEADER_LEN, w->len - TEAM_HEADER_LEN};
    return !w->bad;
}

static void copy_as(struct wire_out *w, struct wire_span row, enum team_tag from, enum team_tag to)
{
    struct wire_span v = wire_find(row, from);

    if (v.len > 0)
        wire_put_n(w, to, v.at, v.len);
}

static void copy(struct wire_out *w, struct wire_span row, enum team_tag tag)
{
    for (struct wire_span rest = row, v; v = wire_each(&rest, tag), v.at;)
        wire_put_known(w, tag, v.at, v.len);
}

static bool is(struct wire_span row, enum team_tag tag, const char *word)
{
    struct wire_span v = wire_find(row, tag);

    return v.len == strlen(word) && memcmp(v.at, word, v.len) == 0;
}

/* ---- calls ------------------------------------------------------------------------------------
 */

/* Where there is no colour, a mark. */
static void put_error(struct wire_out *w, const struct look *look, struct wire_span row)
{
    char error[129], marked[129]; /* as much as the field holds */
    struct text t = text_over(marked, sizeof marked);

    if (look->form != FORM_TABLE || look->colour) {
        copy(w, row, TEAM_ERROR);
        return;
    }
    wire_copy(row, TEAM_ERROR, error, sizeof error);
    text_put(&t, "! ");
    text_put(&t, error);
    if (error[0])
        wire_put(w, TEAM_ERROR, marked);
}

/* "no data from 14:02 to 14:09" */
static void put_gap(struct wire_out *w, const struct look *look, struct wire_span row)
{
    enum { MINUTE_US = 60 * 1000 * 1000 };
    char from[WHEN_CAP], until[WHEN_CAP], line[2 * WHEN_CAP + 32];
    uint64_t at = 0, end_at = 0;

    copy(w, row, TEAM_UNTIL);
    if (look->form != FORM_TABLE) {
        copy(w, row, TEAM_TEXT);
        return;
    }
    wire_find_u64(row, TEAM_AT, &at);
    wire_find_u64(row, TEAM_UNTIL, &end_at);
    when_of_day((int64_t)at, (int64_t)at, end_at - at < MINUTE_US,
                from); /* beside it is the date */
    when_of_day((int64_t)end_at, (int64_t)at, end_at - at < MINUTE_US, until);
    snprintf(line, sizeof line, "no data from %s to %s", from, until);
    wire_put(w, TEAM_EVENT_NAME, line);
    copy_as(w, row, TEAM_TEXT, TEAM_RESOURCE);
}

bool line_of_call(const struct look *look, bool of_many, struct wire_span row,
                  struct wire_span *ret)
{
    static const enum team_tag AS_THEY_ARE[] = {
        TEAM_AT,       TEAM_KIND,   TEAM_EVENT_NAME,  TEAM_RESOURCE, TEAM_EVENT_SOURCE,
        TEAM_ADDRESS,  TEAM_REGION, TEAM_ALSO,        TEAM_EVENT_ID, TEAM_READ_ONLY,
        TEAM_RAW_SIZE, TEAM_USER,   TEAM_TARGET_NAME, TEAM_ACCOUNT,  TEAM_ACCOUNT_NAME};
    struct wire_out w = begin();

    for (size_t i = 0; i < sizeof AS_THEY_ARE / sizeof AS_THEY_ARE[0]; i++)
        copy(&w, row, AS_THEY_ARE[i]);
    if (of_many || look->form != FORM_TABLE)
        copy(&w, row, TEAM_ID);
    wire_put(&w, TEAM_SOURCE, "aws");
    if (is(row, TEAM_KIND, "gap"))
        put_gap(&w, look, row);
    else
        put_error(&w, look, row);
    return end(&w, ret);
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

/* What fits of a command; the whole is in teamctl sessions and show. */
static void put_command(struct wire_out *w, struct wire_span session)
{
    enum { MOST = 512 };
    char command[1001] = "", cut[MOST + 1];

    wire_copy(session, TEAM_COMMAND, command, sizeof command);
    text_make_plain(cut, sizeof cut, command, strlen(command));
    wire_put(w, TEAM_RESOURCE, cut);
}

static bool line_of(const struct look *look, bool of_many, struct wire_span session,
                    enum team_tag at, const char *kind, const char *name, struct wire_span *ret)
{
    static const enum team_tag AS_THEY_ARE[] = {TEAM_USER, TEAM_TARGET_USER, TEAM_TTY, TEAM_SESSION,
                                                TEAM_ENDED_HOW};
    struct wire_out w = begin();

    if (!wire_find(session, at).at)
        return false;
    copy_as(&w, session, at, TEAM_AT);
    wire_put(&w, TEAM_SOURCE, "host");
    wire_put(&w, TEAM_KIND, kind);
    wire_put(&w, TEAM_EVENT_NAME, name);
    if (of_many || look->form != FORM_TABLE)
        copy(&w, session, TEAM_ID);
    put_command(&w, session);
    copy_as(&w, session, TEAM_SERVICE, TEAM_EVENT_SOURCE);
    copy_as(&w, session, TEAM_RHOST, TEAM_ADDRESS);
    for (size_t i = 0; i < sizeof AS_THEY_ARE / sizeof AS_THEY_ARE[0]; i++)
        if (at == TEAM_ENDED_AT || AS_THEY_ARE[i] != TEAM_ENDED_HOW)
            copy(&w, session, AS_THEY_ARE[i]);
    return end(&w, ret);
}

bool line_of_start(const struct look *look, bool of_many, struct wire_span session,
                   struct wire_span *ret)
{
    char as[64], name[128] = "session begins";

    wire_copy(session, TEAM_TARGET_USER, as, sizeof as);
    if (as[0])
        snprintf(name, sizeof name, "session begins, as %s", as);
    return line_of(look, of_many, session, TEAM_STARTED_AT, "session_start", name, ret);
}

bool line_of_end(const struct look *look, struct wire_span session, struct wire_span *ret)
{
    char how[20], name[128] = "session ends";

    wire_copy(session, TEAM_ENDED_HOW, how, sizeof how);
    if (how[0] && strcmp(how, "exited") != 0)
        snprintf(name, sizeof name, "session ends: %s", how);
    return line_of(look, false, session, TEAM_ENDED_AT, "session_end", name, ret);
}

/* ---- many calls that only read ----------------------------------------------------------------
 */

bool fold_takes(const struct fold *f, struct wire_span line)
{
    char target[sizeof f->target];
    uint64_t read_only = 0;

    wire_find_u64(line, TEAM_READ_ONLY, &read_only);
    wire_copy(line, TEAM_TARGET_NAME, target, sizeof target);
    return read_only != 0 && is(line, TEAM_KIND, "call") && !wire_find(line, TEAM_ERROR).at &&
           line.len <= sizeof f->line && (f->n == 0 || strcmp(target, f->target) == 0);
}

static void count_name(struct fold *f, const char *name)
{
    unsigned i = 0;

    while (i < f->n_names && strcmp(f->names[i].name, name) != 0)
        i++;
    if (i == sizeof f->names / sizeof f->names[0]) {
        f->others++;
        return;
    }
    if (i == f->n_names) {
        snprintf(f->names[i].name, sizeof f->names[i].name, "%s", name);
        f->names[i].n = 0;
        f->n_names++;
    }
    f->names[i].n++;
}

void fold_add(struct fold *f, struct wire_span line)
{
    char name[129];
    uint64_t at = 0;

    if (f->n == 0) {
        *f = (struct fold){.n = 0};
        memcpy(f->line, line.at, line.len);
        f->line_len = line.len;
        wire_find_u64(line, TEAM_AT, &at);
        f->first_us = (int64_t)at;
        wire_copy(line, TEAM_TARGET_NAME, f->target, sizeof f->target);
    }
    wire_copy(line, TEAM_EVENT_NAME, name, sizeof name);
    count_name(f, name);
    f->n++;
}

/* "DescribeInstances 12, ListBuckets 3, 5 others" */
static void put_names(struct wire_out *w, const struct fold *f)
{
    char names[480];
    struct text t = text_over(names, sizeof names);

    for (unsigned i = 0; i < f->n_names; i++) {
        text_put(&t, i > 0 ? ", " : "");
        text_put(&t, f->names[i].name);
        if (f->names[i].n > 1) {
            text_put(&t, " ");
            text_put_u64(&t, f->names[i].n);
        }
    }
    if (f->others > 0) {
        text_put(&t, ", others ");
        text_put_u64(&t, f->others);
    }
    wire_put(w, TEAM_RESOURCE, names);
}

bool fold_end(struct fold *f, struct wire_span *ret)
{
    static char buf[TEAM_ASK_PACKET_MAX]; /* another line may wait in the other one */
    struct wire_span first = {f->line, f->line_len};
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ROWS, 0);
    char what[64];

    if (f->n == 0)
        return false;
    if (f->n == 1) {
        f->n = 0;
        *ret = first;
        return true;
    }
    snprintf(what, sizeof what, "%u calls that only read", f->n);
    copy(&w, first, TEAM_AT);
    copy(&w, first, TEAM_SOURCE);
    copy(&w, first, TEAM_ID);
    wire_put(&w, TEAM_EVENT_NAME, what);
    put_names(&w, f);
    f->n = 0;
    return end(&w, ret);
}
