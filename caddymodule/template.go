package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// template is a text with placeholders, parsed once.
type template []part

// part is a literal text or a placeholder's key.
type part struct {
	text string
	key  bool
}

// placeholderPrefixes are the placeholders that a template may have besides
// ours: those that are known when the handler runs. A misspelt one would end
// up in a URL as nothing, so others are refused.
var placeholderPrefixes = []string{"http.", "env.", "system.", "time.", "tls."}

// parseTemplate reads a text with {placeholders}.
func (g *generation) parseTemplate(s string) (template, error) {
	var t template
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			return append(t, part{text: s}), nil
		}
		if open > 0 {
			t = append(t, part{text: s[:open]})
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			return nil, fmt.Errorf("%q: the placeholder has no closing brace", s[open:])
		}
		key := s[open+1 : open+end]
		switch {
		case ours(key):
			if err := g.checkPlaceholder(key); err != nil {
				return nil, err
			}
		case !slices.ContainsFunc(placeholderPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) }):
			return nil, fmt.Errorf("unknown placeholder {%s}: expected one that begins with geo. segment. store. %s",
				key, strings.Join(placeholderPrefixes, " "))
		}
		t = append(t, part{key, true})
		s = s[open+end+1:]
	}
	return t, nil
}

// expand replaces the placeholders by their values, through encode. ok is
// false when one of ours has no value: half a text is worse than none.
func (t template) expand(told *told, repl *caddy.Replacer, encode func(key, value string) string) (text string, ok bool) {
	var b strings.Builder
	for _, p := range t {
		if !p.key {
			b.WriteString(p.text)
			continue
		}
		var value string
		if ours(p.text) {
			if value = told.value(p.text); value == "" {
				return "", false
			}
		} else {
			value, _ = repl.GetString(p.text)
		}
		b.WriteString(encode(p.text, value))
	}
	return b.String(), true
}

// uriTemplate is a template for a URI, with the query apart.
type uriTemplate struct {
	path, query template
	hasQuery    bool
}

func (g *generation) parseURITemplate(s string) (u uriTemplate, err error) {
	if !strings.HasPrefix(s, "/") {
		return u, fmt.Errorf("%q: a URI to rewrite to begins with /", s)
	}
	if strings.Contains(s, "#") {
		return u, fmt.Errorf("%q: a URI to rewrite to has no fragment (#)", s)
	}
	path, query, hasQuery := strings.Cut(s, "?")
	if u.path, err = g.parseTemplate(path); err != nil {
		return u, err
	}
	for i, p := range u.path {
		if p.key && endsWithQuery(p.text) && i+1 < len(u.path) {
			return u, fmt.Errorf("%q: {%s} ends with the visitor's query, and nothing can follow it but a query; to put something behind the path write {http.request.uri.path}", s, p.text)
		}
	}
	u.hasQuery = hasQuery
	if u.query, err = g.parseTemplate(query); err != nil {
		return u, err
	}
	for _, p := range u.query {
		if p.key && strings.HasSuffix(p.text, ".prefixed_query") {
			return u, fmt.Errorf("%q: {%s} begins with a question mark, and there is one already; write {http.request.uri.query}", s, p.text)
		}
	}
	return u, nil
}

// endsWithQuery reports whether a placeholder's value may have a query.
func endsWithQuery(key string) bool {
	switch key {
	case "http.request.uri", "http.request.orig_uri", "http.request.uri.prefixed_query", "http.request.orig_uri.prefixed_query":
		return true
	}
	return false
}

// rewrite sets the URI of a request, and reports whether it did: not when a
// placeholder of ours has no value. The query stays unless the template has
// one of its own.
func (u uriTemplate) rewrite(r *http.Request, told *told, repl *caddy.Replacer) bool {
	if r.URL.Path == "*" || r.Method == http.MethodConnect { // no path to rewrite
		return false
	}
	climbs := false
	text, ok := u.path.expand(told, repl, func(key, value string) string {
		switch key {
		case "http.request.uri", "http.request.orig_uri":
			return originForm(value) // path and query, escaped already
		case "http.request.uri.prefixed_query", "http.request.orig_uri.prefixed_query":
			return value
		case "http.request.uri.path":
			return r.URL.EscapedPath()
		case "http.request.orig_uri.path":
			if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
				return original.URL.EscapedPath()
			}
		}
		if ours(key) { // one segment
			climbs = climbs || value == "." || value == ".."
			return url.PathEscape(value)
		}
		for segment := range strings.SplitSeq(value, "/") { // several, as a regexp may capture
			climbs = climbs || segment == "." || segment == ".."
		}
		return strings.ReplaceAll(url.PathEscape(value), "%2F", "/")
	})
	if !ok || climbs { // it would be another path than was meant
		return false
	}
	path, query, hasQuery := strings.Cut(text, "?")
	if u.hasQuery {
		own, ok := u.query.expand(told, repl, func(key, value string) string {
			if key == "http.request.uri.query" || key == "http.request.orig_uri.query" {
				return value // escaped already
			}
			return url.QueryEscape(value)
		})
		if !ok {
			return false
		}
		query = joinQueries(own, query)
	} else if !hasQuery {
		query = r.URL.RawQuery
	}
	parsed, err := url.ParseRequestURI(path)
	if err != nil {
		return false
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = parsed.Path, parsed.RawPath, query
	r.RequestURI = r.URL.RequestURI()
	return true
}

// originForm is a request URI as it stands in a request line without scheme
// and host, which a client may send.
func originForm(uri string) string {
	if strings.HasPrefix(uri, "/") {
		return uri
	}
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.RequestURI()
}

// joinQueries puts a template's query before the visitor's, without those of
// the visitor's parameters that the template sets: a backend may take the
// first or the last.
func joinQueries(own, visitors string) string {
	set := map[string]bool{}
	for pair := range strings.SplitSeq(own, "&") {
		set[queryName(pair)] = true
	}
	for pair := range strings.SplitSeq(visitors, "&") {
		if !set[queryName(pair)] && pair != "" {
			own += "&" + pair
		}
	}
	return strings.TrimPrefix(own, "&")
}

func queryName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return name
}
