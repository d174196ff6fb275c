#!/bin/sh
# Starts the plugin with the Node.js beside it. krew and users put symlinks to this file on PATH: follow them home.
self=$0
case $self in */*) ;; *) self=./$self ;; esac
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
home=$(CDPATH='' cd -- "${self%/*}" && pwd -P) || exit 1
# Options meant for the user's own Node.js programs could keep this one from starting.
unset NODE_OPTIONS
exec "$home/node" "$home/lib/boot.mjs" "$@"
