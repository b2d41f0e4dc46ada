#!/bin/sh
# Brings a clone to life: npm packages, then scripts/setup.mjs (build, host packages, galleyd). Quick and silent when nothing changed.
set -eu
cd "$(dirname "$0")/.."
. scripts/path.sh
# The lock is compared by content: git sets new times on every checkout.
cmp -s package-lock.json node_modules/.galley-lock || node scripts/install.mjs "$@"
exec sh scripts/node.sh scripts/setup.mjs "$@"
