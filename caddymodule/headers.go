package caddymodule

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/geosegment/caddy-geosegment/segment"
)

// defaultHeaders are the request headers that tell a decision to the backend.
// This is the only place that names them. A value that is not known is "".
var defaultHeaders = []struct {
	name  string // without its prefix
	value func(d *segment.Decision) string
}{
	{"Geo-Country", func(d *segment.Decision) string { return d.Location.Country }},
	{"Geo-Region", func(d *segment.Decision) string { return d.Location.Region().Code }},
	{"Geo-City", func(d *segment.Decision) string { return d.Location.City }},
	{"Geo-Timezone", func(d *segment.Decision) string { return d.Location.TimeZone }},
	{"Geo-Accuracy-Km", func(d *segment.Decision) string { return accuracyKm(d) }},
	{"Segments", func(d *segment.Decision) string { return strings.Join(d.Segments, ",") }},
	{"Segment-Primary", (*segment.Decision).Primary},
	{"Store-Code", func(d *segment.Decision) string {
		if d.Store == nil {
			return ""
		}
		return d.Store.Code
	}},
	{"Store-Distance-Km", storeKm},
}

const defaultPrefix = "X-"

// reserved reports whether a header of the operator's own is named like the
// default ones under a prefix, so that backends will trust it like those.
func reserved(prefix, name string) bool {
	rest, ok := strings.CutPrefix(name, http.CanonicalHeaderKey(prefix))
	return ok && (strings.HasPrefix(rest, "Geo-") || strings.HasPrefix(rest, "Segment") || strings.HasPrefix(rest, "Store-"))
}

// headerNames are the default headers under a prefix, in the spelling of
// http.Header.
func headerNames(prefix string) []string {
	names := make([]string, len(defaultHeaders))
	for i, h := range defaultHeaders {
		names[i] = http.CanonicalHeaderKey(prefix + h.name)
	}
	return names
}

// accuracyKm is the accuracy radius in kilometres, to a tenth.
func accuracyKm(d *segment.Decision) string {
	if d.Location.Accuracy == 0 {
		return ""
	}
	return strconv.FormatFloat(math.Round(d.Location.Accuracy/100)/10, 'f', -1, 64)
}

// storeKm is the distance of the store in kilometres, to a tenth.
func storeKm(d *segment.Decision) string {
	if d.Store == nil {
		return ""
	}
	return strconv.FormatFloat(d.StoreMetres/1000, 'f', 1, 64)
}

// encodeHeader percent-encodes what is not printable ASCII, and the percent
// sign, so that percent-decoding always gives the original.
func encodeHeader(s string) string {
	plain := func(c byte) bool { return c >= ' ' && c <= '~' && c != '%' }
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	out := []byte(s[:i])
	for ; i < len(s); i++ {
		if plain(s[i]) {
			out = append(out, s[i])
		} else {
			out = append(out, '%', hex[s[i]>>4], hex[s[i]&15])
		}
	}
	return string(out)
}

// stripper removes headers that only geosegment may set, in every spelling
// that some backend takes for the same: CGI and its kin fold all that is not a
// letter or digit to an underscore. Fill it before serving; strip is then safe
// for concurrent use.
type stripper struct {
	folded   map[string]struct{}
	initials [256]bool
	longest  int
}

func newStripper(names ...string) *stripper {
	s := &stripper{folded: map[string]struct{}{}}
	s.add(names...)
	return s
}

func (s *stripper) add(names ...string) {
	for _, name := range names {
		folded := foldHeader(nil, name)
		s.folded[string(folded)] = struct{}{}
		s.initials[folded[0]] = true
		s.longest = max(s.longest, len(folded))
	}
}

// foldHeader appends the form in which header names are compared.
func foldHeader(to []byte, name string) []byte {
	for i := range len(name) {
		to = append(to, foldByte(name[i]))
	}
	return to
}

func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		return c
	}
	return '-'
}

func (s *stripper) has(name string) bool {
	if len(name) > s.longest || name == "" || !s.initials[foldByte(name[0])] {
		return false
	}
	var buf [64]byte
	_, ok := s.folded[string(foldHeader(buf[:0], name))]
	return ok
}

// strip removes the headers and trailers, and the client's wish that the proxy
// drop them: `Connection: X-Segments` would make them hop-by-hop.
func (s *stripper) strip(r *http.Request) {
	for name := range r.Header {
		if s.has(name) {
			delete(r.Header, name)
		}
	}
	if r.Trailer != nil { // those that come are filled in when the body ends
		s.stripTrailer(r.Trailer)
		if r.Body != nil {
			r.Body = &bodyWithTrailer{r.Body, s, r.Trailer}
		}
	}
	if values := r.Header["Connection"]; len(values) > 0 {
		s.stripConnection(r.Header, values)
	}
}

func (s *stripper) stripTrailer(trailer http.Header) {
	for name := range trailer {
		if s.has(name) {
			delete(trailer, name)
		}
	}
}

// bodyWithTrailer strips the trailers that came behind a body before whoever
// reads the body's end can see them.
type bodyWithTrailer struct {
	io.ReadCloser
	headers *stripper
	trailer http.Header
}

func (b *bodyWithTrailer) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.headers.stripTrailer(b.trailer)
	}
	return n, err
}

func (s *stripper) stripConnection(header http.Header, values []string) {
	var kept []string
	changed := false
	for _, value := range values {
		for option := range strings.SplitSeq(value, ",") {
			option = strings.TrimSpace(option)
			if s.has(option) {
				changed = true
			} else if option != "" {
				kept = append(kept, option)
			}
		}
	}
	switch {
	case !changed:
	case len(kept) == 0:
		delete(header, "Connection")
	default:
		header["Connection"] = []string{strings.Join(kept, ", ")}
	}
}
