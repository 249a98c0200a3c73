/* AWS: having it read, compared and listed by team-courier, and how to use what is open. */
#include "teamctl.h"

#include <stdio.h>

enum {
    AWS_PATIENCE_MS = 60 * 60 * 1000, /* a large organisation takes minutes */
    PROFILE_CAP = 300,                /* an account's name and a set's */
};

/* ---- refresh, reconcile, drift ----------------------------------------------------------------
 */

static int have_done(struct call *c, enum team_op op)
{
    struct wire_out ask = talk_begin(&c->talk, op);
    struct answer a;

    talk_ask(&c->talk, &ask, AWS_PATIENCE_MS, NULL, NULL, &a);
    if (a.code != TEAM_DONE)
        return complain_answer(c, NULL, &a);
    if (c->look.form == FORM_JSON) {
        json_t *object = json_pack("{s:s}", "result", a.text);

        json_put(c->out, object);
        json_decref(object);
        return TEAM_DONE;
    }
    out_text(c->out, a.text);
    out_text(c->out, "\n");
    return TEAM_DONE;
}

int verb_refresh(struct call *c)
{
    return have_done(c, TEAM_OP_REFRESH);
}

int verb_reconcile(struct call *c)
{
    return have_done(c, TEAM_OP_RECONCILE);
}

int verb_drift(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_DRIFT);

    return show_rows_within(c, &ask, &DRIFT_ROWS, AWS_PATIENCE_MS);
}

/* ---- how to use it ----------------------------------------------------------------------------
 */

static void copy(struct wire_span row, enum team_tag tag, char *out, size_t cap)
{
    char text[512];

    wire_copy(row, tag, text, sizeof text);
    text_make_plain(out, cap, text, strlen(text));
}

/* Names of accounts may hold anything; a profile's is a word. */
static void name_profile(struct wire_span target, bool by_id, char *out, size_t cap)
{
    char account[16], name[256], set[40];
    struct text t = text_over(out, cap);

    copy(target, TEAM_ACCOUNT, account, sizeof account);
    copy(target, TEAM_ACCOUNT_NAME, name, sizeof name);
    copy(target, TEAM_PERMISSION_SET, set, sizeof set);
    for (char *c = name; *c; c++)
        if (!text_is_word(c, 1) && *c != '-' && *c != '.')
            *c = '-';
    text_put(&t, name[0] && !by_id ? name : account);
    text_put(&t, "-");
    text_put(&t, set);
}

static void put_pairs(struct out *o, const char *const pairs[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out_text(o, pairs[i][0]);
        out_text(o, " = ");
        out_text(o, pairs[i][1]);
        out_text(o, "\n");
    }
}

static struct wire_span each_open(struct wire_span *rest)
{
    struct wire_span target;

    while (target = wire_each(rest, TEAM_TARGET), target.at && !wire_find(target, TEAM_PORTAL).at)
        ;
    return target;
}

/* Two accounts can make one name. */
static bool is_taken(struct wire_span request, struct wire_span target, const char *profile)
{
    struct wire_span rest = request;
    char other[PROFILE_CAP];

    for (struct wire_span t; t = each_open(&rest), t.at;) {
        name_profile(t, false, other, sizeof other);
        if (t.at != target.at && strcmp(other, profile) == 0)
            return true;
    }
    return false;
}

static void put_profile(struct out *o, struct wire_span request, struct wire_span target)
{
    char profile[PROFILE_CAP], account[16], set[40], region[40];

    name_profile(target, false, profile, sizeof profile);
    if (is_taken(request, target, profile))
        name_profile(target, true, profile, sizeof profile);
    copy(target, TEAM_ACCOUNT, account, sizeof account);
    copy(target, TEAM_PERMISSION_SET, set, sizeof set);
    copy(target, TEAM_SSO_REGION, region, sizeof region);
    const char *const pairs[][2] = {{"sso_session", "team"},
                                    {"sso_account_id", account},
                                    {"sso_role_name", set},
                                    {"region", region}}; /* the last, as it may be unknown */

    out_text(o, "[profile ");
    out_text(o, profile);
    out_text(o, "]\n");
    put_pairs(o, pairs, sizeof pairs / sizeof pairs[0] - (region[0] == '\0'));
}

/* The portal's address is that of its page for an account and set, cut at its fragment. */
static void put_session(struct out *o, struct wire_span target)
{
    char portal[481], start[481], region[40];
    size_t n;

    copy(target, TEAM_PORTAL, portal, sizeof portal);
    copy(target, TEAM_SSO_REGION, region, sizeof region);
    n = strcspn(portal, "#");
    snprintf(start, sizeof start, "%.*s", (int)(n > 0 && portal[n - 1] == '/' ? n - 1 : n), portal);
    const char *const pairs[][2] = {{"sso_start_url", start},
                                    {"sso_registration_scopes", "sso:account:access"},
                                    {"sso_region", region}};

    out_text(o, "[sso-session team]\n");
    put_pairs(o, pairs, sizeof pairs / sizeof pairs[0] - (region[0] == '\0'));
}

static void put_page(struct out *o, struct wire_span target)
{
    char portal[481];

    copy(target, TEAM_PORTAL, portal, sizeof portal);
    out_text(o, "  ");
    out_text(o, portal);
    out_text(o, "\n");
}

/* What the AWS CLI reads begins at the margin, for it takes what is indented for more of the line
 * before; and has each section once, for it refuses a file in which one is twice. */
void aws_put_use(struct out *o, struct wire_span request)
{
    struct wire_span rest = request, first = each_open(&rest), target;

    if (!first.at)
        return;
    out_text(o, "\nIn the browser\n");
    for (target = first; target.at; target = each_open(&rest))
        put_page(o, target);
    out_text(o, "\nFor the AWS CLI, what ~/.aws/config does not have yet; then: aws sso login "
                "--sso-session team\n");
    rest = request;
    while (target = each_open(&rest), target.at)
        put_profile(o, request, target);
    put_session(o, first);
}
