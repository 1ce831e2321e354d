package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/geosegment/caddy-geosegment"
)

// requests: what a request through Caddy's server costs more.
func (b *bench) requests() error {
	site := func(port int, directives string) string {
		return fmt.Sprintf("http://127.0.0.1:%d {\n%s\nrespond 204\n}\n", port, directives)
	}
	var static string
	for i := range 9 {
		static += fmt.Sprintf("request_header X-Static-%d value\n", i)
	}
	text := "{\nadmin off\npersist_config off\nlog {\noutput discard\n}\nservers {\ntrusted_proxies static private_ranges\n}\ngeosegment {\ndatabase " + b.ipv4 +
		"\nsegment near_milan {\nwithin 50km of 45.46,9.19\n}\n}\n}\n" +
		site(9471, "") + site(9472, "geosegment") + site(9473, static)
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), nil)
	if err != nil {
		return err
	}
	// One handler with nine headers, as geosegment is one handler.
	for i := 1; i < 9; i++ {
		config = bytes.ReplaceAll(config, fmt.Appendf(nil, `]}}},{"handler":"headers","request":{"set":{"X-Static-%d":`, i), fmt.Appendf(nil, `],"X-Static-%d":`, i))
	}
	if err := caddy.Load(config, true); err != nil {
		return err
	}
	defer func() { _ = caddy.Stop() }()
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		return err
	}
	through := func(name string, port int) side {
		var server *caddyhttp.Server
		for _, s := range app.(*caddyhttp.App).Servers {
			if s.Listen[0] == fmt.Sprintf(":%d", port) {
				server = s
			}
		}
		template := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/shoes?size=42", port), nil)
		template.RemoteAddr = "93.40.1.1:4711"
		for _, header := range []string{"Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Referer", "Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform",
			"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Upgrade-Insecure-Requests", "User-Agent", "Cache-Control"} {
			template.Header.Set(header, "something of usual length")
		}
		return side{name, func(k int) {
			response := httptest.NewRecorder()
			for range k {
				server.ServeHTTP(response, template.Clone(template.Context()))
			}
			if response.Code != http.StatusNoContent {
				panic(response.Code)
			}
		}}
	}
	nothing, ours, headers := through("no handler", 9471), through("geosegment", 9472), through("headers, nine static values", 9473)
	compare("a request, with all default headers", ours, nothing)
	compare("a request, with all default headers", ours, headers)
	return nil
}
