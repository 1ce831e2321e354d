package caddymodule

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func FuzzEncodeHeader(f *testing.F) {
	for _, s := range []string{"Milan", "São Paulo", "100%", "a\r\nX-Admin: 1", "\x00\xff\x7f", "東京"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded := encodeHeader(s)
		for i := range len(encoded) {
			if encoded[i] < ' ' || encoded[i] > '~' {
				t.Fatalf("encodeHeader(%q) = %q has byte %x", s, encoded, encoded[i])
			}
		}
		if back, err := url.PathUnescape(encoded); err != nil || back != s {
			t.Fatalf("encodeHeader(%q) = %q, which decodes to %q, %v", s, encoded, back, err)
		}
	})
}

// A backend folds header names in one of these ways.
var folds = []func(string) string{
	strings.ToLower,
	func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }, // CGI, WSGI, FastCGI
	func(s string) string { // PHP, Apache: all that is not a letter or digit
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToUpper(s))
	},
}

// Whatever name a client sends: if some backend would take it for one of ours,
// it is stripped, and if none would, it is kept.
func FuzzStrip(f *testing.F) {
	for _, s := range []string{"X-Segments", "x_segments", "X.Store.Code", "X-Segment", "X-Segmentss", "", "Accept", "X-Store-Code-", "\xff"} {
		f.Add(s)
	}
	names := headerNames(defaultPrefix)
	s := newStripper(names...)
	f.Fuzz(func(t *testing.T, name string) {
		taken := slices.ContainsFunc(names, func(ours string) bool {
			return slices.ContainsFunc(folds, func(fold func(string) string) bool { return fold(name) == fold(ours) })
		})
		ascii := !strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 })
		if got := s.has(name); ascii && got != taken {
			t.Fatalf("has(%q) = %v, but a backend takes it for ours: %v", name, got, taken)
		}
		r := &http.Request{Header: http.Header{name: {"forged"}, "Accept-Language": {"it"}}, Trailer: http.Header{name: {"forged"}}}
		s.strip(r)
		if taken && (r.Header[name] != nil || r.Trailer[name] != nil) {
			t.Fatalf("%q is left in %v or %v", name, r.Header, r.Trailer)
		}
		if r.Header.Get("Accept-Language") != "it" {
			t.Fatal("Accept-Language was lost")
		}
	})
}

func TestStripConnection(t *testing.T) {
	s := newStripper(headerNames(defaultPrefix)...)
	for _, tt := range []struct{ in, want []string }{
		{nil, nil},
		{[]string{"keep-alive"}, []string{"keep-alive"}},
		{[]string{"Upgrade, X-Foo"}, []string{"Upgrade, X-Foo"}},
		{[]string{"X-Segments"}, nil},
		{[]string{" x_segments ,Upgrade", "X-Geo-City, , x-foo"}, []string{"Upgrade, x-foo"}},
	} {
		header := http.Header{}
		if tt.in != nil {
			header["Connection"] = tt.in
		}
		s.strip(&http.Request{Header: header})
		if got := header["Connection"]; !slices.Equal(got, tt.want) {
			t.Errorf("Connection %q becomes %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A prefix may begin with what is no letter.
func TestStripPrefixes(t *testing.T) {
	for _, prefix := range []string{"X-", "_Acme-", ".Acme-", "~acme-", "-Acme-", "9-"} {
		s := newStripper(headerNames(prefix)...)
		for _, name := range headerNames(prefix) {
			for _, spelled := range []string{name, strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.ToLower(strings.ReplaceAll(name, "_", "-"))} {
				if !s.has(spelled) {
					t.Errorf("prefix %s: %s passes", prefix, spelled)
				}
			}
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Geo-Lat": true, "X-Segment-Reason": true, "X-Segments": true, "X-Store-Name": true,
		"X-Forwarded-For": false, "X-Position": false, "User-Agent": false, "Geo-Lat": false, "X-Geography": false,
	} {
		if got := reserved("X-", name); got != want {
			t.Errorf("reserved(X-, %s) = %v, want %v", name, got, want)
		}
	}
}

// Every header and placeholder has its own name, and the sets do not overlap.
func TestNames(t *testing.T) {
	names := headerNames(defaultPrefix)
	if len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(defaultHeaders) {
		t.Errorf("names %v", names)
	}
	for key := range maps.Keys(decisionPlaceholders) {
		if _, twice := locationPlaceholders[key]; twice {
			t.Errorf("%s is there twice", key)
		}
	}
}
