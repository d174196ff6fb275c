#!/bin/sh
# The tour: a playground with AI Runway v0.1.0 in it, looked at, upgraded to v0.2.0, brought back,
# and upgraded for good. Touches nothing else:
# it has a playground directory of its own, which is removed at the end.
set -eu
AIRUNWAY_PLAYGROUND_DIR=$(mktemp -d "${TMPDIR:-/tmp}/airunway-try.XXXXXX")
export AIRUNWAY_PLAYGROUND_DIR

# The plugin from source, by the name it has for kubectl.
airunway() {
  node bin/kubectl-airunway.ts "$@"
}

# Shows a command as a user would type it, and runs it. Exit code 4 says that there are only warnings.
show() {
  printf '\n$ kubectl airunway %s\n' "$*"
  status=0
  airunway "$@" || status=$?
  if [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then exit "$status"; fi
}

cleanup() {
  airunway playground down >/dev/null 2>&1 || true
  rm -rf "$AIRUNWAY_PLAYGROUND_DIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

show playground up
eval "$(airunway playground env)"
show preflight --to v0.2.0
show upgrade --to v0.2.0 --hold-storage --yes
show rollback --yes
# For good: stored objects move last, which takes as long as a late write may.
show upgrade --to v0.2.0 --yes
show history
show preflight
