#include "conf/config.h"

#include "conf/reader.h"
#include "conf/schema.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>

enum { TICKET_MAX = 64, HASH_BYTES = 32 };

/* libconfig never opens a file: source_read() has put all includes in their places, and below this
 * nothing can be found, should it still see one. */
static const char NOWHERE[] = "/dev/null";

static void report_source(void *ctx, const char *line)
{
    report_line(ctx, false, line);
}

static void parse(struct reader *r)
{
    char line[4096 + 256];
    unsigned number;
    const char *file;

    config_set_include_dir(&r->file, NOWHERE);
    if (config_read_string(&r->file, r->source->text)) {
        place_strings(r);
        return;
    }
    file = source_place(r->source, (unsigned)config_error_line(&r->file), &number);
    snprintf(line, sizeof line, "%.4096s:%u: %s", file, number, config_error_text(&r->file));
    report_line(r, false, line);
}

/* ---- what only the whole can tell ----------------------------------------------------------- */

static bool needs_approval(const struct policy *p)
{
    for (size_t i = 0; p->approval && i < p->n_eligibility; i++)
        if (p->eligibility[i].approval_required)
            return true;
    return false;
}

static void check_whole(struct reader *r)
{
    const struct policy *p = &r->config->policy;
    const config_setting_t *root = config_root_setting(&r->file);

    if (p->host[0] == '\0')
        complain(r, root, "host.name must be given: the node name \"%s\" cannot stand in a target",
                 r->node);
    if (p->n_eligibility == 0)
        caution(r, root, "no eligibility policy: nobody may ask for anything");
    if (needs_approval(p) && p->n_approvers == 0)
        caution(r, root, "no approver policy: what needs approval will be refused");
}

static void name_policy(struct policy *p, const struct source *s)
{
    unsigned char hash[HASH_BYTES];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)s->text, s->len, NULL, 0);
    sodium_bin2hex(p->hash, sizeof p->hash, hash, sizeof hash);
}

/* ---- loading -------------------------------------------------------------------------------- */

static int read_config(struct reader *r)
{
    size_t node = strlen(r->node);
    bool node_fits = node < HOST_CAP && text_is_word(r->node, node);

    policy_init(&r->config->policy, node_fits ? r->node : "");
    parse(r);
    if (r->errors > 0)
        return -EINVAL;
    if (schema_begin(r) < 0)
        return -ENOMEM;
    schema_read(r, "", config_root_setting(&r->file), r->config);
    if (r->errors == 0)
        check_whole(r);
    name_policy(&r->config->policy, r->source);
    return r->errors > 0 ? -EINVAL : 0;
}

int config_load(const char *path, const char *node, config_report_fn report, void *ctx,
                struct config **ret)
{
    struct reader r = {.report = report, .ctx = ctx, .node = node};
    struct source *source = NULL;
    int error;

    error = source_read(path, report_source, &r, &source);
    if (error < 0)
        return error;
    r.source = source;
    r.config = calloc(1, sizeof *r.config);
    config_init(&r.file);
    config_init(&r.defaults);
    error = r.config ? read_config(&r) : -ENOMEM;
    config_destroy(&r.file);
    config_destroy(&r.defaults);
    source_free(source);
    if (error < 0) {
        config_free(r.config);
        return error;
    }
    *ret = r.config;
    return 0;
}

struct config *config_free(struct config *c)
{
    if (!c)
        return NULL;
    if (c->ticket) {
        regfree(&c->ticket->pattern);
        free(c->ticket);
    }
    free(c);
    return NULL;
}

/* The longest of the leftmost matches has to be all of it (POSIX 9.1). Putting ^( )$ around the
 * pattern would not do: "a)|b" is a valid one. */
bool config_ticket_fits(const struct config *c, const char *ticket)
{
    size_t n = strlen(ticket);
    regmatch_t whole;

    if (n == 0)
        return !c->policy.require_ticket;
    if (n > TICKET_MAX || !text_is_plain(ticket, n))
        return false;
    if (!c->ticket)
        return true;
    return regexec(&c->ticket->pattern, ticket, 1, &whole, 0) == 0 && whole.rm_so == 0 &&
           whole.rm_eo == (regoff_t)n;
}

const char *config_ticket_pattern(const struct config *c)
{
    return c->ticket && c->ticket->source[0] ? c->ticket->source : "settings.ticket_pattern";
}
