# Prints every mutant of C sources: FILE:LINE:COLUMN:LENGTH:NEW, one a line. A mutant changes one cell
# of a state table into another, or one comparison or logical operator into its neighbours. Left
# alone: comments, strings, the preprocessor, assertions, and the counting of `for` loops, which the
# sanitizers watch.

function mutant(at, length_, new) { print FILENAME ":" FNR ":" at ":" length_ ":" new }

# The cells of a row of MOVES: GO(STATE), END(STATE), NO, FINISH, __, XX.
function cells(line,    at, cell, name)
{
    at = index(line, "= {")
    while (match(substr(line, at + 1), /[A-Z]+\([A-Z]+\)|[A-Z][A-Z]+|__/)) {
        cell = substr(line, at + RSTART, RLENGTH)
        at += RSTART
        name = cell
        gsub(/^[A-Z]*\(|\)$/, "", name)
        if (cell ~ /^GO/) {
            mutant(at, RLENGTH, "__"); mutant(at, RLENGTH, "XX")
            if (name != first) mutant(at, RLENGTH, "GO(" first ")")
            if (name != last) mutant(at, RLENGTH, "GO(" last ")")
        } else if (cell ~ /^END/) {
            mutant(at, RLENGTH, "__")
            mutant(at, RLENGTH, name == "REVOKED" ? "END(ENDED)" : "END(REVOKED)")
        } else if (cell == "XX") {
            mutant(at, RLENGTH, "__"); mutant(at, RLENGTH, "GO(" last ")")
        } else if (cell == "__") {
            mutant(at, RLENGTH, "XX"); mutant(at, RLENGTH, "GO(" last ")")
        } else {
            mutant(at, RLENGTH, "__")
            mutant(at, RLENGTH, "XX")
        }
        at += RLENGTH - 1
    }
}

# Takes comments and strings out of the line, keeping the columns.
function strip(line,    out, i, c, two)
{
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; out = out "  "; i++ } else out = out " "
        } else if (quote) {
            if (c == "\\") { out = out "  "; i++ } else { if (c == quote) quote = ""; out = out " " }
        } else if (two == "/*") {
            in_comment = 1; out = out "  "; i++
        } else if (c == "\"" || c == "'") {
            quote = c; out = out " "
        } else
            out = out c
    }
    quote = ""
    return out
}

function operators(line,    i, two, one, loop)
{
    loop = line ~ /^[ \t]*for \(/
    for (i = 1; i <= length(line); i++) {
        two = substr(line, i, 2)
        one = substr(line, i, 1)
        if (two == "->" || two == "<<" || two == ">>") { i++; continue }
        if (two == "==") mutant(i, 2, "!=")
        else if (two == "!=") mutant(i, 2, "==")
        else if (two == "&&") mutant(i, 2, "||")
        else if (two == "||") mutant(i, 2, "&&")
        else if (two == "<=") { mutant(i, 2, "<"); mutant(i, 2, ">") }
        else if (two == ">=") { mutant(i, 2, ">"); mutant(i, 2, "<") }
        else if (one == "<" && !loop) { mutant(i, 1, "<="); mutant(i, 1, ">=") }
        else if (one == ">" && !loop) { mutant(i, 1, ">="); mutant(i, 1, "<=") }
        else if (one == "!") mutant(i, 1, "")
        if (two ~ /^(==|!=|&&|\|\||<=|>=)$/) i++
    }
}

FNR == 1 { in_comment = 0; table = 0 }

# The first and the last state of a table are where its cells may wrongly lead.
/^static const struct move .*MOVES\[/ { table = 1; first = last = "" }

table && /^ +\[(0|[A-Z_]+)\] *= \{/ {
    name = $0
    if (match(name, /\[[A-Z]+_[A-Z]+\]/)) {
        name = substr(name, RSTART + 1, RLENGTH - 2)
        sub(/^[A-Z]+_/, "", name)
        if (first == "") { first = name; last = name ~ /^PENDING/ ? "ACTIVE" : name ~ /^WAITING/ ? "OPEN" : "LIVE" }
    }
    if (first == "") next # no such state: nobody is ever in it
    cells($0)
    next
}
/^};/ { table = 0 }

{
    line = strip($0)
    if (line ~ /^ *#/ || line ~ /assert/) next
    operators(line)
}
