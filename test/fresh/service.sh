#!/bin/sh
# systemd as process 1 of a fresh host; service-inside.sh then runs as one of its services, and its end is the machine's.
set -eu
. /srv/fresh/lib.sh
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install systemd >/tmp/apt 2>&1 || {
  cat /tmp/apt
  die "apt-get"
}
cat >/etc/systemd/system/scenario.service <<'UNIT'
[Service]
Type=oneshot
Environment=HOME=/root TERM=xterm-256color
ExecStart=/bin/sh -c 'sh /srv/fresh/service-inside.sh >>/srv/fresh/out 2>&1; echo $? >/srv/fresh/status; systemctl --no-block exit $(cat /srv/fresh/status)'
UNIT
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s ../scenario.service /etc/systemd/system/multi-user.target.wants/scenario.service
ln -sf /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
touch /srv/fresh/out
tail -F -n +1 /srv/fresh/out &
export container=fresh
exec /lib/systemd/systemd --show-status=false --log-level=warning
