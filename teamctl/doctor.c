/* The verb doctor: what is looked at, and how findings are shown. */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- findings ---------------------------------------------------------------------------------
 */

static const char *const GRADE_WORDS[GRADES] = {
    [GRADE_OK] = "ok", [GRADE_UNKNOWN] = "unknown", [GRADE_WARN] = "warn", [GRADE_BAD] = "bad"};

/* A table whose last column nothing is cut from: the terminal wraps it. What to do about a finding
 * stands below it. */
static void put_finding(struct doctor *d, enum grade grade, const char *check, const char *what,
                        const char *fix)
{
    static const char *const COLOURS[GRADES] = {
        [GRADE_OK] = "\033[32m",
        [GRADE_UNKNOWN] = "",
        [GRADE_WARN] = "\033[33m",
        [GRADE_BAD] = "\033[31m",
    };
    struct out *o = d->c->out;
    bool colour = d->c->look.colour && COLOURS[grade][0] != '\0';

    if (d->render.n++ == 0)
        out_text(o, d->c->look.colour ? "\033[1mRESULT   CHECK    WHAT\033[0m\n"
                                      : "RESULT   CHECK    WHAT\n");
    out_text(o, colour ? COLOURS[grade] : "");
    out_padded(o, GRADE_WORDS[grade], 7);
    out_text(o, colour ? "\033[0m" : "");
    out_text(o, "  ");
    out_padded(o, check, 7);
    out_text(o, "  ");
    out_text(o, what);
    if (fix) {
        out_text(o, "\n");
        out_padded(o, "", 18);
        out_text(o, "fix: ");
        out_text(o, fix);
    }
    out_text(o, "\n");
}

static void put_row(struct doctor *d, enum grade grade, const char *check, const char *what,
                    const char *fix)
{
    static char packet[TEAM_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, 0);
    size_t len;

    wire_put(&w, TEAM_NAME, check);
    wire_put(&w, TEAM_OUTCOME, GRADE_WORDS[grade]);
    wire_put(&w, TEAM_TEXT, what);
    if (fix)
        wire_put(&w, TEAM_VALUE, fix);
    len = wire_finish(&w);
    if (len > 0)
        render_row(&d->render, (struct wire_span){packet + TEAM_HEADER_LEN, len - TEAM_HEADER_LEN});
}

void found(struct doctor *d, enum grade grade, const char *check, const char *fix,
           const char *format, ...)
{
    char text[1024], what[FIX_CAP + 1], plain[FIX_CAP + 1] = "";
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_make_plain(what, sizeof what, text, strlen(text));
    if (fix)
        text_make_plain(plain, sizeof plain, fix, strlen(fix));
    if (!d->hear && d->c->look.ascii) {
        cell_ascii(what);
        cell_ascii(plain);
    }
    d->found[grade]++;
    if (d->hear)
        d->hear(d->ctx, grade, what, fix ? plain : NULL);
    else if (d->c->look.form == FORM_TABLE)
        put_finding(d, grade, check, what, fix ? plain : NULL);
    else
        put_row(d, grade, check, what, fix ? plain : NULL);
}

/* ---- configuration as text --------------------------------------------------------------------
 */

int source_open(const char *path, struct source *ret)
{
    *ret = (struct source){.path = path, .next = 1, .file = fopen(path, "re")};
    return ret->file ? 0 : -errno;
}

/* Without its line end; -1 at the end of the file. */
static ssize_t physical_line(struct source *s, char **text, size_t *cap)
{
    ssize_t n = getline(text, cap, s->file);

    if (n < 0)
        return n;
    s->next++;
    if (n > 0 && (*text)[n - 1] == '\n')
        (*text)[--n] = '\0';
    return n;
}

char *source_line(struct source *s)
{
    ssize_t n, m;

    s->line = s->next;
    n = physical_line(s, &s->text, &s->cap);
    if (n < 0)
        return NULL;
    while (n > 0 && s->text[n - 1] == '\\') {
        s->text[--n] = ' ';
        m = physical_line(s, &s->more, &s->more_cap);
        if (m < 0)
            break;
        if (s->cap < (size_t)(n + m) + 2) {
            char *larger = realloc(s->text, (size_t)(n + m) + 2);

            if (!larger)
                return NULL;
            s->text = larger;
            s->cap = (size_t)(n + m) + 2;
        }
        memcpy(s->text + n + 1, s->more, (size_t)m + 1);
        n += m + 1;
    }
    return s->text;
}

void source_close(struct source *s)
{
    if (s->file)
        fclose(s->file);
    free(s->text);
    free(s->more);
    *s = (struct source){0};
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

static void sum_up(const struct doctor *d)
{
    if (d->c->look.form != FORM_TABLE)
        return;
    remark(d->c, "%u bad, %u to think about, %u sound", d->found[GRADE_BAD], d->found[GRADE_WARN],
           d->found[GRADE_OK]);
    if (d->found[GRADE_UNKNOWN] > 0)
        remark(d->c, "%u could not be looked at%s", d->found[GRADE_UNKNOWN],
               d->root ? "" : "; root can look at more: sudo teamctl doctor");
}

int verb_doctor(struct call *c)
{
    static struct doctor d;
    struct stat st;

    d = (struct doctor){.c = c, .root = geteuid() == 0};
    d.systemd = stat("/run/systemd/system", &st) == 0;
    render_begin(&d.render, &CHECK_ROWS, &c->look, c->out);
    doctor_teamd(&d);
    doctor_aws(&d);
    doctor_units(&d);
    doctor_sockets(&d);
    doctor_pam(&d);
    doctor_sudo(&d);
    doctor_files(&d);
    doctor_login(&d);
    doctor_proc(&d);
    doctor_clock(&d);
    doctor_names(&d);
    if (c->look.form != FORM_TABLE)
        render_end(&d.render, true);
    sum_up(&d);
    return d.found[GRADE_WARN] + d.found[GRADE_BAD] > 0 ? TEAM_FAILED : TEAM_DONE;
}
