/* What is said beside the output, and how a person's words get into an ask. */
#include "teamctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "when.h"

enum { LINE = 4096, MINUTE_US = 60 * 1000 * 1000 };

static void put_line(const struct call *c, const char *line)
{
    char plain[LINE];

    text_make_plain(plain, sizeof plain, line, strlen(line));
    if (look_at(STDERR_FILENO, 0).ascii)
        cell_ascii(plain);
    out_flush(c->out); /* so that both are in order where they go to the same place */
    fprintf(stderr, "%s\n", plain);
}

void complain(const struct call *c, const char *thing, const char *format, ...)
{
    const char *verb = c->verb ? c->verb->name : "";
    char line[LINE], text[LINE - 256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(line, sizeof line, "teamctl: %s%s%.80s%s%s", verb, verb[0] != '\0' && thing ? " " : "",
             thing ? thing : "", verb[0] != '\0' || thing ? ": " : "", text);
    put_line(c, line);
}

void remark(const struct call *c, const char *format, ...)
{
    char line[LINE];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    put_line(c, line);
}

int complain_answer(const struct call *c, const char *thing, const struct answer *a)
{
    static const char *const WITHOUT_TEXT[] = {
        [TEAM_DONE] = "done",
        [TEAM_FAILED] = "teamd could not do it; its log tells why",
        [TEAM_USAGE] = "teamd does not understand this",
        [TEAM_REFUSED] = "refused",
        [TEAM_NOT_FOUND] = "there is no such thing, or it is not yours to see",
        [TEAM_WRONG_STATE] = "it is not in a state for that",
        [TEAM_UNREACHABLE] = "teamd cannot be reached",
        [TEAM_TIMED_OUT] = "waited too long",
    };
    struct call anybody = {.out = c->out};

    if (c->out->error) /* we stopped it ourselves; main() says why */
        return TEAM_FAILED;
    if (a->code == TEAM_UNREACHABLE) /* it is not about the verb or the thing */
        c = &anybody, thing = NULL;
    complain(c, thing, "%s", a->text[0] != '\0' ? a->text : WITHOUT_TEXT[a->code]);
    return a->code;
}

bool says_yes(const struct call *c, const char *question)
{
    char plain[LINE], line[16] = "";

    if (c->given[OPT_YES] || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    text_make_plain(plain, sizeof plain, question, strlen(question));
    if (c->look.ascii)
        cell_ascii(plain);
    out_flush(c->out);
    fprintf(stderr, "%s [y/N] ", plain);
    if (!fgets(line, sizeof line, stdin))
        fputc('\n', stderr);
    return line[0] == 'y' || line[0] == 'Y';
}

/* ---- words into fields ------------------------------------------------------------------------
 */

bool put_words(const struct call *c, struct wire_out *ask, enum team_tag tag, const char *thing,
               const char *words)
{
    struct wire_rule rule = wire_rule(tag);
    size_t n = strlen(words);

    if (n > rule.max_len)
        complain(c, NULL, "%s has %zu bytes and there is room for %u; make it shorter", thing, n,
                 rule.max_len);
    else if (!text_is_plain(words, n))
        complain(c, NULL,
                 "%s has a line break, a control character or broken UTF-8 in it; write it as one "
                 "line of text",
                 thing);
    else if (!wire_value_fits(rule, words, n))
        complain(c, NULL, "%s \"%s\" is not a %s; check how it is spelled", thing, words,
                 rule.class == TEAM_CS_NAME ? "name" : "word of teamd's");
    else {
        wire_put(ask, tag, words);
        return true;
    }
    return false;
}

bool put_option(const struct call *c, struct wire_out *ask, enum team_tag tag, enum option option)
{
    char thing[32];

    if (!c->given[option])
        return true;
    snprintf(thing, sizeof thing, "--%s", OPTIONS[option].name);
    return put_words(c, ask, tag, thing, c->given[option]);
}

bool put_id(const struct call *c, struct wire_out *ask, const char *id)
{
    uint64_t first, last;
    char upper[TEXT_ID_LEN + 1] = "";
    size_t n = strlen(id);

    if (!text_parse_id_prefix(id, n, &first, &last)) {
        complain(c, id, "an id is 4 to 8 letters and digits, such as K7QF2M9X; see teamctl list");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        upper[i] = (char)(id[i] >= 'a' && id[i] <= 'z' ? id[i] - 'a' + 'A' : id[i]);
    wire_put(ask, TEAM_ID, upper);
    return true;
}

bool put_duration(const struct call *c, struct wire_out *ask, enum option option)
{
    const char *s = c->given[option];
    uint64_t seconds;

    if (!s)
        return true;
    if (!text_parse_duration(s, strlen(s), &seconds)) {
        complain(c, NULL, "--%s: \"%s\" is not a duration; write 45s, 30m, 2h, 1h30m or 2d",
                 OPTIONS[option].name, s);
        return false;
    }
    wire_put_u64(ask, TEAM_FOR_S, seconds);
    return true;
}

bool put_time(const struct call *c, struct wire_out *ask, enum team_tag tag, enum option option)
{
    enum when_lean lean = option == OPT_START ? WHEN_AHEAD : WHEN_BEHIND;
    const char *s = c->given[option];
    int64_t us;

    if (!s)
        return true;
    if (!when_parse(s, c->look.now_us, lean, &us)) {
        complain(c, NULL, "--%s: \"%s\" is not a time; %s", OPTIONS[option].name, s,
                 when_forms(lean));
        return false;
    }
    if (lean == WHEN_AHEAD && us < c->look.now_us - MINUTE_US) { /* "14:00" is that minute */
        complain(c, NULL, "--%s: \"%s\" is over; leave it out to begin as soon as it is approved",
                 OPTIONS[option].name, s);
        return false;
    }
    wire_put_u64(ask, tag, (uint64_t)us);
    return true;
}

bool put_period(const struct call *c, struct wire_out *ask)
{
    int64_t since, until;

    if (!put_time(c, ask, TEAM_SINCE, OPT_SINCE) || !put_time(c, ask, TEAM_UNTIL, OPT_UNTIL))
        return false;
    if (!c->given[OPT_SINCE] || !c->given[OPT_UNTIL])
        return true;
    when_parse(c->given[OPT_SINCE], c->look.now_us, WHEN_BEHIND, &since);
    when_parse(c->given[OPT_UNTIL], c->look.now_us, WHEN_BEHIND, &until);
    if (since < until)
        return true;
    complain(c, NULL, "--until \"%s\" is not after --since \"%s\": nothing is between them",
             c->given[OPT_UNTIL], c->given[OPT_SINCE]);
    return false;
}
