#!/bin/sh
# npm start: set-up, then the dashboard in this very process, so that its job control and signals are the terminal's own.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh "$@"
# A user who joined the group galley a moment ago has it in new sessions only; sg gives it to this one.
if [ "$(id -u)" != 0 ] && [ -S /run/galley/galley.sock ] && [ ! -w /run/galley/galley.sock ] && command -v sg >/dev/null 2>&1; then
  exec sg galley -c 'exec bin/galley'
fi
exec bin/galley
