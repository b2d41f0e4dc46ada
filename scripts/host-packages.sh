#!/bin/sh
# Installs the host packages that galley needs and that are missing. Prints what it does; touches nothing when all are there.
set -eu
missing=
need() { # tool package
  PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need runc runc
need conmon conmon
need nft nftables
if command -v apt-get >/dev/null 2>&1 || command -v dnf >/dev/null 2>&1; then need ip iproute2; else need ip iproute2; fi
[ -e /usr/bin/tini-static ] || command -v tini >/dev/null 2>&1 || missing="$missing tini"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "galley needs these host packages:$missing" >&2
  exit 1
fi
echo "Installing$missing"
if command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  apt-get install -y -qq --no-install-recommends isal >/dev/null 2>&1 || echo "isal is not packaged here: layers are decompressed by Node"
elif command -v dnf >/dev/null 2>&1; then
  dnf install -y -q $(echo "$missing" | sed 's/iproute2/iproute/')
elif command -v apk >/dev/null 2>&1; then
  apk add --quiet $missing
else
  echo "No apt-get, dnf or apk here. Install by hand:$missing" >&2
  exit 1
fi
