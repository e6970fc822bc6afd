#!/usr/bin/env bash
# Writes autograder.zip, to be uploaded to Gradescope: the project as it is committed, setup.sh and run_autograder.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$(pwd)/autograder.zip"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/project"
git -C "$here/../.." archive HEAD | tar -x -C "$work/project"
cp "$here/setup.sh" "$here/run_autograder" "$work"
chmod +x "$work/setup.sh" "$work/run_autograder"
python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1].removesuffix(".zip"), "zip", sys.argv[2])' "$out" "$work"
echo "$out"
