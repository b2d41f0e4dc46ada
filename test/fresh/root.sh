#!/bin/sh
# Root on a fresh host: the two commands of README.md, then the second start, the suite, and the purge.
set -eu
. /srv/fresh/lib.sh
cd /root
for tool in docker runc conmon nft ip tini-static; do
  ! command -v "$tool" >/dev/null || die "$tool must not be here yet"
done
typed 'git clone file:///srv/galley.git galley'
cd galley
dashboard 'npm start'
say "from the clone to the dashboard: $took ms"
[ "$(readlink -f /usr/local/bin/galley)" = /root/galley/bin/galley ] || die "no link in /usr/local/bin"
typed 'galley daemon status'
typed 'galley version'
dashboard 'npm start'
say "the second start: $took ms"
[ -z "$(npm run --silent setup 2>&1 </dev/null)" ] || die "a set-up that has nothing to do speaks"
registry=$(kitchen)
typed "galley run -d -p 8080:80 --name web $registry/library/nginx"
typed 'node -e "fetch(\"http://localhost:8080/\").then((answer) => answer.text()).then((page) => console.log(page.match(/<title>.*<.title>/)[0]))"' || die "no page"
git status --short | grep . && die "npm start changed the clone" || true
if [ "$SUITE" = yes ]; then
  began=$(now)
  typed 'npm test </dev/null' || die "npm test"
  say "npm test: $((($(now) - began) / 1000000000)) s"
fi
typed 'galley daemon uninstall --purge --force'
nothing_left
