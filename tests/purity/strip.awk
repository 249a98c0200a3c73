# C without comments and without what stands in strings, line by line: "file:line: code".
FNR == 1 { comment = 0 }
{
    line = $0
    code = ""
    while (line != "") {
        if (comment) {
            end = index(line, "*/")
            if (!end) break
            line = substr(line, end + 2)
            comment = 0
        } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
            code = code "\"\""
            line = substr(line, RLENGTH + 1)
        } else if (substr(line, 1, 2) == "/*") {
            comment = 1
            line = substr(line, 3)
        } else if (substr(line, 1, 2) == "//") {
            break
        } else {
            code = code substr(line, 1, 1)
            line = substr(line, 2)
        }
    }
    if (code ~ /[^ \t]/) printf "%s:%d: %s\n", FILENAME, FNR, code
}
