# Shell functions that ./run, ./test and .ci/run share. Sourced, never run, by scripts with `set -euo pipefail`.

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
die() { printf '✗ %s\n' "$*" >&2; exit 1; }

# install_packages PROFILE...: installs what is missing of the profiles' Debian packages.
install_packages() {
    local wanted missing=() package
    wanted=$(awk -v profiles=" $* " '!/^#/ && NF && index(profiles, " " $1 " ") {print $2}' "$root/scripts/packages.txt")
    local installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | awk '$2 == "installed" {print $1}')
    for package in $wanted; do
        grep -qxF "$package" <<<"$installed" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# apt_install PACKAGE...: asks nothing; who is not root goes through sudo.
apt_install() {
    command -v apt-get >/dev/null || die "These packages are missing and there is no apt-get: $*"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "Run this once as root, or install sudo: packages are missing ($*)"
        sudo=(sudo)
    fi
    say "installing $# packages"
    "${sudo[@]}" apt-get update -qq || die "apt-get update failed: check the network and try again"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        die "apt-get could not install: $*"
}

# ensure_node: puts a Node of version 22 or later on PATH; npm's own package brings one where the machine's is older.
ensure_node() {
    local major
    major=$({ node --version 2>/dev/null || true; } | sed 's/^v\([0-9]*\).*/\1/')  # none at all is no failure yet
    if [ "${major:-0}" -ge 22 ] && command -v npm >/dev/null; then return 0; fi
    local machine
    case "$(uname -m)" in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) die "There is no prebuilt Node 22 for $(uname -m): install Node 22 and run this again" ;;
    esac
    local home="$root/.cache/node"
    if [ ! -x "$home/package/bin/node" ]; then
        command -v npm >/dev/null || apt_install nodejs npm
        say "fetching Node 22 into .cache/node"
        mkdir -p "$home"
        (cd "$home" && npm pack --loglevel=error "node-linux-$machine@22" >/dev/null && tar xzf node-linux-*.tgz && rm -f node-linux-*.tgz) ||
            die "npm could not fetch node-linux-$machine@22 (above is why); Node 22 on PATH is used instead where there is one"
    fi
    export PATH="$home/package/bin:$PATH"
}

# run_help: what ./run takes, of the executable where there is one, else of the page that it once wrote.
run_help() {
    if [ -x "$root/build/release/bin/lingxi" ]; then "$root/build/release/bin/lingxi" --help; return; fi
    echo "./run [settings] installs what is missing, builds, and starts Lingxi; ./run --demo starts a lived-in example."
    echo
    echo "Settings (also as LINGXI_NAME, or name = value in a TOML file given by --config):"
    awk -F' [|] ' '/^[|] `--/ {
        gsub(/`|[\\]/, ""); sub(/^[|] /, ""); sub(/ [|]$/, "")
        printf "  %s %s%s\n      %s\n", $1, $4, ($5 ~ /[^ ]/ ? " (" $5 ")" : ""), $6
    }' "$root/docs/settings.md"
}

# build_native PRESET [TARGET...]
build_native() {
    local preset=$1
    shift
    # Fresh: a configure that failed leaves a cache that still names the compiler of that time.
    [ -f "$root/build/$preset/build.ninja" ] || (cd "$root" && cmake --fresh --preset "$preset" >/dev/null) ||
        die "cmake could not configure the $preset build (above is why)"
    # On a terminal one line that changes; in a log each fiftieth step.
    local is_terminal=0
    [ -t 2 ] && is_terminal=1
    ninja -C "$root/build/$preset" "$@" | awk -v is_terminal="$is_terminal" '
        /^ninja: (no work|Entering)/ {next}
        /^\[/ && is_terminal {printf "\r\033[K%s", substr($0, 1, 110) > "/dev/stderr"; shown = 1; next}
        /^\[/ {if (++steps % 50 == 0) print substr($0, 1, 110) > "/dev/stderr"; next}
        {print > "/dev/stderr"}
        END {if (shown) print "" > "/dev/stderr"}' || die "the build failed"
}

# build_web: builds the web client unless what it is made of is unchanged.
build_web() {
    local stamp now
    stamp="$root/web/dist/.built-from"
    now=$(cd "$root/web" && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return 0
    ensure_node
    install_web_packages
    say "building the web client"
    (cd "$root/web" && npm run --silent build >&2) || die "the web client did not build"
    echo "$now" >"$stamp"
}

install_web_packages() {
    local lock
    lock=$(sha256sum "$root/web/package-lock.json" | cut -d' ' -f1)
    [ -f "$root/web/node_modules/.lock" ] && [ "$(cat "$root/web/node_modules/.lock")" = "$lock" ] && return 0
    say "installing the web client's packages"
    (cd "$root/web" && npm ci --loglevel=error --no-audit --no-fund >&2) || die "npm ci failed in web/"
    echo "$lock" >"$root/web/node_modules/.lock"
}
