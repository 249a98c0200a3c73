/* Reading one configuration: where problems go, and where they are. */
#pragma once

#include "conf/config.h"
#include "conf/source.h"

#include <libconfig.h>
#include <regex.h>

struct key;

struct config_ticket {
    regex_t pattern;
    char source[256]; /* as it was written; "" if it is longer */
};

struct reader {
    struct config *config; /* under construction */
    const struct source *source;
    config_report_fn report;
    void *ctx;
    unsigned errors;
    const char *node;  /* this host's name, or "" */
    config_t file;     /* what was parsed */
    config_t defaults; /* k0, k1...: the defaults of the schema's rows */
};

/* "FILE:LINE: eligibility[2].name "x": what is wrong" */
__attribute__((format(printf, 3, 4))) void complain(struct reader *r, const config_setting_t *at,
                                                    const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void caution(struct reader *r, const config_setting_t *at,
                                                   const char *fmt, ...);

/* Reports a line that knows its place already. What it quotes is made harmless. */
void report_line(struct reader *r, bool warning, const char *line);

/* libconfig gives an element of a list the line of whatever follows it. The source knows better. */
void place_strings(struct reader *r);

/* Is the text of `s` one line without control characters, within the bounds of its row? Complains
 * if not. */
bool text_fits(struct reader *r, const struct key *k, const config_setting_t *s);

/* Can it be a region of AWS? All of them end in a number. */
bool is_region(const char *s);

/* What of an ARN is between the n-th colon and the next; empty if there are not so many. */
struct arn_part {
    const char *at;
    size_t n;
} arn_part(const char *arn, unsigned colons);
bool arn_part_is(struct arn_part part, const char *word);
bool is_account(struct arn_part part);

/* Can it be the ARN of a role? One with braces can, whatever is in them. */
bool is_role_arn(const char *s);

/* Looks at a whole source of activity, the n-th. */
void check_activity(struct reader *r, config_setting_t *s, size_t n);
