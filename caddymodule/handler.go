package caddymodule

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"golang.org/x/net/http/httpguts"
)

func init() {
	caddy.RegisterModule(Handler{})
}

// Handler personalizes requests by the location of the visitor. It tells the
// backend in request headers which segments the visitor is in and which store
// is theirs, offers the same as placeholders, and may rewrite the URI.
//
// The headers are removed from what the client sent in any case, in every
// spelling that a backend may take for the same. What is not known is not set.
//
// Placeholders, empty where unknown:
//
// Placeholder | Description
// ------------|-------------
// `{geo.country}` | ISO 3166-1 alpha-2 code
// `{geo.region}` | ISO 3166-2 code of the largest region
// `{geo.region_name}` | its English name
// `{geo.city}` | English name
// `{geo.city_id}` | GeoNames id
// `{geo.postal}` | postal code
// `{geo.continent}` | `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`
// `{geo.eu}` | `true` in the European Union, `false` elsewhere
// `{geo.timezone}` | IANA name
// `{geo.lat}`, `{geo.lng}` | WGS 84 degrees
// `{geo.accuracy_km}` | accuracy radius in km
// `{geo.asn}`, `{geo.org}` | autonomous system number and organization
// `{geo.source}` | where the location came from
// `{segment.names}` | all segments, with commas between
// `{segment.primary}` | the first of them
// `{segment.is.NAME}` | `true` or `false`
// `{store.code}`, `{store.name}` | the nearest store
// `{store.distance_km}` | its distance in km
// `{store.*}` | any further column of the store list
type Handler struct {
	// `off` sets none of the default headers, and still removes the client's.
	Headers string `json:"headers,omitempty"`

	// What the names of the default headers begin with. Default: `X-`.
	Prefix string `json:"prefix,omitempty"`

	// Further request headers.
	ExtraHeaders []Header `json:"extra_headers,omitempty"`

	// Rewrites of the URI, tried in order. The first whose segment matches
	// and whose placeholders all have a value is carried out, and no other.
	Rewrites []Rewrite `json:"rewrites,omitempty"`

	app    *App
	logger *zap.Logger
	names  []string  // of the default headers
	also   *stripper // removes what the entrance does not know
}

// Header is a request header with a value of placeholders and text.
type Header struct {
	// The name of the header.
	Name string `json:"name"`

	// Its value. The header is not set when one of the placeholders of
	// geosegment in it is empty.
	Value string `json:"value"`

	// Where the header was written, like `Caddyfile:12`; for messages.
	Source string `json:"source,omitempty"`

	template template
}

// Rewrite is where to send visitors of a segment.
type Rewrite struct {
	// The name of the segment.
	Segment string `json:"segment"`

	// The new URI, with placeholders: `/stores/{store.code}{http.request.uri}`.
	// The values of geosegment's placeholders are escaped.
	URI string `json:"uri"`

	// Where the rewrite was written, like `Caddyfile:12`; for messages.
	Source string `json:"source,omitempty"`

	segment int
	to      uriTemplate
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.geosegment",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision finds segments and placeholders.
func (h *Handler) Provision(ctx caddy.Context) error {
	var err error
	if h.app, err = appOf(ctx); err != nil {
		return err
	}
	h.logger = ctx.Logger()
	if h.Prefix == "" {
		h.Prefix = defaultPrefix
	}
	h.names = headerNames(h.Prefix)
	h.also = newStripper()
	everywhere := slices.Clone(h.names) // on the whole server
	for i := range h.ExtraHeaders {
		e := &h.ExtraHeaders[i]
		e.Name = http.CanonicalHeaderKey(e.Name)
		switch {
		case !httpguts.ValidHeaderFieldName(e.Name): // for Validate
		case reserved(h.Prefix, e.Name):
			everywhere = append(everywhere, e.Name)
		default:
			h.also.add(e.Name)
		}
	}
	if !h.app.guard(ctx, everywhere) {
		h.also.add(everywhere...)
		h.logger.Warn(unguarded)
	}
	g := h.app.current.Load()
	for i := range h.ExtraHeaders {
		e := &h.ExtraHeaders[i]
		if e.template, err = g.parseTemplate(e.Value); err != nil {
			return fmt.Errorf("%sheader %s: %w", where(e.Source), e.Name, err)
		}
	}
	for i := range h.Rewrites {
		w := &h.Rewrites[i]
		if w.segment, err = g.engine.FindSegment(w.Segment); err != nil {
			return fmt.Errorf("%srewrite: %w", where(w.Source), err)
		}
		if w.to, err = g.parseURITemplate(w.URI); err != nil {
			return fmt.Errorf("%srewrite %s: %w", where(w.Source), w.Segment, err)
		}
	}
	return nil
}

func where(source string) string {
	if source == "" {
		return ""
	}
	return source + ": "
}

// framing are headers by which messages are delimited and routed.
var framing = []string{"Connection", "Content-Length", "Host", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// Validate checks names.
func (h *Handler) Validate() error {
	if h.Headers != "" && h.Headers != "off" {
		return fmt.Errorf("headers %q: expected off, or nothing", h.Headers)
	}
	if !httpguts.ValidHeaderFieldName(h.Prefix) || !strings.HasSuffix(h.Prefix, "-") {
		return fmt.Errorf("prefix %q: expected the beginning of a header name, with a hyphen at its end, like X-Acme-", h.Prefix)
	}
	for i, e := range h.ExtraHeaders {
		switch {
		case !httpguts.ValidHeaderFieldName(e.Name):
			return fmt.Errorf("%sheader %q is no header name", where(e.Source), e.Name)
		case slices.Contains(framing, e.Name):
			return fmt.Errorf("%sheader %s delimits or routes requests, and cannot be set", where(e.Source), e.Name)
		case slices.Contains(h.names, e.Name):
			return fmt.Errorf("%sheader %s is set already", where(e.Source), e.Name)
		case !httpguts.ValidHeaderFieldValue(e.Value):
			return fmt.Errorf("%sheader %s: the value %q has a line break or another control character in it", where(e.Source), e.Name, e.Value)
		}
		for _, f := range h.ExtraHeaders[:i] {
			if f.Name == e.Name {
				return fmt.Errorf("%sheader %s is there twice", where(e.Source), e.Name)
			}
		}
	}
	return nil
}

// ServeHTTP strips, decides, tells and rewrites.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	t := h.app.visitor(r)
	if len(h.also.folded) > 0 {
		h.also.strip(r)
	}
	if h.Headers != "off" {
		h.setHeaders(r.Header, t)
	}
	if len(h.ExtraHeaders) > 0 || len(h.Rewrites) > 0 {
		repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		for i := range h.ExtraHeaders {
			e := &h.ExtraHeaders[i]
			if value, ok := e.template.expand(t, repl, func(_, value string) string { return encodeHeader(value) }); ok && value != "" {
				r.Header[e.Name] = []string{value}
			}
		}
		h.rewrite(r, t, repl)
	}
	return next.ServeHTTP(w, r)
}

// setHeaders gives each header a slice of its own: later handlers may change
// the values in place, and must not change them for other requests.
func (h *Handler) setHeaders(header http.Header, t *told) {
	values := make([]string, 0, t.known)
	for i, value := range t.values {
		if value == "" {
			delete(header, h.names[i]) // of a handler that ran before
			continue
		}
		values = append(values, value)
		n := len(values)
		header[h.names[i]] = values[n-1 : n : n]
	}
}

// rewrite carries out the first rewrite whose segment matches.
func (h *Handler) rewrite(r *http.Request, t *told, repl *caddy.Replacer) {
	for i := range h.Rewrites {
		w := &h.Rewrites[i]
		if t.decision.Matches(w.segment) && w.to.rewrite(r, t, repl) {
			if c := h.logger.Check(zap.DebugLevel, "rewrote"); c != nil {
				c.Write(zap.String("segment", w.Segment), zap.String("uri", r.RequestURI))
			}
			return
		}
	}
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
