/* sudo that waits in place: what a person who is refused can be asked, and what they are told while
 * they wait. inplace.c is pure; wait.c talks to teamd; neither knows PAM. */
#pragma once

#include "verdict.h"

/* ---- inplace.c ------------------------------------------------------------------------------- */

/* What can be done about a no while the person stays where they are. */
enum in_place {
    IN_PLACE_NOTHING = 0,
    IN_PLACE_WAIT = 1, /* for the request in the answer */
    IN_PLACE_FILE = 2, /* make one */
};

/* Nothing without the arguments that allow it, without a terminal, or when teamd offers nothing. */
enum in_place in_place(const struct facts *f, const struct options *o, const struct answer *no);

enum { QUESTION_CAP = 512 }; /* PAM_MAX_MSG_SIZE */

/* "request K7QF2M9X is waiting for bob", and on the next line what the keys do. Only an empty line
 * is a yes: what answers every question with a password, as sudo -S and sudo -A may, says no. */
void question_wait(char out[QUESTION_CAP], const char *no);
void question_file(char out[QUESTION_CAP], const struct facts *f, uint64_t for_s);
void question_ticket(char out[QUESTION_CAP], const struct answer *no);

/* For how long a request is made: as the arguments say, or what the policy allows. */
uint64_t file_for_s(const struct options *o, const struct answer *no);

enum { NEWS_CAP = 512 };

/* Reads how far the request has come; false: this packet is something else. */
bool news_read(const char *packet, size_t len, char out[ANSWER_TEXT_CAP]);

/* "K7QF2M9X: approved by bob, 1 of 2; waiting for erin" */
void news_line(char out[NEWS_CAP], const struct facts *f, const char *news);

/* Why the wait is over without an answer of teamd's: -EINTR: the person gave up; -ETIMEDOUT: it was
 * too long; all others: teamd does not come back. */
void ending(char out[ANSWER_TEXT_CAP], const struct facts *f, const struct options *o, int error,
            const char *news);

/* ---- wait.c ---------------------------------------------------------------------------------- */

/* Shows one line, in the place of the one before. */
typedef void (*wait_show_fn)(void *ctx, const char *line);

/* Waits for the request of these facts, whose op is AWAIT. ANSWER_YES: it is active, so the
 * question of the gate is worth asking once more; ANSWER_NO, and ret->text says why. A teamd that
 * goes away is waited for, too: it is most likely being restarted. */
int wait_in_place(const struct facts *f, const struct options *o, wait_show_fn show, void *ctx,
                  struct answer *ret);
