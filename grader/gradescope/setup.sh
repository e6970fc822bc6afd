#!/usr/bin/env bash
# Gradescope runs this once, as root, while it builds the autograder's image (base image: Ubuntu 22.04 or later).
# Everything is installed here, because there may be no network while a submission is graded.
set -euo pipefail
apt-get update
apt-get install -y --no-install-recommends make python3.11 python3.11-venv python3.11-dev util-linux iproute2
cd /autograder/source/project
make setup PYTHON=python3.11
# Where Gradescope's container refuses namespaces, a submission runs as another user beside these files.
chmod -R go= notebooks flink_app producer data tests benchmarks
