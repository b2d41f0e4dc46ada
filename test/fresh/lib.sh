# Words that the scenarios share. Each line a person would type is shown before it runs.
say() { echo "fresh: $*"; }
die() {
  echo "fresh: FAILED: $*" >&2
  exit 1
}
typed() {
  echo "\$ $1"
  sh -c "$1"
}
now() { date +%s%N; }

# dashboard COMMAND [WORDS KEYS]...: runs a command in a terminal of 140x40. After each WORDS has appeared it types KEYS; then waits for
# the dashboard, and quits it by its own key. Leaves what was drawn in /tmp/screen and the milliseconds to the first frame in $took.
dashboard() {
  command=$1
  shift
  rm -f /tmp/keys /tmp/screen
  mkfifo /tmp/keys
  began=$(now)
  echo "\$ $command"
  script -qfec "stty rows 40 cols 140; $command" /tmp/screen </tmp/keys >/dev/null &
  terminal=$!
  exec 3>/tmp/keys
  while [ $# -gt 0 ]; do
    await "$1"
    printf '%s' "$2" >&3
    shift 2
  done
  await "$(printf '\033')\[?1049h"
  await 'containers'
  took=$((($(now) - began) / 1000000))
  printf q >&3
  wait "$terminal" || { cat /tmp/screen; die "$command exited $?"; }
  exec 3>&-
  grep -q "$(printf '\033')\[?1049l" /tmp/screen || die "the terminal was not given back"
}
await() {
  tries=0
  until grep -qai -- "$1" /tmp/screen 2>/dev/null; do
    kill -0 "$terminal" 2>/dev/null || { cat /tmp/screen; die "it ended before it showed: $1"; }
    tries=$((tries + 1))
    [ "$tries" -lt 30000 ] || { cat /tmp/screen; die "it never showed: $1"; }
    sleep 0.02
  done
}

# Starts a registry from the clone in the working folder, and prints its host:port.
kitchen() {
  sh scripts/node.sh test/fresh/kitchen.ts >/tmp/kitchen 2>/tmp/kitchen.log &
  tries=0
  until [ -s /tmp/kitchen ]; do
    sleep 0.1
    tries=$((tries + 1))
    [ "$tries" -lt 3000 ] && kill -0 $! || { cat /tmp/kitchen.log >&2; die "no registry"; }
  done
  cat /tmp/kitchen
}

# What galley may have left on this machine, one line each.
left() {
  awk '$5 ~ "^/(run|var/lib)/galley" { print "mount " $5 }' /proc/self/mountinfo
  ip -o link show | awk -F': ' '$2 !~ /^(lo|eth0)/ { print "interface " $2 }'
  nft list tables | sed 's/^/nft /'
  ip netns list | sed 's/^/netns /'
  find /sys/fs/cgroup -type d -name 'galley*' | sed 's/^/cgroup /'
  for folder in /run/galley /var/lib/galley /var/log/galleyd.log /etc/systemd/system/galleyd.service; do
    [ ! -e "$folder" ] || echo "folder $folder"
  done
  ps -eo pid,args 2>/dev/null | grep -E '[c]onmon|[g]alleyd' | sed 's/^/process /' || true
}
nothing_left() {
  rest=$(left)
  [ -z "$rest" ] || die "left behind: $rest"
  say "nothing of galley is left"
}
