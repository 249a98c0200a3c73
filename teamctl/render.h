/* Rows as tables, JSON and CSV. What a row holds is said once, in columns.c; every form follows
 * from that. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include <team/wire.h>

/* ---- where it goes -------------------------------------------------------------------------- */

/* Standard output with a large buffer. The first error is kept; nothing is written after it. */
struct out {
    int fd;
    int error; /* errno, or 0 */
    size_t len;
    char buf[256 * 1024];
};

void out_flush(struct out *o);
void out_put_more(struct out *o, const char *s, size_t n);
void out_text(struct out *o, const char *s);
void out_padded(struct out *o, const char *s, size_t width); /* with blanks behind it */

static inline void out_put(struct out *o, const char *s, size_t n)
{
    if (n >= sizeof o->buf || o->len >= sizeof o->buf - n) {
        out_put_more(o, s, n);
        return;
    }
    memcpy(o->buf + o->len, s, n);
    o->len += n;
}

/* ---- how it looks --------------------------------------------------------------------------- */

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct look {
    enum form form;
    unsigned width; /* of the terminal; 0: it is none, cut nothing */
    bool colour;
    bool ascii; /* a terminal without UTF-8: bytes of it could be read as control characters */
    int64_t now_us;
};

/* Asks the terminal on `fd` and the environment; the caller has called setlocale(3). */
struct look look_at(int fd, int64_t now_us);

/* ---- what there is -------------------------------------------------------------------------- */

enum column_kind {
    COL_TEXT,  /* words, names, ids */
    COL_STATE, /* a word that has a colour */
    COL_ERROR, /* text that stands out */
    COL_NUMBER,
    COL_YESNO,
    COL_TIME,
    COL_MOMENT, /* a time whose seconds matter */
    COL_SECONDS,
    COL_TEXTS,  /* a list of texts */
    COL_GROUP,  /* one group or none */
    COL_GROUPS, /* a list of groups */
};

enum {
    COLUMNS_MAX = 24,
    NOT_IN_TABLES = 255,
    IF_ANY = 128, /* plus a rank: only in tables where some row has it. Alone, of a group: absent is
                     not even null in JSON */
};

struct row_type;

struct column {
    const char *key;     /* in JSON, in the CSV header; with blanks, on a page */
    const char *heading; /* in tables */
    enum team_tag tag;
    enum column_kind kind;
    uint8_t rank; /* a table that is too wide loses the column with the highest; 0 is never lost */
    const struct row_type *inner;
};

struct row_type {
    enum team_row row;  /* the kind of row that this is; 0 for a group in one */
    const char *plural; /* how people call them */
    size_t n_columns;
    const struct column *columns;
    /* A group as text, in a cell and on a page: $2 is the third column, [...] is left out when a
     * column in it is absent. */
    const char *in_cell, *on_page;
};

extern const struct row_type REQUEST_ROWS, SESSION_ROWS, TARGET_ROWS, EVENT_ROWS, FINDING_ROWS,
    STATUS_ROWS, CHECK_ROWS, PAM_ROWS, DRIFT_ROWS, LOG_ROWS, COLLECTED_ROWS;

/* ---- one value ------------------------------------------------------------------------------ */

enum cell_style { CELL_TABLE, CELL_CSV, CELL_PAGE };

/* Adds the column's value in this row, made plain, to t. Nothing when it is absent. */
void cell_put(struct text *t, const struct column *c, struct wire_span row, enum cell_style style,
              const struct look *look);

/* How many places a terminal needs for this plain text. */
size_t cell_width(const char *s);

/* How much of a text fits into `width` > 0 places. If it is `cut`, one place is left for a mark. */
struct fit {
    size_t bytes;
    size_t places;
    bool cut;
};
struct fit cell_fit(const char *s, size_t width);

/* Makes everything that is not ASCII a '?', in place. */
void cell_ascii(char *s);

/* Large enough for any cell: a packet, with what stands between its pieces. */
enum { CELL_CAP = 2 * TEAM_PACKET_MAX };

json_t *plain_json(struct wire_span v);
json_t *row_json(const struct row_type *type, struct wire_span row);
void json_set(json_t **object, const char *key, json_t *value);
void json_append(json_t **list, json_t *value);
void json_put(struct out *o, const json_t *object);

void csv_header(struct out *o, const struct row_type *type);
void csv_row(struct out *o, const struct row_type *type, struct wire_span row);

/* A cell from somebody else's words: quoted where RFC 4180 wants it, and with an apostrophe before
 * what a spreadsheet would run as a formula. */
void csv_cell(struct out *o, const char *s, size_t n);

/* ---- many rows ------------------------------------------------------------------------------ */

enum { TABLE_WINDOW = 500 }; /* rows that are kept to find out how wide the columns are */

struct table {
    const struct row_type *type;
    const struct look *look;
    struct out *out;
    size_t n_rows;               /* in the window */
    bool headed;                 /* a heading is out */
    bool started;                /* and widths are fixed */
    bool shown[COLUMNS_MAX];     /* in that heading */
    bool filled[COLUMNS_MAX];    /* some row has something there */
    size_t natural[COLUMNS_MAX]; /* what the rows so far want */
    size_t widths[COLUMNS_MAX];  /* 0: not shown */
    char **cells;                /* the window: n_rows * type->n_columns */
};

void table_begin(struct table *t, const struct row_type *type, const struct look *look,
                 struct out *o);
void table_row(struct table *t, struct wire_span row);
void table_end(struct table *t);

/* Shows the rows so far, though more may come. A column grows when a wider cell does; when others
 * are shown than before, so is their heading. */
void table_flow(struct table *t);

/* How wide the columns may be so that all fit: natural widths in, shown widths out (0: lost). */
void table_fit(const struct row_type *type, const bool empty[], size_t widths[], unsigned width);

struct render {
    const struct row_type *type;
    const struct look *look;
    struct out *out;
    size_t n; /* rows so far: before the first nothing is written, not even a header */
    struct table table;
};

void render_begin(struct render *r, const struct row_type *type, const struct look *look,
                  struct out *o);
void render_row(struct render *r, struct wire_span row);

/* Shows what there is so far, though more may come. */
void render_flow(struct render *r);

/* `whole`: all went well, so an empty export is one with a header. */
void render_end(struct render *r, bool whole);

/* One row on a page of its own, a line for each value that there is. */
void page_put(struct out *o, const struct row_type *type, struct wire_span row,
              const struct look *look);
