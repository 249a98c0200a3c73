/* One list of AWS, page after page; private to courier/. */
#pragma once

#include "courier/failure.h"

#include <jansson.h>

enum { PAGES_MAX = 100000 }; /* of one list: more is taken for a loop */

struct pages_calls {
    /* The rows of a page, in order; borrowed. It may cancel, or hold. Empty pages are passed over.
     */
    void (*rows)(void *ctx, const json_t *rows);
    /* Once, after the last page (failure NULL) or in place of a page. */
    void (*end)(void *ctx, const struct aws_failure *failure);
    void *ctx;
};

struct pages_ask {
    enum aws_service service;
    const char *operation; /* kept, not copied */
    const char *member;    /* of the answer: the list; kept, not copied */
    enum aws_urgency urgency;
    const char *token;  /* the member that leads to the next page; NULL: NextToken; kept */
    const char *region; /* NULL: the service's own; kept */
    bool large;         /* see aws_options */
    json_t *body;       /* without a token; taken over, also on failure */
};

struct pages;

/* Errors are those of aws_call(). Callbacks never come from inside. *ret is good until `end`. A
 * token that comes back later, after however many pages, ends the list as AWS_GARBLED. */
int pages_start(struct aws_client *aws, const struct pages_ask *ask,
                const struct pages_calls *calls, struct pages **ret);

/* From inside of `rows`: them, to keep (a reference). */
json_t *pages_keep(struct pages *p);

/* From inside of `rows`: the next page is asked for (or the end told) by pages_go() only, which may
 * call `end`. */
void pages_hold(struct pages *p);
void pages_go(struct pages *p);

/* Nobody is called any more. Returns NULL; NULL is fine. */
struct pages *pages_cancel(struct pages *p);
