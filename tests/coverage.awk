# gcovr's CSV (filename, lines, covered, percent, branches, covered, ...) to a table per folder, with
# the files that pull it down; exits 1 if a folder has less than it must.

# Core, codec and the module's verdict are pure: every line and branch can be reached, so it has to
# be. Elsewhere are errors of the kernel and of libraries that no test can ask for.
function must(name) { return name ~ /^(teamd\/core|include\/team|pam_team\/verdict\.c)/ ? 100 : 85 }

function percent(part, all) { return all == 0 ? 100 : 100 * part / all }

FNR == 1 { next }
{
    folder = $1
    if (folder != "pam_team/verdict.c") sub(/\/[^\/]*$/, "", folder)
    if (!(folder in lines)) order[++n] = folder
    lines[folder] += $2; lines_hit[folder] += $3
    branches[folder] += $5; branches_hit[folder] += $6
    if ($2 > $3 || $5 > $6)
        below[folder] = below[folder] sprintf("    %-44s %6.1f %% lines  %6.1f %% branches\n", $1,
            percent($3, $2), percent($6, $5))
}
END {
    bad = 0
    for (i = 1; i <= n; i++) {
        folder = order[i]
        l = percent(lines_hit[folder], lines[folder])
        b = percent(branches_hit[folder], branches[folder])
        low = l < must(folder) || (must(folder) == 100 && b < 100)
        bad += low
        printf "%-48s %6.1f %% lines  %6.1f %% branches%s\n%s", folder, l, b,
            low ? sprintf("  TOO LOW, must be %d %%", must(folder)) : "", below[folder]
    }
    if (n == 0) { print "nothing was measured"; exit 1 }
    exit bad > 0
}
