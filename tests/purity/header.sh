#!/bin/sh
# Does this header compile alone? Usage: header.sh HEADER FLAG...
header=$1
shift
echo "#include \"$(pwd)/$header\"" | "${CC:-cc}" -x c -fsyntax-only "$@" -Ipam_team -Iteamctl - 2>&1 |
    sed "s|^|$header does not compile alone: |" | head -n 3
