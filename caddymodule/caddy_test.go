package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/geosegment/caddy-geosegment/caddymodule"
	"github.com/geosegment/caddy-geosegment/geo/geotest"
)

// Tests here run a real Caddy in this process, on ports of the loopback
// interface. Its configuration is global, so they do not run in parallel.

const (
	milan     = "81.2.69.142"
	rome      = "81.2.70.1"
	saoPaulo  = "81.2.71.1"
	amsterdam = "2a02:d000::1"
	nowhere   = "203.0.113.9"
)

const storesCSV = `code,name,lat,lng,url,opening
MI01,Acme Duomo,45.4641,9.1919,https://shop.example/duomo,9-19
R/M 01?,Acme Roma,41.9028,12.4964,,10-20
AMS1,Acme Dam,52.3731,4.8926,https://shop.example/dam,
`

// writeFile writes a file into a folder of the test and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// databaseFile is a file with the visitors above.
func databaseFile(t testing.TB) string {
	t.Helper()
	return geotest.File(t, 6, geotest.Records{
		"81.2.69.0/24":   geotest.City("IT", "25", "Lombardy", "Milan", 45.4643, 9.18951, 20),
		"81.2.70.0/24":   geotest.City("IT", "62", "Lazio", "Rome", 41.9, 12.5, 5),
		"81.2.71.0/24":   geotest.City("BR", "SP", "São Paulo", "São Paulo", -23.55, -46.63, 1),
		"2a02:d000::/32": geotest.City("NL", "NH", "North Holland", "Amsterdam", 52.3731, 4.8926, 100),
	})
}

const segments = `
		segment near_milan "Shoppers near Milan" {
			within 5km of 45.4642,9.19
		}
		segment italy {
			country IT
		}
		segment abroad {
			not country IT
		}
		segment lost {
			unlocated
		}`

// options is a global options block with a database, stores and segments, and
// whatever is added inside of geosegment's block.
func options(t testing.TB, extra string) string {
	t.Helper()
	return fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	grace_period 1s
	log {
		output discard
	}
	servers {
		trusted_proxies static 127.0.0.1/8
		trusted_proxies_strict
		expected_underscore_headers X_Segments X_Store_* x_geo_country
		expected_dot_headers X.Segments
	}
	geosegment {
		database %s %s
		stores %s
		%s
	}
}
`, databaseFile(t), geotest.File(t, 4, geotest.Records{"198.51.100.0/24": geotest.ASN(64500, "Example")}), writeFile(t, "stores.csv", storesCSV), extra)
}

// freePort is a port that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// seen is what a backend got.
type seen struct {
	URI    string
	Header http.Header
}

// backend is a server that answers with what it got.
func backend(t testing.TB) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Want-Status") == "502" {
			panic(http.ErrAbortHandler)
		}
		_ = json.NewEncoder(w).Encode(seen{r.RequestURI, r.Header})
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func adapt(text string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	return config, err
}

// run starts Caddy with a Caddyfile.
func run(t testing.TB, caddyfile string) {
	t.Helper()
	config, err := adapt(caddyfile)
	if err != nil {
		t.Fatalf("%v\n%s", err, caddyfile)
	}
	runJSON(t, config)
}

func runJSON(t testing.TB, config []byte) {
	t.Helper()
	if err := caddy.Load(config, true); err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	t.Cleanup(func() { _ = caddy.Stop() })
}

// request makes a request as a client with these headers, "Name: value" each.
// It writes header names as they are, which http.Client would not.
func request(t testing.TB, port, target string, headers ...string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := "GET " + target + " HTTP/1.1\r\nHost: shop.example\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	if !strings.Contains(text, "\r\nConnection:") {
		text += "Connection: close\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := readResponse(conn)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.body
}

// visit is a request by a visitor from an address that reaches a backend.
func visit(t testing.TB, port, from, target string, headers ...string) seen {
	t.Helper()
	status, body := request(t, port, target, append(headers, "X-Forwarded-For: "+from)...)
	var s seen
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%s from %s: status %d, body %q", target, from, status, body)
	}
	return s
}
