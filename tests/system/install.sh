#!/bin/bash
# make install puts every file where Debian expects it, keeps what a host's people wrote, and make
# uninstall takes back what it put.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"

# install_to ROOT TARGET [VARIABLE...]
install_to()
{
    make -C "$SRC" --no-print-directory BUILD="$BUILD" DESTDIR="$1" "${@:2}"
}

# mode and path of all files below a folder
files()
{
    (cd "$1" && find . -type f -printf '%m %P\n' | sort -k2)
}

root=/mnt/root
multiarch=$(gcc -print-multiarch)
security=lib/${multiarch:+$multiarch/}security

ok "make install works" install_to $root install
all=$(files $root)
for row in "755 usr/sbin/teamd" "755 usr/sbin/team-courier" "755 usr/bin/teamctl" "644 $security/pam_team.so" \
    "644 etc/team/team.conf" "644 usr/share/doc/team/examples/team.conf" \
    "644 usr/share/doc/team/examples/pam.d/sudo" "644 usr/share/doc/team/examples/pam.d/sudo-i" \
    "644 usr/share/doc/team/examples/pam.d/sshd" "644 usr/share/doc/team/examples/ssh/sshd_ask_config" \
    "644 usr/share/doc/team/README.md" "644 usr/share/doc/team/LICENSE" \
    "644 lib/systemd/system/teamd.service" "644 usr/lib/sysusers.d/team.conf" \
    "644 usr/lib/tmpfiles.d/team.conf" "644 usr/share/man/man8/teamd.8" "644 usr/share/man/man8/team-courier.8" \
    "644 usr/share/man/man8/pam_team.8" "644 usr/share/man/man1/teamctl.1" \
    "644 usr/share/man/man5/team.conf.5" \
    "644 usr/share/bash-completion/completions/teamctl" \
    "644 usr/share/zsh/vendor-completions/_teamctl"; do
    like "$row is installed" $'\n'"$all"$'\n' $'\n'"$row"$'\n'
done
is "every unit and socket is installed" "$(ls $root/lib/systemd/system)" \
    "$(ls "$SRC/conf/systemd")"
is "nothing else is installed" \
    "$(grep -vE ' (usr/sbin/teamd|usr/sbin/team-courier|usr/bin/teamctl|lib/.*/security/pam_team\.so|lib/systemd/system/.*|etc/team/team\.conf|usr/lib/(sysusers|tmpfiles)\.d/team\.conf|usr/share/man/man[158]/.*|usr/share/bash-completion/completions/teamctl|usr/share/zsh/vendor-completions/_teamctl|usr/share/doc/team/.*)$' <<<"$all")" ""
unlike "PAM's own configuration is not touched" "$all" 'etc/pam\.d'
ok "teamd finds the shipped configuration good" \
    "$root/usr/sbin/teamd" --check --config "$root/etc/team/team.conf"

echo '# ours' >>$root/etc/team/team.conf
ok "installing again works" install_to $root install
like "installing again keeps a changed configuration" "$(tail -n 1 $root/etc/team/team.conf)" '^# ours$'

mkdir $root/etc/pam.d
echo '#account required pam_team.so' >$root/etc/pam.d/su
echo 'account required pam_team.so' >$root/etc/pam.d/sudo
refused "make uninstall leaves no service without the module that it asks" install_to $root uninstall
like "and says which, and what to do" "$out" 'etc/pam.d/sudo'$'\n''.*first run: teamctl pam remove'
unlike "but not those that do not ask" "$out" 'etc/pam.d/su'$'\n'
is "and nothing is gone" "$(files $root | grep -v ' etc/')" "$(grep -v ' etc/' <<<"$all")"
rm -r $root/etc/pam.d
ok "make uninstall works" install_to $root uninstall
is "uninstalling leaves the configuration and nothing else" "$(files $root)" "644 etc/team/team.conf"

ok "PREFIX, PAMDIR and UNITDIR are honoured" \
    install_to /mnt/other PREFIX=/opt/team PAMDIR=/opt/pam UNITDIR=/opt/units install
all=$(files /mnt/other)
for row in "755 opt/team/sbin/teamd" "755 opt/team/bin/teamctl" "644 opt/pam/pam_team.so" \
    "644 opt/units/teamd.service" "644 opt/team/share/man/man8/teamd.8" "644 etc/team/team.conf"; do
    like "$row is installed elsewhere" $'\n'"$all"$'\n' $'\n'"$row"$'\n'
done
like "the unit names the program where it is" "$(cat /mnt/other/opt/units/teamd.service)" \
    'ExecStart=/opt/team/sbin/teamd'
finish
