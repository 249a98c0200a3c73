/* AWS: having it read, compared and listed by team-courier, and how to use what is open. */
#include "teamctl.h"

#include <stdio.h>

enum { AWS_PATIENCE_MS = 60 * 60 * 1000 }; /* a large organisation takes minutes */

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
static void put_profile(struct out *o, const char *account, const char *set)
{
    for (const char *c = account; *c; c++)
        out_put(o, text_is_word(c, 1) || *c == '-' || *c == '.' ? c : "-", 1);
    out_text(o, "-");
    out_text(o, set);
}

static void put_pairs(struct out *o, const char *const pairs[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out_text(o, "  ");
        out_text(o, pairs[i][0]);
        out_text(o, " = ");
        out_text(o, pairs[i][1]);
        out_text(o, "\n");
    }
}

/* The portal's address is that of its page for this account and set, cut at its fragment. */
static void put_use(struct out *o, struct wire_span target)
{
    char account[16], name[256], set[40], portal[481], start[481], region[40];
    size_t n;

    copy(target, TEAM_ACCOUNT, account, sizeof account);
    copy(target, TEAM_ACCOUNT_NAME, name, sizeof name);
    copy(target, TEAM_PERMISSION_SET, set, sizeof set);
    copy(target, TEAM_PORTAL, portal, sizeof portal);
    copy(target, TEAM_SSO_REGION, region, sizeof region);
    n = strcspn(portal, "#");
    snprintf(start, sizeof start, "%.*s", (int)(n > 0 && portal[n - 1] == '/' ? n - 1 : n), portal);
    const char *const profile[][2] = {{"sso_session", "team"},
                                      {"sso_account_id", account},
                                      {"sso_role_name", set},
                                      {"region", region}};
    const char *const session[][2] = {{"sso_start_url", start},
                                      {"sso_registration_scopes", "sso:account:access"},
                                      {"sso_region", region}};
    const size_t unknown = region[0] == '\0'; /* then the last of each */

    out_text(o, "\nIn the browser\n  ");
    out_text(o, portal);
    out_text(
        o,
        "\nFor the AWS CLI, in ~/.aws/config; then: aws sso login --sso-session team\n  [profile ");
    put_profile(o, name[0] ? name : account, set);
    out_text(o, "]\n");
    put_pairs(o, profile, sizeof profile / sizeof profile[0] - unknown);
    out_text(o, "  [sso-session team]\n");
    put_pairs(o, session, sizeof session / sizeof session[0] - unknown);
}

void aws_put_use(struct out *o, struct wire_span request)
{
    struct wire_span rest = request;

    for (struct wire_span target; target = wire_each(&rest, TEAM_TARGET), target.at;)
        if (wire_find(target, TEAM_PORTAL).at)
            put_use(o, target);
}
