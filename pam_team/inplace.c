#include "inplace.h"

#include <errno.h>

/* A terminal, and not sshd's word "ssh" or a display. */
static bool has_terminal(const struct facts *f)
{
    static const char *const BEGINNINGS[] = {"/dev/", "pts/", "tty"};

    for (size_t i = 0; f->tty && i < sizeof BEGINNINGS / sizeof BEGINNINGS[0]; i++)
        if (strncmp(f->tty, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
            return true;
    return false;
}

enum in_place in_place(const struct facts *f, const struct options *o, const struct answer *no)
{
    if (f->op != TEAM_OP_ACCOUNT || o->quiet || !has_terminal(f))
        return IN_PLACE_NOTHING;
    if (no->request != 0)
        return o->wait_us > 0 ? IN_PLACE_WAIT : IN_PLACE_NOTHING;
    return o->prompt && no->needs != ANSWER_NEEDS_NOTHING ? IN_PLACE_FILE : IN_PLACE_NOTHING;
}

void question_wait(char out[QUESTION_CAP], const char *no)
{
    static const char KEYS[] = "\nEnter to wait, Ctrl-C to give up: ";
    struct text t = text_over(out, QUESTION_CAP);

    text_make_plain(out, QUESTION_CAP - (sizeof KEYS - 1), no, strlen(no));
    t.len = strlen(out);
    text_put(&t, KEYS);
}

uint64_t file_for_s(const struct options *o, const struct answer *no)
{
    return no->longest_s > 0 && no->longest_s < o->prompt_for_s ? no->longest_s : o->prompt_for_s;
}

void question_ticket(char out[QUESTION_CAP], const struct answer *no)
{
    struct text t = text_over(out, QUESTION_CAP);

    text_put(&t, "Ticket");
    text_put(&t, no->ticket_pattern[0] ? " (it has to match " : "");
    text_put(&t, no->ticket_pattern);
    text_put(&t, no->ticket_pattern[0] ? "): " : ": ");
}

void question_file(char out[QUESTION_CAP], const struct facts *f, uint64_t for_s)
{
    struct text t = text_over(out, QUESTION_CAP);

    text_put(&t, "no active elevation for ");
    text_put(&t, f->service);
    text_put(&t, "\nEnter to ask for ");
    text_put_duration(&t, for_s);
    text_put(&t, " of it, Ctrl-C to give up: ");
}

bool news_read(const char *packet, size_t len, char out[ANSWER_TEXT_CAP])
{
    struct wire_msg msg;

    if (wire_read(packet, len, &msg) != WIRE_OK || msg.kind != TEAM_ROWS || msg.op != TEAM_ROW_NEWS)
        return false;
    wire_copy(wire_find(msg.fields, TEAM_ROW), TEAM_TEXT, out, ANSWER_TEXT_CAP);
    return true;
}

void news_line(char out[NEWS_CAP], const struct facts *f, const char *news)
{
    struct text t = text_over(out, NEWS_CAP);

    text_put_id(&t, f->request);
    text_put(&t, ": ");
    text_put(&t, news);
}

void ending(char out[ANSWER_TEXT_CAP], const struct facts *f, const struct options *o, int error,
            const char *news)
{
    struct text t = text_over(out, ANSWER_TEXT_CAP);

    if (error == -EINTR) {
        text_put(&t, "given up; request ");
        text_put_id(&t, f->request);
        text_put(&t, " stays open");
    } else if (error == -ETIMEDOUT) {
        text_put(&t, "request ");
        text_put_id(&t, f->request);
        text_put(&t, " is not active after ");
        text_put_duration(&t, (uint64_t)o->wait_us / (1000 * 1000));
        text_put(&t, ", and stays open");
        text_put(&t, news[0] ? ": " : "");
        text_put(&t, news);
    } else {
        text_put(&t, "teamd does not answer any more; request ");
        text_put_id(&t, f->request);
        text_put(&t, " stays open");
    }
}
