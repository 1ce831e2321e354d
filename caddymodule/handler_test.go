package caddymodule_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/geosegment/caddy-geosegment/geo/geotest"
)

type response struct {
	*http.Response
	body string
}

func readResponse(conn net.Conn) (response, error) {
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return response{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return response{r, string(body)}, err
}

// personal are the headers of ours among those that a backend got, in one line.
func personal(h http.Header) string {
	var list []string
	for name, values := range h {
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "X-Forwarded-") || strings.ContainsAny(name, "_.") {
			list = append(list, name+"="+strings.Join(values, "|"))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestHeadersAndRewrites(t *testing.T) {
	port := freePort(t)
	run(t, options(t, segments)+":"+port+` {
	geosegment {
		header X-Org {geo.org}
		header X-Where "{geo.lat} {geo.lng}"
		header X-Mixed "100% {geo.city}/{http.request.uri.query.q}"
		rewrite near_milan /milan/{store.code}{uri}
		rewrite italy /stores/{store.code}/{geo.city}{path}?from={geo.city}
		rewrite abroad /abroad/{store.opening}{uri}
		rewrite abroad /world/{geo.city}
	}
	reverse_proxy `+backend(t)+"\n}\n")
	for _, tt := range []struct{ from, target, uri, headers string }{
		{
			milan, "/shoes?size=42&q=%0a%25", "/milan/MI01/shoes?size=42&q=%0a%25",
			"X-Geo-Accuracy-Km=20 X-Geo-City=Milan X-Geo-Country=IT X-Geo-Region=IT-25 X-Geo-Timezone=Europe/Rome X-Mixed=100% Milan/%0A%25" +
				" X-Segment-Primary=near_milan X-Segments=near_milan,italy X-Store-Code=MI01 X-Store-Distance-Km=0.2 X-Where=45.4643 9.18951",
		},
		{
			rome, "/a%2Fb/c%20d?x=1", "/stores/R%2FM%2001%3F/Rome/a%2Fb/c%20d?from=Rome",
			"X-Geo-Accuracy-Km=5 X-Geo-City=Rome X-Geo-Country=IT X-Geo-Region=IT-62 X-Geo-Timezone=Europe/Rome X-Mixed=100% Rome/" +
				" X-Segment-Primary=italy X-Segments=italy X-Store-Code=R/M 01? X-Store-Distance-Km=0.4 X-Where=41.9 12.5",
		},
		{
			saoPaulo, "/", "/abroad/10-20/",
			"X-Geo-Accuracy-Km=1 X-Geo-City=S%C3%A3o Paulo X-Geo-Country=BR X-Geo-Region=BR-SP X-Geo-Timezone=Europe/Rome X-Mixed=100% S%C3%A3o Paulo/" +
				" X-Segment-Primary=abroad X-Segments=abroad X-Store-Code=R/M 01? X-Store-Distance-Km=9476.4 X-Where=-23.55 -46.63",
		},
		{ // AMS1 has no opening: the rewrite is skipped, and the query stays
			amsterdam, "/x?y=1", "/world/Amsterdam?y=1",
			"X-Geo-Accuracy-Km=100 X-Geo-City=Amsterdam X-Geo-Country=NL X-Geo-Region=NL-NH X-Geo-Timezone=Europe/Rome X-Mixed=100% Amsterdam/" +
				" X-Segment-Primary=abroad X-Segments=abroad X-Store-Code=AMS1 X-Store-Distance-Km=0.0 X-Where=52.3731 4.8926",
		},
		{nowhere, "/x", "/x", "X-Segment-Primary=lost X-Segments=lost"},
		{"10.1.2.3", "/x", "/x", "X-Segment-Primary=lost X-Segments=lost"},
		{"rubbish", "/x", "/x", "X-Segment-Primary=lost X-Segments=lost"},
		{"198.51.100.7", "/x", "/x", "X-Org=Example X-Segment-Primary=lost X-Segments=lost"},
	} {
		got := visit(t, port, tt.from, tt.target)
		if got.URI != tt.uri {
			t.Errorf("%s from %s reaches %s, want %s", tt.target, tt.from, got.URI, tt.uri)
		}
		if p := personal(got.Header); p != tt.headers {
			t.Errorf("from %s:\n got %s\nwant %s", tt.from, p, tt.headers)
		}
		for name, values := range got.Header {
			if decoded, err := url.PathUnescape(values[0]); strings.HasPrefix(name, "X-Geo-") && (err != nil || decoded == "") {
				t.Errorf("%s: %q does not decode: %v", name, values[0], err)
			}
		}
	}
}

func TestPrefixAndHeadersOff(t *testing.T) {
	port, backend := freePort(t), backend(t)
	run(t, options(t, segments)+":"+port+` {
	handle /acme* {
		geosegment {
			prefix X-Acme-
		}
		reverse_proxy `+backend+`
	}
	handle /off* {
		geosegment {
			headers off
			header X-Only {geo.country}
		}
		reverse_proxy `+backend+`
	}
	handle {
		reverse_proxy `+backend+`
	}
}
`)
	forged := []string{"X-Acme-Segments: forged", "X-Segments: forged", "x-acme_store.code: forged", "X-Only: forged", "X-Other: kept"}
	for target, want := range map[string]string{
		"/acme": "X-Acme-Segment-Primary=lost X-Acme-Segments=lost X-Only=forged X-Other=kept",
		"/off":  "X-Other=kept",
		"/else": "X-Only=forged X-Other=kept", // X-Only is the operator's, and means something in /off alone
	} {
		if got := personal(visit(t, port, nowhere, target, forged...).Header); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	if got, want := personal(visit(t, port, rome, "/off", forged...).Header), "X-Only=IT X-Other=kept"; got != want {
		t.Errorf("/off: %s, want %s", got, want)
	}
}

// forgeries are ways to send our headers.
var forgeries = []string{
	"X-Segments: forged", "x-segments: forged", "X_Segments: forged", "X.Segments: forged", "X-SEGMENT_primary: forged",
	"X.Store.Code: forged", "X_Store_Code: forged", "X-Store_Distance.Km: 0", "x_geo_country: US", "X-Geo-Country: US",
	"X-Geo~City: forged", "X-Geo|Region: forged", "X!Geo-Timezone: forged",
}

// Every kind of site, and every way through it, with every forgery: nothing
// of it may reach the backend.
func TestForgedHeadersNeverReachTheBackend(t *testing.T) {
	backend := backend(t)
	proxy := "reverse_proxy " + backend
	for name, site := range map[string]string{
		"handler":                        "geosegment\n" + proxy,
		"handler in one path":            "handle /a* {\ngeosegment\n" + proxy + "\n}\nhandle {\n" + proxy + "\n}",
		"handler with a matcher":         "@a path /a*\ngeosegment @a\n" + proxy,
		"matcher only":                   "@m segment italy\nheader @m X-Campaign summer\n" + proxy,
		"matcher only, behind a path":    "@m {\npath /a*\nsegment italy\n}\nheader @m X-Campaign summer\n" + proxy,
		"matcher under not":              "@m {\npath /a*\nnot segment italy\n}\nheader @m X-Campaign summer\n" + proxy,
		"matcher in an expression":       "@m expression `path('/a*') && segment('italy')`\nheader @m X-Campaign summer\n" + proxy,
		"expression with a blank":        "@m expression `path('/a*') && segment ('italy')`\nheader @m X-Campaign summer\n" + proxy,
		"expression with a line break":   "@m expression `path('/a*') && segment\n\t('italy')`\nheader @m X-Campaign summer\n" + proxy,
		"expression under not":           "@m not expression `path('/a*') && segment('italy')`\nheader @m X-Campaign summer\n" + proxy,
		"matcher in a nested route":      "handle /a* {\n@m segment italy\nheader @m X-Campaign summer\n" + proxy + "\n}\nhandle {\n" + proxy + "\n}",
		"matcher behind a terminal":      "handle /b* {\n" + proxy + "\n}\nhandle {\n@m segment italy\nheader @m X-Campaign summer\n" + proxy + "\n}",
		"error route":                    "@m segment lost\nerror @m 404\nerror /b* 500\n" + proxy + "\nhandle_errors {\n" + proxy + "\n}",
		"error route, handler there":     "error 404\nhandle_errors {\ngeosegment\n" + proxy + "\n}",
		"error route, matcher there":     "error 404\nhandle_errors {\n@m segment italy\nheader @m X-Campaign summer\n" + proxy + "\n}",
		"error route after the handler":  "geosegment\nerror /b* 404\n" + proxy + "\nhandle_errors {\n" + proxy + "\n}",
		"named route":                    "invoke shared",
		"named route beside the handler": "geosegment\ninvoke shared",
	} {
		for _, host := range []string{"", "http://shop.example"} {
			port := freePort(t)
			caddyfile := options(t, segments) + "&(shared) {\n@m segment italy\nheader @m X-Campaign summer\n" + proxy + "\n}\n" + host + ":" + port + " {\n" + site + "\n}\n"
			run(t, caddyfile)
			for _, target := range []string{"/a", "/b", "/c?d"} {
				for _, from := range []string{rome, amsterdam, nowhere, "rubbish"} {
					// Each forgery by itself and all at once; Caddy drops some that come together.
					for _, forged := range append([][]string{forgeries}, slices.Collect(slices.Chunk(forgeries, 1))...) {
						got := visit(t, port, from, target, append(slices.Clone(forged), "X-Other: kept")...)
						for header, values := range got.Header {
							if value := strings.Join(values, "|"); strings.Contains(value, "forged") || value == "US" || value == "0" {
								t.Fatalf("%s (host %q): %v from %s to %s: the backend got %s: %s", name, host, forged, from, target, header, value)
							}
						}
						if got.Header.Get("X-Other") != "kept" {
							t.Fatalf("%s: a header that is not ours was lost: %v", name, got.Header)
						}
					}
				}
			}
		}
	}
}

// Trailers come after the headers were stripped, declared or not.
func TestForgedTrailersNeverReachTheBackend(t *testing.T) {
	trailers := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		trailers <- r.Trailer.Clone()
	}))
	t.Cleanup(server.Close)
	proxy := "reverse_proxy " + server.Listener.Addr().String()
	for name, site := range map[string]string{
		"handler":       "geosegment {\nheader X-Mine {geo.country}\n}\n" + proxy,
		"not mounted":   "geosegment /a*\n" + proxy,
		"matcher":       "@m segment italy\nheader @m X-Campaign summer\n" + proxy,
		"error route":   "@m segment italy\nerror @m 404\nhandle_errors {\n" + proxy + "\n}",
		"body buffered": "geosegment\n" + proxy + " {\nrequest_buffers 1MB\n}",
	} {
		port := freePort(t)
		run(t, options(t, segments)+":"+port+" {\n"+site+"\n}\n")
		for _, declared := range []string{"Foo", "Foo, X-Segments", "X-Segments"} {
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "POST /b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nX-Forwarded-For: "+rome+
				"\r\nTransfer-Encoding: chunked\r\nTrailer: "+declared+"\r\n\r\n3\r\nabc\r\n0\r\nFoo: bar\r\nX-Segments: forged\r\nx_store_code: forged\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := readResponse(conn); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = conn.Close()
			got := <-trailers
			for header, values := range got {
				if slices.Contains(values, "forged") {
					t.Errorf("%s: Trailer: %s: the backend got the trailer %s: %s", name, declared, header, values)
				}
			}
			if strings.Contains(declared, "Foo") && got.Get("Foo") != "bar" {
				t.Errorf("%s: Trailer: %s: the backend got %v, want Foo: bar among them", name, declared, got)
			}
		}
	}
}

// A header of the operator's own that is named like ours is safe everywhere.
func TestReservedHeadersAreStrippedEverywhere(t *testing.T) {
	port := freePort(t)
	run(t, options(t, segments)+":"+port+" {\ngeosegment /a* {\nheader X-Geo-Lat {geo.lat}\n}\nreverse_proxy "+backend(t)+"\n}\n")
	for target, want := range map[string]string{"/a": "41.9", "/b": ""} {
		if got := visit(t, port, rome, target, "x-geo-LAT: forged", "X-Forwarded-Proto: https").Header; got.Get("X-Geo-Lat") != want {
			t.Errorf("%s: the backend got %s", target, personal(got))
		}
	}
}

// `Connection: X-Segments` asks proxies to drop the header before the backend.
func TestConnectionCannotDropHeaders(t *testing.T) {
	port := freePort(t)
	run(t, options(t, segments)+":"+port+" {\ngeosegment\nreverse_proxy "+backend(t)+"\n}\n")
	for _, connection := range []string{"close, X-Segments", "X-Geo-Country,x_segments, close", "X-Segments, close\r\nConnection: X-Store-Code"} {
		got := visit(t, port, rome, "/", "Connection: "+connection)
		if got.Header.Get("X-Segments") != "italy" || got.Header.Get("X-Geo-Country") != "IT" || got.Header.Get("X-Store-Code") != "R/M 01?" {
			t.Errorf("Connection: %s: the backend got %s", connection, personal(got.Header))
		}
	}
}

// A handler behind us that changes values in place changes its own request only.
func TestHeadersAreNotShared(t *testing.T) {
	port := freePort(t)
	run(t, options(t, segments)+":"+port+" {\ngeosegment\n@once query once=1\nrequest_header @once X-Segments ita HACKED\nrequest_header @once +X-Segments more\nreverse_proxy "+backend(t)+"\n}\n")
	if got := visit(t, port, rome, "/?once=1").Header.Values("X-Segments"); !slices.Equal(got, []string{"HACKEDly", "more"}) {
		t.Fatalf("the test's own change does not work: %q", got)
	}
	if got := visit(t, port, rome, "/").Header.Values("X-Segments"); !slices.Equal(got, []string{"italy"}) {
		t.Errorf("the next request got %q, want italy", got)
	}
}

func TestMatcher(t *testing.T) {
	for name, matcher := range map[string]string{
		"matcher":     "segment near_milan abroad",
		"two lines":   "{\nsegment near_milan\nsegment abroad\n}",
		"not":         "{\nnot segment italy lost\n}\nrespond @m yes\n@n segment near_milan\nrespond @n yes\n@m2",
		"expression":  "expression segment('near_milan', 'abroad')",
		"expression2": "expression `segment('near_milan') || segment('abroad')`",
	} {
		for _, handler := range []string{"", "geosegment\n"} {
			port := freePort(t)
			site := handler + "@m " + matcher
			if strings.HasSuffix(site, "@m2") {
				site = strings.TrimSuffix(site, "@m2")
			} else {
				site += "\nrespond @m yes"
			}
			run(t, options(t, segments)+":"+port+" {\n"+site+"\nrespond no\n}\n")
			for from, want := range map[string]string{milan: "yes", rome: "no", amsterdam: "yes", saoPaulo: "yes", nowhere: "no"} {
				if _, got := request(t, port, "/", "X-Forwarded-For: "+from); got != want {
					t.Errorf("%s with handler %q from %s: %s, want %s", name, handler, from, got, want)
				}
			}
		}
	}
}

func TestPlaceholders(t *testing.T) {
	const text = "{geo.country}|{geo.region}|{geo.region_name}|{geo.city}|{geo.city_id}|{geo.postal}|{geo.continent}|{geo.eu}|{geo.timezone}|" +
		"{geo.lat}|{geo.lng}|{geo.accuracy_km}|{geo.asn}|{geo.org}|{geo.source}|{segment.names}|{segment.primary}|{segment.is.italy}|{segment.is.nothing}|" +
		"{store.code}|{store.name}|{store.distance_km}|{store.url}|{store.nothing}|{geo.nothing}"
	port := freePort(t)
	run(t, options(t, segments)+":"+port+" {\ngeosegment\nmap {geo.country} {greeting} {\nIT ciao\ndefault hello\n}\nrespond \"{greeting}|"+text+"\"\n}\n")
	for from, want := range map[string]string{
		milan: "ciao|IT|IT-25|Lombardy|Milan|3173435|20121|EU|true|Europe/Rome|45.4643|9.18951|20|||database|near_milan,italy|near_milan|true||" +
			"MI01|Acme Duomo|0.2|https://shop.example/duomo||",
		saoPaulo: "hello|BR|BR-SP|São Paulo|São Paulo|3173435|20121|EU|false|Europe/Rome|-23.55|-46.63|1|||database|abroad|abroad|false||" +
			"R/M 01?|Acme Roma|9476.4|||",
		nowhere: "hello||||||||||||||||lost|lost|false|||||||",
	} {
		if _, got := request(t, port, "/", "X-Forwarded-For: "+from); got != want {
			t.Errorf("from %s:\n got %s\nwant %s", from, got, want)
		}
	}
}

func TestUnixSocketIsUnlocated(t *testing.T) {
	socket := t.TempDir() + "/caddy.sock"
	run(t, options(t, segments)+"http://shop.example {\nbind unix/"+socket+"\ngeosegment\nrespond {segment.names}\n}\n")
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if r, err := readResponse(conn); err != nil || r.body != "lost" {
		t.Errorf("a visitor on a Unix socket is in %q, %v, want lost", r.body, err)
	}
}

// Wrong configurations are refused, and Caddy keeps running on the old one.
func TestLoadErrors(t *testing.T) {
	port := freePort(t)
	run(t, options(t, segments)+":"+port+" {\nrespond old\n}\n")
	db := databaseFile(t)
	good := writeFile(t, "stores.csv", storesCSV)
	global := func(block string) string {
		return "{\nadmin off\ngeosegment {\n" + block + "\n}\n}\n:" + port + " {\nrespond new\n}\n"
	}
	site := func(block string) string {
		return options(t, segments) + ":" + port + " {\n" + block + "\nrespond new\n}\n"
	}
	database := "database " + db + "\n"
	for name, tt := range map[string]struct{ caddyfile, want string }{
		"missing database":   {global("database nowhere.mmdb"), "database nowhere.mmdb: no such file or directory"},
		"empty database":     {global("database " + writeFile(t, "x.mmdb", "")), "x.mmdb: the file is empty"},
		"not a database":     {global("database " + good), "stores.csv: not a complete MaxMind-DB (.mmdb) file"},
		"database argument":  {global("database"), "database needs a file"},
		"two databases":      {global(database + database), "database is there twice: put all files on one line"},
		"nine databases":     {global("database" + strings.Repeat(" "+db, 9)), "9 databases, but at most 8"},
		"unknown option":     {global("databse x"), `unknown geosegment option "databse": did you mean database?`},
		"option's block":     {global("database x {\ny\n}"), "database takes no block"},
		"cache size":         {global(database + "cache_size many"), `cache_size "many": expected how many answers`},
		"accuracy":           {global(database + "default_accuracy 25"), `default_accuracy: length "25" has no unit`},
		"reload interval":    {global(database + "reload_interval soon"), `reload_interval "soon": expected a duration like 10s, at least 10ms, or off`},
		"reload too often":   {global(database + "reload_interval 1ns"), `reload_interval "1ns": expected a duration like 10s, at least 10ms, or off`},
		"nested too deep":    {global(database + "segment s {\n" + strings.Repeat("not ", 200) + "eu\n}"), "rules are nested more than 100 deep"},
		"missing stores":     {global(database + "stores nowhere.csv"), "stores nowhere.csv: no such file or directory"},
		"stores line":        {global(database + "stores " + writeFile(t, "s.csv", "code,name,lat,lng\nA,a,1,2\nA,b,1,2\n")), `s.csv: line 3: store "A" is there twice`},
		"places line":        {global(database + "places " + writeFile(t, "p.csv", "name,lat,lng\nA,100,2\n")), `p.csv: line 2: place "A": latitude 100 is beyond 90`},
		"unknown rule":       {global(database + "segment s {\ncontry IT\n}"), `segment s: unknown rule "contry": did you mean country?, at Caddyfile:6`},
		"no value":           {global(database + "segment s {\ncountry\n}"), "segment s: country needs a value, like: country IT FR, at Caddyfile:6"},
		"unknown country":    {global(database + "segment s {\ncountry IT XX\n}"), `Caddyfile:6: segment s: country: unknown country "XX"`},
		"nested line":        {global(database + "segment s {\neu\nnot {\ncountry XX\n}\n}"), `Caddyfile:8: segment s: not: all: country: unknown country "XX"`},
		"unknown place":      {global(database + "places " + writeFile(t, "p.csv", "name,lat,lng\n\"Milan, IT\",45,9\n") + "\nsegment s {\nwithin 5km of \"Milanooo, IT\"\n}"), `unknown place "Milanooo, IT": did you mean "Milan, IT"?`},
		"unquoted place":     {global(database + "segment s {\nwithin 5km of Milan, IT\n}"), `within: "Milan," is no city: write "Milan, IT" in quotes`},
		"within without of":  {global(database + "segment s {\nwithin Milan\n}"), `segment s: within: expected a length, "of" and a place`},
		"confidence":         {global(database + "segment s {\nwithin 5km of 1,2 confidence\n}"), "within: expected a percentage at the end"},
		"confidence place":   {global(database + "segment s {\nwithin 5km of confidence 60%\n}"), "within: expected a percentage at the end"},
		"confidence percent": {global(database + "segment s {\nwithin 5km of 1,2 confidence 101%\n}"), `Caddyfile:6: segment s: within: confidence "101%": expected 1% to 99%`},
		"areas argument":     {global(database + "areas"), "areas needs a file: GeoJSON"},
		"areas feature":      {global(database + "areas " + writeFile(t, "a.json", `{"type":"Feature","properties":{"name":"A"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}}`)), `a.json: feature 1, "A": a ring has 2 positions`},
		"unknown area":       {global(database + "segment s {\nin_area Brera\n}"), `Caddyfile:6: segment s: in_area: unknown area "Brera": no areas are configured`},
		"radius unit":        {global(database + "segment s {\nwithin 5 of 1,2\n}"), `Caddyfile:6: segment s: within: length "5" has no unit`},
		"no rules":           {global(database + "segment s {\n}"), "Caddyfile:5: segment s has no rules"},
		"no segment name":    {global(database + "segment {\neu\n}"), "a segment needs a name"},
		"segment words":      {global(database + "segment s near Milan {\neu\n}"), "expected a name, and a description in quotes"},
		"twice":              {global(database + "segment s {\neu\n}\nsegment s {\neu\n}"), "Caddyfile:8: segment s is there twice, first at Caddyfile:5"},
		"match":              {global(database + "segment s {\nmatch some\neu\n}"), "match: expected all (all the rules) or any (one or more rules)"},
		"match twice":        {global(database + "segment s {\nmatch any\nmatch all\neu\n}"), "match is there twice"},
		"match in all":       {global(database + "segment s {\nall {\nmatch any\n}\n}"), `unknown rule "match"`},
		"not nothing":        {global(database + "segment s {\nnot\n}"), "not needs a rule"},
		"all inline":         {global(database + "segment s {\nall country IT\n}"), "all takes its rules in a block"},
		"any nothing":        {global(database + "segment s {\nany {\n}\n}"), "any needs rules in a block"},
		"rule's block":       {global(database + "segment s {\ncountry IT {\neu\n}\n}"), "country takes no block"},
		"eu with a value":    {global(database + "segment s {\neu yes\n}"), `eu takes no value; met "yes"`},
		"accuracy words":     {global(database + "segment s {\naccuracy 5 km\n}"), "segment s: accuracy needs one length: write 5km, without a blank"},
		"asn":                {global(database + "segment s {\nasn AS\n}"), `asn: "AS" is not a number`},
		"metro":              {global(database + "segment s {\nmetro\n}"), "metro needs a number"},
		"during":             {global(database + "segment s {\nduring\n}"), "during needs dates, days or hours"},
		"during twice":       {global(database + "segment s {\nduring Mon Tue\n}"), `segment s: during: "Mon Tue" is not understood: write Mon,Tue, at Caddyfile:6`},
		"during zone":        {global(database + "segment s {\nduring Mon zone\n}"), "during: zone needs a name"},
		"during hours twice": {global(database + "segment s {\nduring 09:00-12:00 14:00-18:00\n}"), `hours are there twice, "09:00-12:00" and "14:00-18:00"; write one line for each, under any`},
		"during to":          {global(database + "segment s {\nduring 2026-11-27 to 2026-11-30\n}"), "write 2026-11-27..2026-11-30"},
		"during half":        {global(database + "segment s {\nduring Mon-Fri 9am-5pm\n}"), `segment s: during: "9am-5pm" is not understood: write 09:00-17:00`},
		"length blank":       {global(database + "segment s {\nwithin 5 km of \"New York\" store\n}"), `segment s: within: met "within 5 km of New York store": write 5km, without a blank, as in: within 5km of "New York" store`},
		"length miles":       {global(database + "segment s {\nwithin 5 miles of Milan\n}"), "write 5mi, without a blank, as in: within 5mi of Milan"},
		"within from":        {global(database + "segment s {\nwithin 5km from Milan\n}"), "write within 5km of Milan, at Caddyfile:6"},
		"within nothing":     {global(database + "segment s {\nwithin 5km Milan\n}"), "write within 5km of Milan, at Caddyfile:6"},
		"within no length":   {global(database + "segment s {\nwithin a walk of Milan\n}"), `expected a length, "of" and a place, like`},
		"accuracy blank":     {global(database + "default_accuracy 25 km"), "default_accuracy needs one length: write 25km, without a blank"},
		"accuracy nothing":   {global(database + "default_accuracy"), "default_accuracy needs one length, like"},
		"asn commas":         {global(database + "segment s {\nasn AS1, 2\n}"), "asn: values are separated by blanks, without commas: write asn AS1 2"},
		"zip":                {global(database + "segment s {\nzip 20121\n}"), `segment s: unknown rule "zip": did you mean postal?`},
		"state":              {global(database + "segment s {\nnot state Oregon\n}"), `segment s: unknown rule "state": did you mean region?`},
		"town":               {global(database + "segment s {\ntown Milan\n}"), "did you mean city?"},
		"near":               {global(database + "segment s {\nNear Milan\n}"), `unknown rule "Near": did you mean within?`},
		"except":             {global(database + "segment s {\nexcept country IT\n}"), "did you mean not?"},
		"hours":              {global(database + "segment s {\nhours 9-17\n}"), "did you mean during?"},
		"or":                 {global(database + "segment s {\neu\nor\n}"), `unknown rule "or": write match any in the segment, or put the rules into any { }`},
		"and":                {global(database + "segment s {\neu\nand\n}"), "leave it out"},
		"capitals":           {global(database + "segment s {\nCountry DE\n}"), `unknown rule "Country": names of rules are lower case: write country`},
		"option in segment":  {global(database + "segment s {\nstores x.csv\n}"), `unknown rule "stores": it is an option, and belongs before or behind the segment`},
		"rule in options":    {global(database + "country DE"), "country is a rule, and belongs into a segment { }"},
		"rewrite in options": {global(database + "rewrite s /x"), "rewrite belongs into the site, as in: shop.example.com { geosegment { rewrite … } }"},
		"segment in site":    {site("geosegment {\nsegment s {\neu\n}\n}"), "segment belongs into the global options, at the start of the Caddyfile: { geosegment { segment … } }"},
		"stores in site":     {site("geosegment {\nstores s.csv\n}"), "stores belongs into the global options"},
		"rule in site":       {site("geosegment {\ncountry DE\n}"), "country is a rule, and belongs into a segment { } in the global options"},
		"places twice":       {global("places a\nplaces b"), "places is there twice: put all files on one line"},
		"stores twice":       {global("stores a\nstores b"), "stores is there twice"},
		"cycle":              {global(database + "segment a {\nsegment b\n}\nsegment b {\nsegment a\n}"), "Caddyfile:5: segment a refers to itself: a → b → a"},
		"unknown reference":  {global(database + "segment a {\nsegment b2\n}\nsegment b {\neu\n}"), `Caddyfile:6: segment a: segment: unknown segment "b2"`},
		"unknown store":      {global(database + "stores " + good + "\nsegment a {\nwithin 5km of store:MI02\n}"), `unknown store "MI02": did you mean MI01?`},
		"option argument":    {"{\ngeosegment now {\n}\n}\n", "wrong argument count"},
		"options twice":      {"{\ngeosegment {\n" + database + "}\ngeosegment {\n" + database + "}\n}\n", "the geosegment options are there twice"},
		"rewrite segment":    {site("geosegment {\nrewrite near_mila /x\n}"), `rewrite: unknown segment "near_mila": did you mean near_milan?`},
		"rewrite prefix":     {site("geosegment {\nrewrite italy /x/{stor.code}\n}"), "unknown placeholder {stor.code}: expected one that begins with geo. segment. store."},
		"rewrite key":        {site("geosegment {\nrewrite italy /x/{store.cod}\n}"), "unknown placeholder {store.cod}: did you mean {store.code}?"},
		"rewrite other key":  {site("geosegment {\nrewrite italy /x/{segment.everything}\n}"), "expected one of {segment.names} {segment.primary}"},
		"rewrite is":         {site("geosegment {\nrewrite italy /x/{segment.is.itly}\n}"), `unknown segment "itly": did you mean italy?`},
		"rewrite brace":      {site("geosegment {\nrewrite italy /x/{store.code\n}"), "has no closing brace"},
		"rewrite relative":   {site("geosegment {\nrewrite italy x\n}"), `"x": a URI to rewrite to begins with /`},
		"rewrite fragment":   {site("geosegment {\nrewrite italy \"/x#y\"\n}"), "has no fragment"},
		"rewrite query":      {site("geosegment {\nrewrite italy /x?a={b}\n}"), "unknown placeholder {b}"},
		"rewrite behind uri": {site("geosegment {\nrewrite italy /x{uri}/index.html\n}"), "ends with the visitor's query, and nothing can follow it but a query; to put something behind the path write {http.request.uri.path}"},
		"header value":       {site("geosegment {\nheader X-A \"a\nb\"\n}"), "header X-A: the value \"a\\nb\" has a line break"},
		"index memory":       {global(database + "index_memory much"), `index_memory "much": expected a size like 256MiB`},
		"rewrite arguments":  {site("geosegment {\nrewrite italy\n}"), "rewrite needs a segment and a URI"},
		"header placeholder": {site("geosegment {\nheader X-A {geo.ctiy}\n}"), "header X-A: unknown placeholder {geo.ctiy}: did you mean {geo.city}?"},
		"header arguments":   {site("geosegment {\nheader X-A\n}"), "header needs a name and a value"},
		"header name":        {site("geosegment {\nheader \"X A\" b\n}"), `header "X A" is no header name`},
		"header framing":     {site("geosegment {\nheader content-length 5\n}"), "header Content-Length delimits or routes requests"},
		"header taken":       {site("geosegment {\nheader x-segments a\n}"), "header X-Segments is set already"},
		"header twice":       {site("geosegment {\nheader x-a a\nheader X-A b\n}"), "header X-A is there twice"},
		"headers":            {site("geosegment {\nheaders on\n}"), "headers: expected off"},
		"prefix":             {site("geosegment {\nprefix Acme\n}"), `prefix "Acme": expected the beginning of a header name`},
		"prefix twice":       {site("geosegment {\nprefix X-A-\nprefix X-B-\n}"), "prefix: expected one"},
		"directive option":   {site("geosegment {\nrewrit a b\n}"), `unknown geosegment option "rewrit": did you mean rewrite?`},
		"directive argument": {site("geosegment near_milan"), "wrong argument count"},
		"matcher":            {site("@m segment near_mila\nrespond @m x"), `unknown segment "near_mila": did you mean near_milan?`},
		"matcher expression": {site("@m expression segment('near_mila')\nrespond @m x"), `unknown segment "near_mila"`},
		"matcher names":      {site("@m segment\nrespond @m x"), "the segment matcher needs the name of a segment"},
		"matcher block":      {site("@m segment italy {\nx\n}\nrespond @m x"), "the segment matcher takes no block"},
	} {
		config, err := adapt(tt.caddyfile)
		if err == nil {
			err = caddy.Load(config, true)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
		if _, got := request(t, port, "/"); got != "old" {
			t.Fatalf("%s: after the error Caddy serves %q, want the old configuration", name, got)
		}
	}
}

// JSON has every check that the Caddyfile has.
func TestLoadErrorsJSON(t *testing.T) {
	for name, tt := range map[string]struct{ app, handler, want string }{
		"cache size":      {`"cache_size":-1`, ``, "cache_size -1: it must be above zero"},
		"headers":         {``, `"headers":"on"`, `headers "on": expected off`},
		"accuracy":        {`"default_accuracy":"x"`, ``, `default_accuracy: "x" is not a length`},
		"rule":            {`"segments":[{"name":"s","rules":[{"eu":true,"located":true}]}]`, ``, "a rule has eu and located"},
		"matcher":         {``, `"x":1`, "unknown field"},
		"rewrite":         {``, `"rewrites":[{"segment":"s","uri":"/"}]`, `rewrite: unknown segment "s"`},
		"stores in a URI": {`"segments":[{"name":"s","rules":[{"eu":true}]}]`, `"rewrites":[{"segment":"s","uri":"/{store.code}"}]`, "no stores are configured"},
	} {
		app := `"databases":["` + databaseFile(t) + `"]`
		if tt.app != "" {
			app += "," + tt.app
		}
		handler := `"handler":"geosegment"`
		if tt.handler != "" {
			handler += "," + tt.handler
		}
		err := caddy.Load([]byte(`{"admin":{"disabled":true},"apps":{"geosegment":{`+app+`},"http":{"servers":{"s":{"listen":[":`+freePort(t)+`"],"routes":[{"handle":[{`+handler+`}]}]}}}}}`), true)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
			_ = caddy.Stop()
		}
	}
}

// Segments in JSON work as those in a Caddyfile do, also for a matcher on a
// server's own route.
func TestJSON(t *testing.T) {
	port := freePort(t)
	runJSON(t, []byte(`{"admin":{"disabled":true},"logging":{"logs":{"default":{"writer":{"output":"discard"}}}},"apps":{
		"geosegment":{"databases":["`+databaseFile(t)+`"],"segments":[{"name":"italy","rules":[{"country":["IT"]}]}]},
		"http":{"servers":{"s":{"listen":[":`+port+`"],"automatic_https":{"disable":true},
			"trusted_proxies":{"source":"static","ranges":["127.0.0.1/8"]},
			"routes":[
				{"match":[{"path":["/a*"],"segment":{"names":["italy"]}}],"handle":[{"handler":"static_response","body":"italy"}],"terminal":true},
				{"handle":[{"handler":"reverse_proxy","upstreams":[{"dial":"`+backend(t)+`"}]}]}
			]}}}}}`))
	if _, got := request(t, port, "/a", "X-Forwarded-For: "+rome); got != "italy" {
		t.Errorf("a visitor from Rome gets %q, want italy", got)
	}
	if got := visit(t, port, rome, "/b", "X-Segments: forged"); got.Header["X-Segments"] != nil {
		t.Errorf("the backend got X-Segments %q", got.Header["X-Segments"])
	}
}

// Reloading the configuration under load loses no request, and no request
// gets headers of two configurations.
func TestReloadUnderLoad(t *testing.T) {
	port, backend := freePort(t), backend(t)
	load := func(generation int) {
		config, err := adapt(options(t, fmt.Sprintf("segment v%d {\ncountry IT\n}", generation)) + ":" + port + " {\ngeosegment {\nheader X-Config " +
			fmt.Sprintf("v%d\nrewrite v%d /v%d{uri}", generation, generation, generation) + "\n}\nreverse_proxy " + backend + "\n}\n")
		if err != nil {
			t.Fatal(err)
		}
		if err := caddy.Load(config, true); err != nil {
			t.Fatal(err)
		}
	}
	load(0)
	t.Cleanup(func() { _ = caddy.Stop() })
	var requests, newest atomic.Int64
	var group sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for {
				select {
				case <-done:
					return
				default:
				}
				atLeast := newest.Load()
				got, err := patientVisit(client, port)
				if err != nil {
					t.Error(err)
					return
				}
				requests.Add(1)
				config := got.Header.Get("X-Config")
				var generation int64
				fmt.Sscanf(config, "v%d", &generation)
				if got.Header.Get("X-Segments") != config || got.URI != "/"+config+"/x" || generation < atLeast {
					t.Errorf("configuration %s (at least v%d) gave segments %q and %s", config, atLeast, got.Header.Get("X-Segments"), got.URI)
					return
				}
			}
		})
	}
	for generation := 1; generation <= 20; generation++ {
		load(generation)
		newest.Store(int64(generation))
		time.Sleep(20 * time.Millisecond)
	}
	close(done)
	group.Wait()
	if requests.Load() < 100 {
		t.Errorf("only %d requests in 20 reloads", requests.Load())
	}
}

// patientVisit is a visit from Rome that tries again when the connection could
// not be made: on Linux a listener that Caddy replaces resets the connections
// that it has not accepted yet, whatever the configuration.
func patientVisit(client *http.Client, port string) (got seen, err error) {
	request, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+"/x", nil)
	if err != nil {
		return got, err
	}
	request.Header.Set("X-Forwarded-For", rome)
	request.Header.Set("X-Segments", "forged")
	var response *http.Response
	for range 5 {
		if response, err = client.Do(request); err == nil {
			defer response.Body.Close()
			return got, json.NewDecoder(response.Body).Decode(&got)
		}
	}
	return got, err
}

// A new version of a file is used without a reload of the configuration; a
// bad one is not.
func TestNewDataWhileRunning(t *testing.T) {
	port := freePort(t)
	db, stores := databaseFile(t), writeFile(t, "stores.csv", storesCSV)
	run(t, "{\nadmin off\npersist_config off\nauto_https off\nlog {\noutput discard\n}\nservers {\ntrusted_proxies static 127.0.0.1/8\n}\ngeosegment {\nreload_interval 20ms\ndatabase "+db+"\nstores "+stores+
		"\nsegment near_duomo {\nwithin 5km of store:MI01\n}\n}\n}\n:"+port+" {\ngeosegment\nrespond \"{geo.city} {store.code} {segment.names}\"\n}\n")
	eventually := func(what, want string) {
		t.Helper()
		var got string
		for range 500 { // as many looks, not as much time
			if _, got = request(t, port, "/", "X-Forwarded-For: "+milan); got == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("after %s: %q, want %q", what, got, want)
	}
	replace := func(path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil { // in place, as the worst updaters do
			t.Fatal(err)
		}
	}
	eventually("the start", "Milan MI01 near_duomo")
	replace(stores, []byte("code,name,lat,lng\nMI01,a,10,10\nMI02,Acme Navigli,45.4519,9.1757\n"))
	eventually("new stores", "Milan MI02 ")
	replace(db, geotest.Bytes(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("IT", "", "Monza", 45.58, 9.27)}))
	eventually("a new database", "Monza MI02 ")

	// Damaged, and without a store that a segment needs: nothing changes, and
	// the next good version is taken.
	good, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]map[string][]byte{
		"a truncated database": {db: good[:len(good)/2]},
		"a vanished store":     {stores: []byte("code,name,lat,lng\nMI02,b,45,9\n")},
	} {
		for path, content := range bad {
			replace(path, content)
		}
		for range 10 {
			time.Sleep(10 * time.Millisecond)
			if _, got := request(t, port, "/", "X-Forwarded-For: "+milan); got != "Monza MI02 " {
				t.Fatalf("with %s: %q", name, got)
			}
		}
		for path := range maps.Keys(bad) {
			if path == db {
				replace(path, good)
			}
		}
	}
	replace(stores, []byte("code,name,lat,lng\nMI01,b,45.58,9.27\n"))
	eventually("good stores again", "Monza MI01 near_duomo")

	// A pipe must not be waited for.
	if err := os.Remove(stores); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(stores, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		time.Sleep(10 * time.Millisecond)
		if _, got := request(t, port, "/", "X-Forwarded-For: "+milan); got != "Monza MI01 near_duomo" {
			t.Fatalf("with a pipe: %q", got)
		}
	}
	if err := os.Remove(stores); err != nil {
		t.Fatal(err)
	}
	replace(stores, []byte("code,name,lat,lng\nMI01,a,10,10\nMI02,b,45.58,9.28\n"))
	eventually("a file after the pipe", "Monza MI02 ")
}
