# Who may include whom (DESIGN.md 3), for all sources given; prints what breaks it.

# What stands between the quotes or angle brackets.
function header(line,   h)
{
    h = line
    sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", h)
    sub(/[>"].*/, "", h)
    return h
}

function wrong(why) { printf "%s:%d: %s may not include %s: %s\n", FILENAME, FNR, place, h, why; }

FNR == 1 {
    place = FILENAME
    sub(/\/[^\/]*$/, "", place)
    shell = place ~ /^teamd\/[a-z]+$/ && place != "teamd/core" ? substr(place, 7) : ""
}

!/^[ \t]*#[ \t]*include/ { next }

{
    h = header($0)
    pure = h ~ /^(stdint|stddef|stdbool|string|assert)\.h$/
    folder = h ~ /\// ? h : ""
    sub(/\/.*/, "", folder)
    ours = folder ~ /^(core|store|ipc|host|conf|courier)$/
}

# The pure ones: values in, values out. (assert.h gives static_assert; that nobody calls assert() is
# seen in the symbols.)
place == "include/team" {
    if (!pure && folder != "team") wrong("the contract needs nothing but the language")
    next
}
place == "teamd/core" {
    if (!pure && folder != "core" && h != "team/text.h") wrong("the core does no I/O")
    next
}

# Libraries that one folder alone knows.
h == "lmdb.h" && place != "teamd/store" { wrong("only teamd/store knows LMDB") }
h == "sodium.h" && place !~ /^teamd\/(store|conf)$/ { wrong("only teamd/store and conf hash") }
h == "libconfig.h" && place != "teamd/conf" { wrong("only teamd/conf knows libconfig") }
h == "jansson.h" && place !~ /^(teamctl|teamd\/courier)$/ {
    wrong("teamctl writes JSON, the courier reads it, and nobody else")
}
(folder ~ /^(curl|openssl|netinet|arpa)$/ || h == "netdb.h") && place != "teamd/courier" { wrong("only the courier knows the network") }
folder == "security" && FILENAME !~ /^(pam_team\/pam_team|teamctl\/pam_try)\.c$/ {
    wrong("only pam_team.c and pam_try.c know PAM")
}
folder == "systemd" && place !~ /^teamd(\/ipc|\/host|\/courier)?$/ {
    wrong("only ipc, host, courier and main know the loop")
}

# Folders.
shell != "" && ours && folder != "core" && folder != shell &&
    !(FILENAME == "teamd/courier/main.c" && folder == "conf") { wrong("a shell knows the core and itself") }
shell != "" && folder == "" && $0 ~ /"/ { wrong("name the folder") }
place ~ /^(pam_team|teamctl)$/ && ours { wrong("teamd's inside is its own") }
/\.\.\// && !(place == "teamctl" && h ~ /^\.\.\/pam_team\/(client|verdict)\.h$/) { wrong("it climbs out of its folder") }
folder == "pam_team" && place != "teamctl" { wrong("the module is not a library") }
