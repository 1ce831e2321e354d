package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// noop is a handler that does nothing: what Caddy itself takes for a handler.
type noop struct{}

func (noop) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.geosegment_test_noop", New: func() caddy.Module { return new(noop) }}
}

func (noop) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}

func init() {
	caddy.RegisterModule(noop{})
}

// browserHeaders are what Chrome sends with a page's request. How many there
// are matters: setting headers makes a smaller map grow, for whichever handler.
var browserHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Cookie", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile",
	"Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Upgrade-Insecure-Requests", "User-Agent",
}

// Stands for what geosegment adds to a request: the whole way through Caddy's
// server, with a handler that does nothing, with the built-in headers handler
// setting nine static request headers, and with geosegment setting its nine.
// Run: go test -bench Request -count 10 ./caddymodule
func BenchmarkRequest(b *testing.B) {
	const static = `{"handler":"headers","request":{"set":{"X-A":["a"],"X-B":["b"],"X-C":["c"],"X-D":["d"],"X-E":["e"],"X-F":["f"],"X-G":["g"],"X-H":["h"],"X-I":["i"]}}}`
	for _, bench := range []struct{ name, match, handler string }{
		{"nothing", ``, `{"handler":"geosegment_test_noop"}`},
		{"headers", ``, static},
		{"geosegment", ``, `{"handler":"geosegment"}`},
		{"geosegment with rewrite", ``, `{"handler":"geosegment","rewrites":[{"segment":"near_milan","uri":"/stores/{store.code}{http.request.uri}"}]}`},
		{"segment matcher", `"match":[{"segment":{"names":["near_milan"]}}],`, `{"handler":"geosegment_test_noop"}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			config, err := adapt(options(b, segments) + ":" + freePort(b) + " {\nrespond 204\n}\n")
			if err != nil {
				b.Fatal(err)
			}
			route := `{` + bench.match + `"handle":[` + bench.handler + `]},`
			text := strings.Replace(string(config), `"routes":[`, `"routes":[`+route, 1)
			if !json.Valid([]byte(text)) || !strings.Contains(text, bench.handler) {
				b.Fatalf("the route is not in %s", text)
			}
			runJSON(b, []byte(text))
			app, err := caddy.ActiveContext().App("http")
			if err != nil {
				b.Fatal(err)
			}
			server := app.(*caddyhttp.App).Servers["srv0"]
			response := httptest.NewRecorder()
			template := httptest.NewRequest(http.MethodGet, "http://shop.example/shoes?size=42", nil)
			template.RemoteAddr = milan + ":4711"
			for _, name := range browserHeaders {
				template.Header.Set(name, "something of usual length")
			}
			b.ReportAllocs()
			for b.Loop() {
				server.ServeHTTP(response, template.Clone(template.Context()))
			}
			if response.Code != http.StatusNoContent {
				b.Fatalf("status %d", response.Code)
			}
		})
	}
}
