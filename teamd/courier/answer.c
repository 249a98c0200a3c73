#include "courier/answer.h"
#include "courier/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>
#include <time.h>

/* ---- JSON and XML ------------------------------------------------------------------------------
 */

/* jansson goes 2048 deep, and its recursion takes stack for each. */
static bool too_deep(const char *s, size_t n, size_t most)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        if (quoted) {
            if (s[i] == '\\')
                i++;
            else
                quoted = s[i] != '"';
        } else if (s[i] == '"') {
            quoted = true;
        } else if (s[i] == '{' || s[i] == '[') {
            if (++depth > most)
                return true;
        } else if ((s[i] == '}' || s[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static json_t *read_object(const char *body, size_t len, size_t depth, size_t flags)
{
    json_t *value;

    if (too_deep(body, len, depth))
        return NULL;
    value = json_loadb(body, len, flags, NULL);
    if (value && !json_is_object(value)) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *answer_json(const char *body, size_t len)
{
    return len == 0 ? json_object()
                    : read_object(body, len, ANSWER_DEPTH_MAX, JSON_REJECT_DUPLICATES);
}

json_t *answer_large(const char *body, size_t len)
{
    return len == 0
               ? json_object()
               : read_object(body, len, ANSWER_DEPTH_MAX, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL);
}

/* The number of \uXXXX at s, or -1 if there is none before `end`. */
static long escaped(const char *s, const char *end)
{
    char digits[5] = "";

    if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
        return -1;
    memcpy(digits, s + 2, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/* Halves of pairs stand for nothing: U+FFFD in their places. */
static void mend_halves(char *s, size_t n)
{
    const char *end = s + n;

    for (char *at = s; at < end; at++) {
        long c = escaped(at, end), low = c < 0 ? -1 : escaped(at + 6, end);
        bool pair = c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000;

        if (c >= 0xd800 && c < 0xe000 && !pair)
            memcpy(at + 2, "fffd", 4);
        at += pair ? 11 : *at == '\\' ? 1 : 0;
    }
}

json_t *answer_record(const char *body, size_t len)
{
    enum { DEPTH = ANSWER_RECORD_DEPTH_MAX };
    json_t *value = read_object(body, len, DEPTH, JSON_ALLOW_NUL);
    char *mended = value ? NULL : malloc(len + 1);

    if (mended) {
        memcpy(mended, body, len);
        mend_halves(mended, len);
        value = read_object(mended, len, DEPTH, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL);
    }
    free(mended);
    return value;
}

json_t *answer_xml(const char *body, size_t len)
{
    static const char RESPONSE[] = "Response";
    char root[XML_NAME_MAX + 1], result_name[XML_NAME_MAX + 1];
    json_t *document = xml_parse(body, len, root), *result;
    size_t n = strlen(root), tail = strlen(RESPONSE);

    if (!document || n <= tail || strcmp(root + n - tail, RESPONSE) != 0) {
        json_decref(document);
        return NULL;
    }
    snprintf(result_name, sizeof result_name, "%.*sResult", (int)(n - tail), root);
    result = json_incref(json_object_get(document, result_name));
    json_decref(document);
    if (result && !json_is_object(result)) { /* <XResult/>: no member is there */
        json_decref(result);
        result = json_object();
    }
    return result;
}

/* ---- errors ------------------------------------------------------------------------------------
 */

/* "com.amazonaws.sso#ConflictException:http://..." is ConflictException. */
static void clean_code(const char *s, char out[AWS_CODE_CAP])
{
    size_t n = strcspn(s, ":");
    const char *hash = memrchr(s, '#', n);

    if (hash) {
        n -= (size_t)(hash + 1 - s);
        s = hash + 1;
    }
    text_make_plain(out, AWS_CODE_CAP, s, n);
}

static const char *member(const json_t *object, const char *a, const char *b)
{
    const char *s = json_string_value(json_object_get(object, a));

    return s ? s : json_string_value(json_object_get(object, b));
}

static void take_message(const char *s, char message[AWS_TEXT_CAP])
{
    if (s)
        text_make_plain(message, AWS_TEXT_CAP, s, strlen(s));
}

static bool json_error(const char *body, size_t len, char code[AWS_CODE_CAP],
                       char message[AWS_TEXT_CAP])
{
    json_t *error = len > 0 ? answer_json(body, len) : NULL;
    const char *s = member(error, "__type", "code");
    bool is_json;

    if (s && !code[0])
        clean_code(s, code);
    take_message(member(error, "message", "Message"), message);
    is_json = error != NULL;
    json_decref(error);
    return is_json;
}

/* <ErrorResponse><Error>, or <Errors><Error> below any root. */
static void xml_error(const char *body, size_t len, char code[AWS_CODE_CAP],
                      char message[AWS_TEXT_CAP], char request_id[AWS_CODE_CAP])
{
    char root[XML_NAME_MAX + 1];
    json_t *document = xml_parse(body, len, root);
    const json_t *errors = json_object_get(document, "Errors"),
                 *error = json_object_get(errors ? errors : document, "Error");
    const char *s = member(error, "Code", "code"), *id = member(document, "RequestId", "RequestID");

    if (s && !code[0])
        clean_code(s, code);
    take_message(member(error, "Message", "message"), message);
    if (id && !request_id[0])
        text_make_plain(request_id, AWS_CODE_CAP, id, strlen(id));
    json_decref(document);
}

void answer_error(const char *body, size_t len, const char *header, char code[AWS_CODE_CAP],
                  char message[AWS_TEXT_CAP], char request_id[AWS_CODE_CAP])
{
    code[0] = message[0] = '\0';
    clean_code(header, code);
    if (!json_error(body, len, code, message))
        xml_error(body, len, code, message, request_id);
}

/* ---- dates -------------------------------------------------------------------------------------
 */

bool answer_http_date(const char *s, struct wall *ret)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    if (!end || *end)
        return false;
    *ret = (struct wall){(int64_t)timegm(&tm) * SECOND_US};
    return true;
}

static bool two_digits(const char **s, int64_t most, int64_t *ret)
{
    if ((*s)[0] < '0' || (*s)[0] > '9' || (*s)[1] < '0' || (*s)[1] > '9')
        return false;
    *ret = ((*s)[0] - '0') * 10 + ((*s)[1] - '0');
    *s += 2;
    return *ret <= most;
}

/* Z, +00:00 or +0000; seconds east of Greenwich. */
static bool offset(const char *s, int64_t *ret)
{
    int64_t hours, minutes, sign = s[0] == '-' ? -1 : 1;

    *ret = 0;
    if (strcmp(s, "Z") == 0)
        return true;
    if (s[0] != '+' && s[0] != '-')
        return false;
    s++;
    if (!two_digits(&s, 14, &hours))
        return false;
    s += *s == ':';
    if (!two_digits(&s, 59, &minutes) || *s)
        return false;
    *ret = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool answer_iso_date(const char *s, struct wall *ret)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t east;

    if (!end)
        return false;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (!offset(end, &east))
        return false;
    *ret = (struct wall){((int64_t)timegm(&tm) - east) * SECOND_US};
    return true;
}

int64_t answer_retry_after(const char *s, struct wall now)
{
    uint64_t seconds;
    struct wall at;

    if (text_parse_u64(s, strlen(s), &seconds))
        return seconds < 86400 ? (int64_t)seconds * SECOND_US : 86400 * SECOND_US;
    return answer_http_date(s, &at) && at.us > now.us ? at.us - now.us : 0;
}
