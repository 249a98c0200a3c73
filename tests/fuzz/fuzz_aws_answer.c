/* Any bytes as what comes over the network: JSON and XML answers, errors of both, credentials of
 * instances, containers and processes, dates. What is told of them is printable and ends.
 * LIBFUZZER: -max_len=4096 */
#include "fuzz/fuzz.h"

#include "courier/activity.h"
#include "courier/activity_raw.h"
#include "courier/answer.h"
#include "courier/metadata.h"
#include "courier/process.h"
#include "courier/xml.h"

#include <team/text.h>

static void plain(const char *s, size_t cap)
{
    must(memchr(s, '\0', cap) != NULL, "a text ends");
    must(text_is_plain(s, strlen(s)), "a text is printable");
}

static void try_json(const char *s, size_t n)
{
    json_t *o = answer_json(s, n);

    must(!o || json_is_object(o), "an answer is an object");
    json_decref(o);
}

/* What is kept of a record is one line of JSON, whatever it was. */
static void try_record(const char *s, size_t n)
{
    static char out[ACTIVITY_RAW_MAX + 1];
    json_t *record = answer_record(s, n), *back;
    struct activity_event e;
    size_t size, len = activity_raw(s, n, out, &size);

    if (record && activity_read(record, &e)) {
        plain(e.id, sizeof e.id);
        plain(e.name, sizeof e.name);
        plain(e.resource, sizeof e.resource);
        plain(e.user, sizeof e.user);
    }
    if (record) {
        must(len > 0, "what can be read can be kept");
        plain(out, sizeof out);
        back = answer_record(out, len);
        must(back != NULL, "what is kept can be read");
        json_decref(back);
    }
    json_decref(record);
}

static void try_xml(const char *s, size_t n)
{
    char root[XML_NAME_MAX + 1];
    json_t *o = answer_xml(s, n);

    must(!o || json_is_object(o), "a result is an object");
    json_decref(o);
    o = xml_parse(s, n, root);
    must(!o || root[0] != '\0', "a document has a root");
    if (o) {
        char *text = json_dumps(o, JSON_ENCODE_ANY);

        must(text != NULL, "what was read is JSON");
        free(text);
    }
    json_decref(o);
}

static void try_error(const char *s, size_t n)
{
    char code[AWS_CODE_CAP], message[AWS_TEXT_CAP], id[AWS_CODE_CAP] = "";

    answer_error(s, n, "", code, message, id);
    plain(code, sizeof code);
    plain(message, sizeof message);
    plain(id, sizeof id);
}

static void try_keys(const char *s, size_t n)
{
    struct keys k;
    char why[AWS_TEXT_CAP] = "";

    if (metadata_read(s, n, &k, why)) {
        plain(k.id, sizeof k.id);
        plain(k.secret, sizeof k.secret);
        plain(k.token, sizeof k.token);
        must(k.id[0] && k.secret[0], "credentials are whole");
    } else {
        plain(why, sizeof why);
        must(why[0] != '\0', "who gets nothing is told why");
    }
    if (!process_read(s, n, &k, why))
        plain(why, sizeof why);
}

static void try_dates(const char *s)
{
    struct wall w = {0};

    answer_iso_date(s, &w);
    answer_http_date(s, &w);
    must(answer_retry_after(s, w) >= 0, "nobody waits backwards");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct fuel f = {input, len};
    unsigned what = take(&f) % 8;
    size_t n = 0;
    char *s = what == 7 ? take_string(&f, f.left) : take_bytes(&f, f.left, &n);

    if (what == 7) {
        try_dates(s);
    } else if (what < 2) {
        try_json(s, n);
        try_record(s, n);
    } else if (what < 4) {
        try_xml(s, n);
    } else if (what < 6) {
        try_error(s, n);
    } else {
        try_keys(s, n);
    }
    free(s);
    return 0;
}
