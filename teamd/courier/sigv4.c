#include "courier/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <time.h>

enum { HASH_LEN = 32, SCOPE_CAP = 160 };

void sigv4_date(struct wall now, char out[SIGV4_DATE_CAP])
{
    time_t seconds = (time_t)(now.us / SECOND_US);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, SIGV4_DATE_CAP, "%Y%m%dT%H%M%SZ", &tm) == 0)
        out[0] = '\0';
}

/* ---- canonical forms ---------------------------------------------------------------------------
 */

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986, upper-case hexadecimal. */
static void put_encoded(struct text *t, const char *s, size_t n, char also)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        char out[3] = {'%', HEX[c >> 4], HEX[c & 15]};

        if (unreserved(c) || (also && c == (unsigned char)also))
            text_put_n(t, s + i, 1);
        else
            text_put_n(t, out, sizeof out);
    }
}

void sigv4_put_encoded(struct text *t, const char *s, size_t n)
{
    put_encoded(t, s, n, 0);
}

/* Takes the last segment off again, for "..". */
static void drop_segment(struct text *t, size_t start)
{
    while (t->len > start && t->buf[t->len - 1] != '/')
        t->len--;
    if (t->len > start)
        t->len--;
    t->buf[t->len] = '\0';
}

/* RFC 3986 6.2.2.3, and "//" is "/". */
static void put_normal_path(struct text *t, const char *path)
{
    size_t start = t->len, n = strlen(path);
    bool slash = n > 0 && path[n - 1] == '/';

    for (const char *s = path; *s && !t->cut;) {
        size_t len = strcspn(s, "/");

        slash = slash || (s[len] == '\0' && s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.')));
        if (len == 2 && s[0] == '.' && s[1] == '.') {
            drop_segment(t, start);
        } else if (len > 0 && !(len == 1 && s[0] == '.')) {
            text_put(t, "/");
            put_encoded(t, s, len, 0);
        }
        s += len + (s[len] == '/');
    }
    if (slash || t->len == start)
        text_put(t, "/");
}

struct pair {
    const char *name;
    const char *value;
};

static int compare(const struct pair *a, const struct pair *b)
{
    int by_name = strcmp(a->name, b->name);

    return by_name ? by_name : strcmp(a->value, b->value);
}

static void insert(struct pair *pairs, size_t n, struct pair new)
{
    for (; n > 0 && compare(&pairs[n - 1], &new) > 0; n--)
        pairs[n] = pairs[n - 1];
    pairs[n] = new;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* Decoded and encoded again: however it was written, one form. Returns where it stands in `t`. */
static const char *put_parameter(struct text *t, const char *s, size_t n)
{
    const char *at = t->buf + t->len;

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (c == '%' && n - i > 2 && hex_value(s[i + 1]) >= 0 && hex_value(s[i + 2]) >= 0) {
            c = (char)(hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]));
            i += 2;
        }
        put_encoded(t, &c, 1, 0);
    }
    text_put_n(t, "", 1);
    return at;
}

static bool put_query(struct text *out, const char *query)
{
    char encoded[4096];
    struct text t = text_over(encoded, sizeof encoded);
    struct pair pairs[SIGV4_PAIRS_MAX];
    size_t n = 0;

    for (const char *s = query; *s;) {
        size_t len = strcspn(s, "&"), name = strcspn(s, "=&");
        struct pair p;

        if (n == SIGV4_PAIRS_MAX)
            return false;
        if (len > 0) {
            p.name = put_parameter(&t, s, name);
            p.value = put_parameter(&t, s + name + (name < len), len - name - (name < len));
            insert(pairs, n++, p);
        }
        s += len + (s[len] == '&');
    }
    for (size_t i = 0; i < n && !t.cut; i++) {
        text_put(out, i ? "&" : "");
        text_put(out, pairs[i].name);
        text_put(out, "=");
        text_put(out, pairs[i].value);
    }
    return !t.cut;
}

static int compare_names(const char *a, const char *b)
{
    for (;; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;

        if (x != y || x == 0)
            return x - y;
    }
}

static void put_lower(struct text *t, const char *s)
{
    for (; *s; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;

        text_put_n(t, &c, 1);
    }
}

/* Without blanks around it, and with one where there were more. */
static void put_trimmed(struct text *t, const char *s)
{
    static const char BLANKS[] = " \t\r\n";

    s += strspn(s, BLANKS);
    while (*s) {
        size_t len = strcspn(s, BLANKS);

        text_put_n(t, s, len);
        s += len;
        s += strspn(s, BLANKS);
        if (*s)
            text_put(t, " ");
    }
}

static bool put_headers(struct text *out, struct text *names, const struct sigv4_request *r)
{
    const struct sigv4_header *sorted[SIGV4_HEADERS_MAX];
    size_t n = 0;

    if (r->n_headers > SIGV4_HEADERS_MAX)
        return false;
    for (; n < r->n_headers; n++) {
        size_t at = n;

        for (; at > 0 && compare_names(sorted[at - 1]->name, r->headers[n].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &r->headers[n];
    }
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && compare_names(sorted[i - 1]->name, sorted[i]->name) == 0;

        if (again) {
            text_put(out, ",");
        } else {
            text_put(out, i ? "\n" : "");
            put_lower(out, sorted[i]->name);
            text_put(out, ":");
            text_put(names, i ? ";" : "");
            put_lower(names, sorted[i]->name);
        }
        put_trimmed(out, sorted[i]->value);
    }
    text_put(out, "\n");
    return true;
}

static void put_hex(struct text *t, const unsigned char *bytes, size_t n)
{
    static const char HEX[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        char out[2] = {HEX[bytes[i] >> 4], HEX[bytes[i] & 15]};

        text_put_n(t, out, sizeof out);
    }
}

static bool put_hash(struct text *t, const void *bytes, size_t n)
{
    unsigned char hash[HASH_LEN];

    if (EVP_Digest(bytes ? bytes : "", n, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    put_hex(t, hash, sizeof hash);
    return true;
}

bool sigv4_canonical(const struct sigv4_request *r, struct text *out, struct text *signed_names)
{
    text_put(out, r->method);
    text_put(out, "\n");
    if (r->keep_path && r->path[0])
        put_encoded(out, r->path, strlen(r->path), '/');
    else
        put_normal_path(out, r->path);
    text_put(out, "\n");
    if (!put_query(out, r->query))
        return false;
    text_put(out, "\n");
    if (!put_headers(out, signed_names, r))
        return false;
    text_put(out, "\n");
    text_put(out, signed_names->buf);
    text_put(out, "\n");
    return put_hash(out, r->body, r->body_len) && !out->cut && !signed_names->cut;
}

/* ---- the signature -----------------------------------------------------------------------------
 */

static void put_scope(struct text *t, const struct sigv4_scope *scope)
{
    char date[SIGV4_DATE_CAP];

    sigv4_date(scope->now, date);
    text_put_n(t, date, strnlen(date, 8));
    text_put(t, "/");
    text_put(t, scope->region);
    text_put(t, "/");
    text_put(t, scope->service);
    text_put(t, "/aws4_request");
}

void sigv4_string_to_sign(const char *canonical, const struct sigv4_scope *scope, struct text *out)
{
    char date[SIGV4_DATE_CAP];

    sigv4_date(scope->now, date);
    text_put(out, "AWS4-HMAC-SHA256\n");
    text_put(out, date);
    text_put(out, "\n");
    put_scope(out, scope);
    text_put(out, "\n");
    if (!put_hash(out, canonical, strlen(canonical)))
        out->cut = true;
}

static bool hmac(const void *key, size_t key_len, const char *text, size_t n,
                 unsigned char out[HASH_LEN])
{
    unsigned len = HASH_LEN;

    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, n, out, &len) != NULL;
}

/* The chain of keys: each is made of the one before and the next part of the scope. */
static bool signature(const char *secret, const struct sigv4_scope *scope, const char *to_sign,
                      unsigned char out[HASH_LEN])
{
    char date[SIGV4_DATE_CAP], first[4 + 256];
    struct text t = text_over(first, sizeof first);
    unsigned char key[HASH_LEN];
    bool ok;

    sigv4_date(scope->now, date);
    text_put(&t, "AWS4");
    text_put(&t, secret);
    ok = !t.cut && hmac(first, t.len, date, strnlen(date, 8), key) &&
         hmac(key, sizeof key, scope->region, strlen(scope->region), key) &&
         hmac(key, sizeof key, scope->service, strlen(scope->service), key) &&
         hmac(key, sizeof key, "aws4_request", strlen("aws4_request"), key) &&
         hmac(key, sizeof key, to_sign, strlen(to_sign), out);
    OPENSSL_cleanse(first, sizeof first);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

bool sigv4_sign(const struct sigv4_request *r, const struct sigv4_scope *scope,
                const char *access_key, const char *secret, struct text *authorization)
{
    char canonical[SIGV4_CANONICAL_CAP], names[1024], to_sign[SCOPE_CAP + 128];
    struct text c = text_over(canonical, sizeof canonical), n = text_over(names, sizeof names),
                s = text_over(to_sign, sizeof to_sign);
    unsigned char mac[HASH_LEN];
    bool ok = sigv4_canonical(r, &c, &n);

    if (ok)
        sigv4_string_to_sign(canonical, scope, &s);
    OPENSSL_cleanse(canonical, sizeof canonical); /* the token is in it */
    if (!ok || s.cut || !signature(secret, scope, to_sign, mac))
        return false;
    text_put(authorization, "AWS4-HMAC-SHA256 Credential=");
    text_put(authorization, access_key);
    text_put(authorization, "/");
    put_scope(authorization, scope);
    text_put(authorization, ", SignedHeaders=");
    text_put(authorization, names);
    text_put(authorization, ", Signature=");
    put_hex(authorization, mac, sizeof mac);
    return !authorization->cut;
}
