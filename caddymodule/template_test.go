package caddymodule

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
)

// emptyGeneration is one with a single segment.
func emptyGeneration(t testing.TB) *generation {
	t.Helper()
	engine, err := segment.Compile([]segment.Segment{{Name: "s", Rules: []segment.Rule{{Located: true}}}}, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &generation{engine: engine}
}

func toldOf(g *generation, l *geo.Location) *told {
	return newTold(g.engine.Decide(segment.Visitor{Answer: g.engine.Answer(l)}), g.engine)
}

func TestRewriteTemplates(t *testing.T) {
	g := emptyGeneration(t)
	for _, tt := range []struct{ template, city, uri, want string }{
		{"/x{http.request.uri}", "", "/a?b=c", "/x/a?b=c"},
		{"/x{http.request.uri}?d=e", "", "/a?b=c", "/x/a?d=e&b=c"},
		{"/x{http.request.uri}?d=e&f", "", "/a?d=mine&%64=mine&b=c&f&&F=d", "/x/a?d=e&f&b=c&F=d"},
		{"/x{http.request.uri}?d=e", "", "/a", "/x/a?d=e"},
		{"/x{http.request.uri.path}", "", "/a%2Fb%3Fc?d=e", "/x/a%2Fb%3Fc?d=e"},
		{"/x{http.request.uri.path}?", "", "/a?d=e", "/x/a"},
		{"/x?{http.request.uri.query}&c={geo.city}", "R&D", "/a?d=%26", "/x?d=%26&c=R%26D"},
		{"/{geo.city}", "a/b?c#d%e f", "/", "/a%2Fb%3Fc%23d%25e%20f"},
		{"/{geo.city}", "São Paulo", "/", "/S%C3%A3o%20Paulo"},
		{"/{geo.city}", "", "/old?x", "/old?x"},
		{"/{geo.city}/y", "..", "/old", "/old"},
		{"/x?{geo.city}", "..", "/old", "/x?.."},
		{"/{http.request.uri.query.p}", "", "/old?p=../admin", "/old?p=../admin"},
		{"/x/{http.request.uri.query.p}/y", "", "/old?p=a/..", "/old?p=a/.."},
		{"/x/{http.request.header.Evil}", "", "/old", "/old"},
		{"/{http.request.uri.query.p}", "", "/old?p=a/b%3F..%23", "/a/b%3F..%23?p=a/b%3F..%23"},
		{"/x", "", "*", "*"},
	} {
		u, err := g.parseURITemplate(tt.template)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodGet, "http://shop.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Evil", "./a")
		if r.URL, err = url.ParseRequestURI(tt.uri); err != nil {
			t.Fatal(err)
		}
		r.RequestURI = tt.uri
		repl := caddyhttp.NewTestReplacer(r)
		changed := u.rewrite(r, toldOf(g, &geo.Location{City: tt.city}), repl)
		if r.RequestURI != tt.want || r.URL.RequestURI() != tt.want || changed != (tt.want != tt.uri) {
			t.Errorf("%s with city %q of %s is %s (%v), want %s", tt.template, tt.city, tt.uri, r.RequestURI, changed, tt.want)
		}
	}
}

// A client may send the URL of the whole site in its request line.
func TestRewriteOfAbsoluteForm(t *testing.T) {
	g := emptyGeneration(t)
	for _, tt := range []struct{ template, uri, want string }{
		{"/s{http.request.uri}", "http://evil.example/p?q", "/s/p?q"},
		{"/s{http.request.orig_uri}", "http://evil.example/p?q", "/s/p?q"},
		{"/s{http.request.uri}", "http://evil.example", "/s/"},
		{"/s{http.request.orig_uri}", "http://evil.example", "/s/"},
	} {
		u, err := g.parseURITemplate(tt.template)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + tt.uri + " HTTP/1.1\r\nHost: shop.example\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, nil); !u.rewrite(r, toldOf(g, &geo.Location{}), r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)) || r.RequestURI != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.template, tt.uri, r.RequestURI, tt.want)
		}
	}
}

// Whatever a database or a client says: a rewritten path stays below the
// literal beginning, a value stays one path segment, and the result parses.
func FuzzRewrite(f *testing.F) {
	for _, s := range []string{"Milan", "../../admin", "%2e%2e", "a?b#c", "{env.HOME}", "\r\n", "//evil", "\\", "é", ".", ""} {
		f.Add(s, "/p%2Fq?x=1", s)
	}
	g := emptyGeneration(f)
	u, err := g.parseURITemplate("/stores/{geo.city}/end{http.request.uri.path}?c={geo.city}&q={http.request.uri.query.q}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, city, target, query string) {
		r, err := http.NewRequest(http.MethodGet, "http://shop.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil || !strings.HasPrefix(r.URL.Path, "/") {
			return
		}
		r.URL.RawQuery = "q=" + url.QueryEscape(query)
		oldPath := r.URL.Path
		if !u.rewrite(r, toldOf(g, &geo.Location{City: city}), caddyhttp.NewTestReplacer(r)) {
			if city != "" && city != "." && city != ".." {
				t.Fatalf("city %q, target %q: not rewritten", city, target)
			}
			return
		}
		if want := "/stores/" + city + "/end" + oldPath; r.URL.Path != want {
			t.Fatalf("city %q, target %q: path %q, want %q", city, target, r.URL.Path, want)
		}
		if first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/stores/"), "/end"); strings.Contains(first, "/") {
			t.Fatalf("city %q is more than one path segment in %q", city, r.URL.EscapedPath())
		}
		values := r.URL.Query()
		if values.Get("c") != city || values.Get("q") != query || len(values) != 2 {
			t.Fatalf("city %q, query %q: %v", city, query, values)
		}
		again, err := url.ParseRequestURI(r.RequestURI)
		if err != nil || again.Path != r.URL.Path {
			t.Fatalf("%q parses as %v, %v", r.RequestURI, again, err)
		}
	})
}
