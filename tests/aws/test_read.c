/* What comes from files and from the network, read: INI, XML, JSON, errors, dates, credentials. */
#include "courier/answer.h"
#include "courier/ini.h"
#include "courier/keys.h"
#include "courier/metadata.h"
#include "courier/process.h"
#include "courier/xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the shared files --------------------------------------------------------------------------
 */

/* All properties, one a line: "section|above|name=value". */
static char *flat(const char *text, size_t len)
{
    static char out[4096];
    char why[INI_WHY_CAP];
    struct ini ini;
    size_t n = 0;
    int r = ini_parse(text, len, &ini, why);

    if (r < 0) {
        snprintf(out, sizeof out, "%s", why);
        return out;
    }
    out[0] = '\0';
    for (size_t i = 0; i < ini.n; i++)
        if (ini.items[i].name[0])
            n += (size_t)snprintf(out + n, sizeof out - n, "%s|%s|%s=%s;", ini.items[i].section,
                                  ini.items[i].above, ini.items[i].name, ini.items[i].value);
    ini_free(&ini);
    return out;
}

static void files_are_read_as_the_sdks_read_them(void **state)
{
    static const struct {
        const char *text, *what;
    } CASES[] = {
        {"", ""},
        {"[default]\naws_access_key_id = AKIA\n", "default||aws_access_key_id=AKIA;"},
        {"\xef\xbb\xbf[default]\r\nregion=eu-west-1\r\n", "default||region=eu-west-1;"},
        {"[ profile \"my team\" ]\nRegion = a\n", "profile my team||region=a;"},
        {"[profile   x]  ; a comment\nregion = a # b\nb = c#d;e ;f\n",
         "profile x||region=a;profile x||b=c#d;e;"},
        {"# c\n; c\n\n[a]\n  # indented\nx=1", "a||x=1;"},
        {"[a]\ns3 =\n  max = 1\n  min = 2\nx = 3\n", "a||s3=;a|s3|max=1;a|s3|min=2;a||x=3;"},
        {"[a]\nx = one\n  two\n  three # c\n", "a||x=one\ntwo\nthree;"},
        {"[a]\nx = \n", "a||x=;"},
        {"[a]\nx = a=b\n", "a||x=a=b;"},
        {"[a]\nx=1", "a||x=1;"},
        {"[a", "1: [ without ]"},
        {"[]\n", "1: a section without a name"},
        {"[a] b\n", "1: something stands after ]"},
        {"\nx = 1\n", "2: a property before the first [section]"},
        {"[a]\nx\n", "2: neither [section] nor name = value"},
        {"[a]\n= 1\n", "2: the name before = is missing"},
        {"[a]\nx y = 1\n", "2: the name before = is more than a word"},
        {"[a]\n  x = 1\n", "2: an indented line that belongs to nothing"},
        {"[a]\ns3 =\n  nonsense\n", "3: neither [section] nor name = value"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(flat(CASES[i].text, strlen(CASES[i].text)), CASES[i].what);
    assert_string_equal(flat("[a]\nx=\0y\n", 9), "2: a NUL byte; this is no text file");
}

static void the_last_of_a_name_counts(void **state)
{
    static const char TEXT[] = "[a]\nx=1\n[b]\nx=2\n[a]\nx=3\ns =\n  x = 4\n";
    char why[INI_WHY_CAP];
    struct ini ini;

    (void)state;
    assert_int_equal(ini_parse(TEXT, sizeof TEXT - 1, &ini, why), 0);
    assert_string_equal(ini_find(&ini, "a", "", "x")->value, "3");
    assert_string_equal(ini_find(&ini, "a", "s", "x")->value, "4");
    assert_int_equal(ini_find(&ini, "a", "", "x")->line, 6);
    assert_non_null(ini_find(&ini, "b", "", ""));
    assert_null(ini_find(&ini, "c", "", ""));
    ini_free(&ini);
    assert_null(ini.items);
}

static void files_have_limits(void **state)
{
    size_t n = INI_SIZE_MAX + 1;
    char *text = malloc(n), why[INI_WHY_CAP];
    struct ini ini;

    (void)state;
    assert_non_null(text);
    memset(text, '\n', n);
    assert_int_equal(ini_parse(text, n, &ini, why), -EFBIG);
    memcpy(text, "[a]\n", 4);
    for (size_t i = 4; i + 4 <= n - 1; i += 4)
        memcpy(text + i, "x=1\n", 4);
    assert_int_equal(ini_parse(text, n - 1, &ini, why), -EINVAL);
    assert_string_equal(why, "20001: more than 20000 properties");
    free(text);
}

/* ---- XML ---------------------------------------------------------------------------------------
 */

static void xml_becomes_json(void **state)
{
    static const struct {
        const char *xml, *json; /* NULL: refused */
    } CASES[] = {
        {"<a/>", "\"\""},
        {"<a></a>", "\"\""},
        {"<a> x </a>", "\" x \""},
        {"<?xml version=\"1.0\"?>\n<!-- c --><a x='1' y=\"2\">v</a>\n<!-- c -->\n", "\"v\""},
        {"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;</a>", "\"<>&\\\"'A\xe2\x82\xac\""},
        {"<a>x<!-- y -->z<![CDATA[<&]]></a>", "\"xz<&\""},
        {"<a>\n <b>1</b>\n <c/>\n</a>", "{\"b\": \"1\", \"c\": \"\"}"},
        {"<a><member>1</member><member><b>2</b></member></a>", "[\"1\", {\"b\": \"2\"}]"},
        {"<a><b:c>1</b:c></a>", "{\"b:c\": \"1\"}"},
        {"<a ><b >1</b ></a >", "{\"b\": \"1\"}"},
        {"", NULL},
        {"x", NULL},
        {"<a>", NULL},
        {"<a", NULL},
        {"<a x", NULL},
        {"<a x=", NULL},
        {"<a x='1>", NULL},
        {"<ax='1'/>", NULL},
        {"<a></b>", NULL},
        {"<a></ab>", NULL},
        {"<a/><b/>", NULL},
        {"<a/>x", NULL},
        {"<a>x<b/></a>", NULL},
        {"<a><b/>x</a>", NULL},
        {"<a><b/><b/></a>", NULL},
        {"<a><member/><b/></a>", NULL},
        {"<a><b/><member/></a>", NULL},
        {"<a>&nbsp;</a>", NULL},
        {"<a>&#;</a>", NULL},
        {"<a>&#0;</a>", NULL},
        {"<a>&#xD800;</a>", NULL},
        {"<a>&#x110000;</a>", NULL},
        {"<a>&#99999999999999;</a>", NULL},
        {"<a>&#6A;</a>", NULL},
        {"<a>\xff</a>", NULL},
        {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", NULL},
        {"<a><!-- </a>", NULL},
        {"<a><![CDATA[ </a>", NULL},
        {"<?xml", NULL},
        {"<!--", NULL},
        {"<1/>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char root[XML_NAME_MAX + 1];
        json_t *got = xml_parse(CASES[i].xml, strlen(CASES[i].xml), root),
               *wanted = CASES[i].json ? json_loads(CASES[i].json, JSON_DECODE_ANY, NULL) : NULL;

        if ((CASES[i].json != NULL) != (wanted != NULL) || (got != NULL) != (wanted != NULL) ||
            (got && !json_equal(got, wanted)))
            fail_msg("%s", CASES[i].xml);
        json_decref(got);
        json_decref(wanted);
    }
}

static void xml_is_not_deep_and_not_broad(void **state)
{
    char text[1024] = "", root[XML_NAME_MAX + 1], *broad;
    size_t n = 0;
    json_t *got;

    (void)state;
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "<a>");
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "</a>");
    got = xml_parse(text, n, root);
    assert_non_null(got);
    json_decref(got);
    memmove(text + 3, text, n + 1);
    memcpy(text, "<a>", 3);
    memcpy(text + 3 + n, "</a>", 5);
    assert_null(xml_parse(text, n + 7, root));

    broad = malloc(9 * (XML_ELEMENTS_MAX + 2));
    assert_non_null(broad);
    memcpy(broad, "<a>", 3);
    for (size_t i = 0; i < XML_ELEMENTS_MAX; i++)
        memcpy(broad + 3 + 9 * i, "<member/>", 9);
    memcpy(broad + 3 + 9 * (size_t)XML_ELEMENTS_MAX, "</a>", 4);
    assert_null(xml_parse(broad, 7 + 9 * (size_t)XML_ELEMENTS_MAX, root));
    free(broad);
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static void json_is_an_object_without_duplicates(void **state)
{
    static const char *const BAD[] = {"[]",
                                      "1",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1}x",
                                      "{\"a\":1",
                                      "null",
                                      "{\"a\":\"\\u0000\"}",
                                      " ",
                                      "{\"a\":1e999}",
                                      "{\"a\":\"\xff\"}"};
    static const char GOOD_JSON[] = "{\"Date\":1.620918581641E9,\"x\":\"]{\\\"[\\\\\"}";
    char deep[512];
    json_t *o;

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if ((o = answer_json(BAD[i], strlen(BAD[i]))))
            fail_msg("%s", BAD[i]);
    o = answer_json("", 0);
    assert_int_equal(json_object_size(o), 0);
    json_decref(o);
    o = answer_json(GOOD_JSON, sizeof GOOD_JSON - 1);
    assert_non_null(o);
    json_decref(o);
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    assert_null(answer_json(deep, sizeof deep));
}

/* What people can write into CloudTrail's records does not make them unreadable. */
static void records_are_read_whatever_is_in_them(void **state)
{
    static const struct {
        const char *record, *a; /* as JSON */
    } ROWS[] = {
        {"{\"a\":\"\\u0000\"}", "\"\\u0000\""},
        {"{\"a\":1,\"a\":2}", "2"},
        {"{\"a\":[123456789012345678901234567890]}", "[1.2345678901234568e29]"},
        {"{\"a\":\"\\ud800\"}", "\"\xef\xbf\xbd\""},
        {"{\"a\":\"x\\udc00\\ud83d\\ude00\\ud83dy\"}",
         "\"x\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbdy\""},
        {"{\"a\":\"\\\\ud800\\ud800\"}", "\"\\\\ud800\xef\xbf\xbd\""},
        {"{\"a\":\"\\ud800\\u0041\"}", "\"\xef\xbf\xbd"
                                       "A\""},
    };
    static const char *const BAD[] = {"",   "[]", "{", "{\"a\":\"\\ud8\"}", "{\"a\":\"\xff\"}",
                                      "\\", "\\u"};
    json_t *o;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char *a;

        o = answer_record(ROWS[i].record, strlen(ROWS[i].record));
        a = json_dumps(json_object_get(o, "a"), JSON_ENCODE_ANY | JSON_COMPACT);
        if (!a || strcmp(a, ROWS[i].a) != 0)
            fail_msg("%s: %s", ROWS[i].record, a);
        free(a);
        json_decref(o);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_null(answer_record(BAD[i], strlen(BAD[i])));
    o = answer_large("{\"a\":\"\\u0000\"}", 14);
    assert_non_null(o);
    json_decref(o);
    assert_null(answer_large("{\"a\":1,\"a\":2}", 13));
    o = answer_large("", 0);
    assert_non_null(o);
    json_decref(o);
}

static void xml_answers_are_their_result(void **state)
{
    static const char OK[] = "<GetCallerIdentityResponse xmlns=\"x\"><GetCallerIdentityResult>"
                             "<Account>1</Account></GetCallerIdentityResult><ResponseMetadata>"
                             "<RequestId>r</RequestId></ResponseMetadata>"
                             "</GetCallerIdentityResponse>";
    static const char *const BAD[] = {"<a/>", "<Response/>", "<XResponse/>",
                                      "<XResponse><YResult/></XResponse>", "x"};
    json_t *o = answer_xml(OK, sizeof OK - 1);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(o, "Account")), "1");
    json_decref(o);
    o = answer_xml("<XResponse><XResult/></XResponse>", 33);
    assert_true(json_is_object(o));
    json_decref(o);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_null(answer_xml(BAD[i], strlen(BAD[i])));
}

static void errors_have_many_forms(void **state)
{
    static const struct {
        const char *body, *header, *code, *message, *id;
    } CASES[] = {
        {"{\"__type\":\"ConflictException\",\"message\":\"m\"}", "", "ConflictException", "m", ""},
        {"{\"__type\":\"com.amazonaws#X:http://y\",\"Message\":\"M\"}", "", "X", "M", ""},
        {"{\"code\":\"Y\"}", "", "Y", "", ""},
        {"{\"__type\":\"A\"}", "B:http://c", "B", "", ""},
        {"{}", "ns#Z", "Z", "", ""},
        {"{\"__type\":7,\"message\":null}", "", "", "", ""},
        {"{\"message\":\"a\\nb\xe2\x80\xae\"}", "", "", "a?b?", ""},
        {"<ErrorResponse><Error><Type>Sender</Type><Code>C</Code><Message>m</Message></Error>"
         "<RequestId>r</RequestId></ErrorResponse>",
         "", "C", "m", "r"},
        {"<Response><Errors><Error><Code>D</Code><Message>n</Message></Error></Errors>"
         "<RequestID>s</RequestID></Response>",
         "", "D", "n", "s"},
        {"<html><body><h1>503</h1></body></html>", "", "", "", ""},
        {"<!doctype html><p>", "", "", "", ""},
        {"", "", "", "", ""},
        {"garbage", "", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char code[AWS_CODE_CAP], message[AWS_TEXT_CAP], id[AWS_CODE_CAP] = "";

        answer_error(CASES[i].body, strlen(CASES[i].body), CASES[i].header, code, message, id);
        assert_string_equal(code, CASES[i].code);
        assert_string_equal(message, CASES[i].message);
        assert_string_equal(id, CASES[i].id);
    }
}

static void dates_of_both_kinds(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } ISO[] = {
        {"2026-11-25T22:09:36Z", 1795644576},
        {"2026-11-25T22:09:36.123Z", 1795644576},
        {"2026-11-25T23:09:36+01:00", 1795644576},
        {"2026-11-25T21:39:36-0030", 1795644576},
        {"2026-11-25T22:09:36", -1},
        {"2026-11-25 22:09:36Z", -1},
        {"2026-11-25T22:09:36+1", -1},
        {"2026-11-25T22:09:36+99:00", -1},
        {"2026-11-25T22:09:36Zx", -1},
        {"soon", -1},
        {"", -1},
    };
    struct wall w;

    (void)state;
    for (size_t i = 0; i < sizeof ISO / sizeof ISO[0]; i++) {
        bool ok = answer_iso_date(ISO[i].text, &w);

        if (ok != (ISO[i].seconds >= 0) || (ok && w.us != ISO[i].seconds * SECOND_US))
            fail_msg("%s", ISO[i].text);
    }
    assert_true(answer_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &w));
    assert_int_equal(w.us, 784111777 * SECOND_US);
    assert_false(answer_http_date("Sun, 06 Nov 1994 08:49:37 CET", &w));
    assert_false(answer_http_date("", &w));
    assert_int_equal(answer_retry_after("3", w), 3 * SECOND_US);
    assert_int_equal(answer_retry_after("99999999", w), 86400 * SECOND_US);
    assert_int_equal(answer_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", w), 10 * SECOND_US);
    assert_int_equal(answer_retry_after("Sun, 06 Nov 1994 08:49:27 GMT", w), 0);
    assert_int_equal(answer_retry_after("-3", w), 0);
    assert_int_equal(answer_retry_after("", w), 0);
}

/* ---- credentials -------------------------------------------------------------------------------
 */

#define GOOD "\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s/+=\","

static void credentials_come_whole_or_not(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: they are taken */
    } PROCESS[] =
        {
            {"{\"Version\":1," GOOD
             "\"SessionToken\":\"t\",\"Expiration\":\"2026-11-25T22:09:36Z\"}",
             NULL},
            {"{\"Version\":2," GOOD "\"SessionToken\":\"t\"}",
             "\"Version\" is not 1 in what it printed"},
            {"", "it printed no JSON object"},
            {"{\"Version\":1,\"SecretAccessKey\":\"s\"}", "the access key id is missing"},
            {"{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\"}",
             "the secret access key is missing"},
            {"{\"Version\":1,\"AccessKeyId\":\"a/b\",\"SecretAccessKey\":\"s\"}",
             "the access key id cannot be one"},
            {"{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\\r\\nx: y\"}",
             "the secret access key cannot be one"},
            {"{\"Version\":1," GOOD "\"SessionToken\":\"t u\"}",
             "the session token cannot be one, or is longer than 12287 bytes"},
            {"{\"Version\":1," GOOD "\"Expiration\":\"soon\"}",
             "the expiration \"soon\" is no time"},
        },
      METADATA[] = {
          {"{\"Code\":\"Success\"," GOOD "\"Token\":\"t\",\"Expiration\":\"2026-11-25T22:09:36Z\"}",
           NULL},
          {"{" GOOD "\"Token\":\"t\",\"Expiration\":\"2026-11-25T22:09:36Z\"}", NULL},
          {"{\"Code\":\"AssumeRoleUnauthorizedAccess\"}",
           "it has none: AssumeRoleUnauthorizedAccess"},
          {"<html>", "it answered with no JSON object"},
          {"{}", "the access key id is missing"},
      };
    struct keys k;
    char why[AWS_TEXT_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof PROCESS / sizeof PROCESS[0]; i++) {
        assert_int_equal(process_read(PROCESS[i].text, strlen(PROCESS[i].text), &k, why),
                         PROCESS[i].why == NULL);
        if (PROCESS[i].why)
            assert_string_equal(why, PROCESS[i].why);
        else
            assert_int_equal(k.expires.us, 1795644576 * SECOND_US);
    }
    for (size_t i = 0; i < sizeof METADATA / sizeof METADATA[0]; i++) {
        assert_int_equal(metadata_read(METADATA[i].text, strlen(METADATA[i].text), &k, why),
                         METADATA[i].why == NULL);
        if (METADATA[i].why)
            assert_string_equal(why, METADATA[i].why);
        else
            assert_string_equal(k.token, "t");
    }
    keys_wipe(&k);
    assert_int_equal(k.id[0] | k.secret[0] | k.token[0], 0);
}

static void command_lines_are_cut_like_a_shell_would(void **state)
{
    static const struct {
        const char *line, *words; /* joined by |; NULL: refused */
    } CASES[] = {
        {"/bin/x", "/bin/x"},
        {"  a  b\tc ", "a|b|c"},
        {"a 'b c' \"d e\" f\\ g", "a|b c|d e|f g"},
        {"a \"b\\\"c\\\\d\\e\" 'f\\g'", "a|b\"c\\d\\e|f\\g"},
        {"a '' \"\"", "a||"},
        {"a'b'\"c\"d", "abcd"},
        {"a $HOME ; rm `x` > y", "a|$HOME|;|rm|`x`|>|y"},
        {"a \\", "a|\\"},
        {"", ""},
        {"a 'b", NULL},
        {"a \"b", NULL},
        {"1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 "
         "5 "
         "6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char out[256], *words[PROCESS_WORDS_MAX + 1], joined[256] = "";
        int n = process_words(CASES[i].line, out, words);

        for (int w = 0; w < n; w++)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", w ? "|" : "",
                     words[w]);
        if ((n < 0) != (CASES[i].words == NULL) ||
            (n >= 0 && (strcmp(joined, CASES[i].words) != 0 || words[n])))
            fail_msg("%s gives %s", CASES[i].line, joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_the_sdks_read_them),
        cmocka_unit_test(the_last_of_a_name_counts),
        cmocka_unit_test(files_have_limits),
        cmocka_unit_test(xml_becomes_json),
        cmocka_unit_test(xml_is_not_deep_and_not_broad),
        cmocka_unit_test(json_is_an_object_without_duplicates),
        cmocka_unit_test(records_are_read_whatever_is_in_them),
        cmocka_unit_test(xml_answers_are_their_result),
        cmocka_unit_test(errors_have_many_forms),
        cmocka_unit_test(dates_of_both_kinds),
        cmocka_unit_test(credentials_come_whole_or_not),
        cmocka_unit_test(command_lines_are_cut_like_a_shell_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
