#!/bin/sh
# machine.sh ROOT COMMAND...: runs a command as the first process of a machine whose disk is the folder ROOT. It has its own processes,
# mounts, network (one address, through this host's), cgroups and host name; all of it ends with the command.
set -eu
if [ "${1:-}" = --inside ]; then
  root=$2
  shift 2
  hostname fresh
  mount --bind "$root" "$root"
  cd "$root"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount --rbind /dev dev
  mount -t tmpfs -o mode=755 tmpfs run
  # The same hierarchies as this host's; the cgroup namespace makes our own cgroup the top of each.
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    # On v2 a cgroup holds processes or children with controllers, never both.
    mkdir -p sys/fs/cgroup/init && echo 1 >sys/fs/cgroup/init/cgroup.procs
  else
    mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
    awk '$5 ~ "^/sys/fs/cgroup/" { for (i = 7; $i != "-"; i++); print $5, $(i + 1), $(i + 3) }' /proc/self/mountinfo >.cgroups
    while read -r point type options; do
      mkdir -p ".$point"
      mount -t "$type" ${options:+-o "$(echo "$options" | sed 's/^r[wo],*//')"} "$type" ".$point"
    done <.cgroups
    rm .cgroups
  fi
  mkdir -p .host
  pivot_root . .host
  cd /
  umount -l /.host
  rmdir /.host
  # The command becomes process 1 itself, as systemd wants to be.
  exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm-256color SUITE="${SUITE:-yes}" \
    "$@"
fi

root=$1
shift
name=fresh$$
number=$(($$ % 16384))
subnet=198.19.$((number / 64)).$((number % 64 * 4))
prefix=${subnet%.*}
last=${subnet##*.}
clean() {
  ip netns del "$name" 2>/dev/null || true
  nft delete table ip "$name" 2>/dev/null || true
  find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} \; 2>/dev/null || true
}
trap clean EXIT
trap 'exit 130' INT TERM HUP
ip netns add "$name"
ip link add "$name" type veth peer name eth0 netns "$name"
ip addr add "$prefix.$((last + 1))/30" dev "$name"
ip link set "$name" up
ip -n "$name" addr add "$prefix.$((last + 2))/30" dev eth0
ip -n "$name" link set lo up
ip -n "$name" link set eth0 up
ip -n "$name" route add default via "$prefix.$((last + 1))"
sysctl -qw net.ipv4.ip_forward=1
nft "table ip $name { chain nat { type nat hook postrouting priority srcnat; ip saddr $subnet/30 masquerade; }; }"
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
  [ -f "$hierarchy/cgroup.procs" ] && [ ! -f "$hierarchy/../cgroup.procs" ] || continue
  mkdir "$hierarchy/$name"
  # A v1 cpuset takes no process before it has cpus and memory nodes.
  for file in cpuset.cpus cpuset.mems; do
    [ ! -f "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$hierarchy/$name/$file"
  done
done
# The machine's first process must already be in these cgroups when its cgroup namespace is made.
export FRESH_CGROUP="$name"
status=0
sh -c '
  for procs in /sys/fs/cgroup/"$FRESH_CGROUP"/cgroup.procs /sys/fs/cgroup/*/"$FRESH_CGROUP"/cgroup.procs; do
    [ ! -f "$procs" ] || echo $$ >"$procs"
  done
  exec nsenter --net=/run/netns/"$FRESH_CGROUP" unshare --mount --propagation private --pid --cgroup --uts --ipc --fork --kill-child sh "$@"
' sh "$(cd "$(dirname "$0")" && pwd)/machine.sh" --inside "$root" "$@" || status=$?
exit "$status"
