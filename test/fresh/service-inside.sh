#!/bin/sh
# galleyd as a service: installed over one that runs in the background, restarted, killed, upgraded and purged while a container runs on.
set -eu
. /srv/fresh/lib.sh
cd /root
typed 'git clone -q file:///srv/galley.git galley'
cd galley

say "another apt holds the lock: set-up waits half a minute, names the step and the way out, and goes on the next time"
apt-get -qq -y -o DPkg::Pre-Invoke::='touch /tmp/held; sleep 1000' --reinstall install hostname >/tmp/apt 2>&1 &
holder=$!
until [ -e /tmp/held ]; do kill -0 "$holder" || { cat /tmp/apt; die "nobody holds the lock"; }; sleep 0.1; done
npm run --silent setup >/tmp/out 2>&1 && die "set-up went past the lock" || status=$?
cat /tmp/out
[ "$status" = 1 ] || die "exit code $status"
for word in 'dpkg frontend lock' 'host packages runc, conmon, nftables, iproute2: failed' 'Another package manager is at work' 'npm run setup again'; do
  grep -q "$word" /tmp/out || die "it did not say: $word"
done
! command -v runc >/dev/null || die "something was installed"
kill "$holder"
wait "$holder" 2>/dev/null || true
typed 'npm run --silent setup' 2>&1 | tee /tmp/out
grep -q 'npm packages' /tmp/out && die "it installed the npm packages again" || true
registry=$(kitchen)
container_pid() { galley inspect -f '{{.State.Pid}}' web; }
typed "galley run -d --name web $registry/library/busybox sh -c 'i=0; while :; do i=\$((i+1)); echo line \$i; sleep 0.1; done'"
pid=$(container_pid)
lives() {
  [ "$(container_pid)" = "$pid" ] && kill -0 "$pid" || die "the container did not live through: $1"
  galley logs web >/tmp/lines
  awk '$2 != NR { exit 1 }' /tmp/lines || die "its log has a hole after: $1"
  say "the container lives on, its log whole, after: $1"
}
galleyd_pid() { galley daemon status | sed -n 's/.* pid \([0-9]*\),.*/\1/p'; }

typed 'galley daemon install'
lives 'the install over a background galleyd'
unit=/etc/systemd/system/galleyd.service
words=$(systemd-analyze verify "$unit" 2>&1 | grep -F galleyd || true)
[ -z "$words" ] || die "systemd-analyze verify: $words"
[ "$(systemctl show -P KillMode galleyd)" = process ] || die "KillMode"
[ "$(systemctl show -P Delegate galleyd)" = yes ] || die "Delegate"
[ "$(systemctl is-enabled galleyd)" = enabled ] || die "not enabled"
[ "$(systemctl show -P MainPID galleyd)" = "$(galleyd_pid)" ] || die "the unit's main process is not galleyd itself"
[ "$(cat "/proc/$pid/oom_score_adj")" = 0 ] || die "the container has galleyd's oom_score_adj: $(cat "/proc/$pid/oom_score_adj")"
typed "galley run -d --name second $registry/library/busybox sleep 1000"
second=$(galley inspect -f '{{.State.Pid}}' second)
[ "$(cat "/proc/$second/oom_score_adj")" = 0 ] || die "a container of the service has oom_score_adj $(cat "/proc/$second/oom_score_adj")"

typed 'systemctl restart galleyd'
tries=0
until galley daemon status >/dev/null 2>&1; do sleep 0.1; tries=$((tries + 1)); [ $tries -lt 200 ] || die "no galleyd after restart"; done
lives 'systemctl restart'
kill -0 "$second" || die "a container that the service started died with its restart"

before=$(galleyd_pid)
typed "kill -9 $before"
tries=0
until now=$(galleyd_pid 2>/dev/null) && [ -n "$now" ] && [ "$now" != "$before" ]; do
  sleep 0.1
  tries=$((tries + 1))
  [ $tries -lt 200 ] || die "systemd did not start galleyd again"
done
lives 'kill -9 of galleyd'

typed 'galley daemon stop'
[ "$(systemctl is-active galleyd || true)" = inactive ] || die "galley daemon stop: $(systemctl is-active galleyd)"
kill -0 "$pid" || die "the container died with the stop"
typed 'galley daemon start'
[ "$(systemctl is-active galleyd)" = active ] || die "galley daemon start went past systemd"
lives 'stop and start'

git clone -q file:///srv/galley.git /tmp/push && (cd /tmp/push && echo '// changed' >>daemon/main.ts && git -c user.name=cook -c user.email=cook@example.com commit -qam change && git push -q)
before=$(galleyd_pid)
typed 'git pull -q && npm run --silent setup'
[ "$(galleyd_pid)" != "$before" ] || die "galleyd of the older build still runs"
[ "$(systemctl show -P MainPID galleyd)" = "$(galleyd_pid)" ] || die "the new galleyd is not the service's"
lives 'git pull and set-up'

typed 'galley daemon uninstall --purge --force'
[ ! -e "$unit" ] || die "the unit is still there"
nothing_left
