#!/usr/bin/env bash
# Builds ./caddy, which is Caddy with geosegment from this checkout.
#
#   ./xcaddy.sh                 build
#   ./xcaddy.sh run             build if needed, and run Caddyfile.example
#   ./xcaddy.sh ARGUMENTS...    build if needed, and pass the arguments to Caddy
set -euo pipefail

module=github.com/geosegment/caddy-geosegment
caddy_version=v2.11.9
xcaddy_version=v0.4.5

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binary=$root/caddy

# needed is true when there is no binary, or a source is newer than it.
needed() {
	[ ! -x "$binary" ] || [ -n "$(find "$root" -newer "$binary" -type f \
		\( -name '*.go' -o -name go.mod -o -name go.sum -o -path "$root/geo/*" \) -not -name '*_test.go' -print -quit)" ]
}

build() {
	# The version is needed for a checkout that no module proxy knows.
	(cd "$root" && go run "github.com/caddyserver/xcaddy/cmd/xcaddy@$xcaddy_version" build "$caddy_version" \
		--with "$module@v0.0.0=." --output "$binary")
}

if [ $# -eq 0 ]; then
	build
	exit
fi
if needed; then
	build
fi
if [ $# -eq 1 ] && [ "$1" = run ]; then
	cd "$root"
	exec "$binary" run --config Caddyfile.example
fi
exec "$binary" "$@"
