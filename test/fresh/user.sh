#!/bin/sh
# A plain user on a fresh host: without sudo the root commands are shown and nothing happens; with it they run after one y.
set -eu
. /srv/fresh/lib.sh
# Git looks at who owns a repository; a person clones from elsewhere.
git config --system --add safe.directory '*'
useradd -m -s /bin/bash ann
as_ann() { su - ann -c "$1"; }
as_ann 'git clone -q file:///srv/galley.git galley'
say "without sudo, without a terminal"
as_ann 'cd galley && npm start' >/tmp/out 2>&1 </dev/null && die "it should have exited 1" || status=$?
cat /tmp/out
[ "$status" = 1 ] || die "exit code $status"
for word in 'apt-get' 'groupadd --system galley' 'usermod -aG galley ann' 'daemon start' 'no sudo'; do
  grep -q -- "$word" /tmp/out || die "it did not show: $word"
done
! command -v runc >/dev/null || die "something was installed"

say "with sudo"
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install sudo >/dev/null 2>&1
echo 'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann
as_ann 'cd galley && npm start' >/tmp/out 2>&1 </dev/null && die "without a terminal it must not run them" || true
grep -q '\[y/N\]' /tmp/out && die "it prompts without a terminal" || true
! command -v runc >/dev/null || die "something was installed without a yes"
script -qfec 'su - ann -c "cd galley && npm start"' /tmp/no <<KEYS >/dev/null && die "a bare Enter is No" || status=$?

KEYS
grep -q '\[y/N\]' /tmp/no || { cat /tmp/no; die "no question"; }
! command -v runc >/dev/null || die "something was installed after No"
dashboard 'su - ann -c "cd galley && npm start"' '\[y/N\]' "y$(printf '\r')"
[ "$(stat -c '%a %G' /run/galley/galley.sock)" = '660 galley' ] || die "socket: $(stat -c '%a %U:%G' /run/galley/galley.sock)"
[ "$(as_ann 'readlink -f ~/.local/bin/galley')" = /home/ann/galley/bin/galley ] || die "no link in ~/.local/bin"
typed 'su - ann -c "~/.local/bin/galley ps"'
dashboard 'su - ann -c "cd galley && npm start"'
say "the second start: $took ms"
typed 'su - ann -c "sudo galley/bin/galley daemon uninstall --purge --force"'
nothing_left
