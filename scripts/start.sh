#!/bin/sh
# npm start: set-up, then the dashboard. All of it stays in the process group that the shell gave to npm, so that Ctrl-Z stops and fg
# continues the whole chain.
set -eu
cd "$(dirname "$0")/.."
. scripts/path.sh
status=0
sh scripts/setup.sh --dashboard "$@" || status=$?
# A user who joined the group galley a moment ago has it in new sessions only; sg gives it to this one.
if [ "$status" = 75 ]; then exec sg galley -c 'exec bin/galley'; fi
exit "$status"
