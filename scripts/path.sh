# Sourced. npm puts node_modules/.bin before PATH, and npm 11 links our own Node there: where that one cannot start (musl, a file that a
# full disk left empty), `node` must be the host's.
clean=
IFS=:
for folder in $PATH; do
  case $folder in */node_modules/.bin) ;; *) clean=${clean:+$clean:}$folder ;; esac
done
unset IFS
PATH=$clean
