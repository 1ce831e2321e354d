package caddymodule

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// entrance removes the headers that only geosegment may set from what clients
// sent, before all routes of a server in which the `geosegment` handler or the
// `segment` matcher is used: a backend that believes the headers must be able
// to do so on every path, also where the handler is not mounted and the matcher
// is not asked.
//
// Caddy has no hook in front of a server's routes. But it asks the matchers of
// the first route about every request, and first of all; so the entrance is a
// matcher there, in a set of its own. A route of its own would cost every
// request four allocations.
type entrance struct {
	headers *stripper
	alone   bool // the route has no matchers of its own, and matches everything
}

// MatchWithError strips, and says so to App.visitor. The route's own sets of
// matchers, if it has any, are asked after it.
func (e *entrance) MatchWithError(r *http.Request) (bool, error) {
	if vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		if _, decided := vars[varKey]; !decided { // on error routes the headers may be ours already
			e.headers.strip(r)
			vars[varKey] = stripped{}
		}
	}
	return e.alone, nil
}

// unguarded is the warning where guard was of no use.
const unguarded = "geosegment is used only on a named route or an error route: forged headers are removed only from requests that reach it;" +
	" if a backend reads them, use geosegment among the site's own routes too"

// guard gives the server that ctx provisions an entrance which strips names,
// too, and reports whether it has one.
func (a *App) guard(ctx caddy.Context, names []string) bool {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		a.guardLater(ctx)
		return false
	}
	// A route that is not provisioned yet still has its raw handlers. Without
	// one the chain is compiled already, and we are on an error route or a
	// named route.
	if a.entrances[server] == nil && !slices.ContainsFunc(server.Routes, func(r caddyhttp.Route) bool { return r.HandlersRaw != nil }) {
		return false
	}
	a.entranceOf(server).add(names...)
	return true
}

// guardLater is guard for the matchers of a server's own routes, which Caddy
// provisions before all handlers and without saying for which server. Their
// raw form is still there, though.
func (a *App) guardLater(ctx caddy.Context) {
	for _, module := range ctx.Modules() {
		app, ok := module.(*caddyhttp.App)
		if !ok {
			continue
		}
		for _, server := range app.Servers {
			if slices.ContainsFunc(server.Routes, usesMatcher) {
				a.entranceOf(server)
			}
		}
	}
}

// usesMatcher reports whether one of a route's raw matchers may be a segment
// matcher, in a set, under `not` or in an expression. Whatever says "segment"
// may be: an entrance too many does no harm.
func usesMatcher(route caddyhttp.Route) bool {
	for _, set := range route.MatcherSetsRaw {
		for name, raw := range set {
			var value any
			_ = json.Unmarshal(raw, &value) // Caddy complains if it is no JSON
			if strings.Contains(fmt.Sprint(name, value), "segment") {
				return true
			}
		}
	}
	return false
}

// entranceOf gives what the entrance of a server strips, and makes the
// entrance if there is none yet.
func (a *App) entranceOf(server *caddyhttp.Server) *stripper {
	headers, ok := a.entrances[server]
	if !ok {
		headers = newStripper(headerNames(defaultPrefix)...)
		a.entrances[server] = headers
		enterBy(server.Routes, headers)
		if server.Errors != nil { // for errors before the routes
			enterBy(server.Errors.Routes, headers)
		}
	}
	return headers
}

// enterBy puts an entrance in front of the first route. Its own matchers may be
// provisioned already or not: Caddy adds them behind.
func enterBy(routes caddyhttp.RouteList, headers *stripper) {
	if len(routes) > 0 {
		first := &routes[0]
		e := &entrance{headers, len(first.MatcherSets) == 0 && len(first.MatcherSetsRaw) == 0}
		first.MatcherSets = append(caddyhttp.MatcherSets{{e}}, first.MatcherSets...)
	}
}

// Interface guard
var _ caddyhttp.RequestMatcherWithError = (*entrance)(nil)
