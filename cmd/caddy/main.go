// Command caddy is Caddy with geosegment, for `go run ./cmd/caddy`.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/geosegment/caddy-geosegment"
)

func main() {
	caddycmd.Main()
}
