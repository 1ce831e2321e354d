// Package geosegment adds edge personalization by location to Caddy. Importing
// it registers the app, the handler and the matcher:
//
//	xcaddy build --with github.com/geosegment/caddy-geosegment
//
// The packages below it work without Caddy: geo locates and measures, store
// finds stores, segment decides.
package geosegment

import (
	_ "github.com/geosegment/caddy-geosegment/caddymodule" // registers the Caddy modules
)
