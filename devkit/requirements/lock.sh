#!/bin/sh
# Locks every requirements file again, in the order in which they constrain each other, and
# Azurite's package-lock.json. Options go to uv: ./lock.sh --upgrade, --upgrade-package NAME.
set -eu
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
uv=${UV:-${FRONTDESK_STATE:-$root/.frontdesk}/uv/bin/uv}
[ -x "$uv" ] || { echo "$uv is missing: ./frontdesk doctor installs it" >&2; exit 1; }

lock() {
    source=$1
    output=$2
    shift 2
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-emit-index-url --custom-compile-command devkit/requirements/lock.sh \
        --output-file "$output" "$@" "$source"
}

lock app.in ../../requirements.txt "$@"
lock local.in local.txt "$@"
lock dev.in dev.txt "$@"
lock model.in model.txt --no-deps "$@"
lock node.in node.txt "$@"
lock uv.in uv.txt "$@"

cd ../azurite
npm install --package-lock-only
