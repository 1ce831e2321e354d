package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(Entrance{})
}

// Entrance removes the headers that only geosegment may set from what clients
// sent. It puts itself in front of all routes of a server in which the
// `geosegment` handler or the `segment` matcher is used: a backend that
// believes the headers must be able to do so on every path, also where the
// handler is not mounted and the matcher is not asked. It needs no
// configuration.
type Entrance struct {
	headers *stripper
	routes  *routes // the server's own; nil where they follow anyway
}

// routes are compiled when their first request tells what follows them. That
// is the end of the server's chain, and always the same.
type routes struct {
	list    caddyhttp.RouteList
	compile sync.Once
	chain   caddyhttp.Handler
}

// CaddyModule returns the Caddy module information.
func (Entrance) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.geosegment_entrance",
		New: func() caddy.Module { return new(Entrance) },
	}
}

var rawEntrance = json.RawMessage(`{"handler":"geosegment_entrance"}`)

// Provision makes sure that this server has its entrance.
func (e *Entrance) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if err != nil {
		return err
	}
	if _, err = app.guard(ctx, nil); err != nil {
		return err
	}
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		e.headers = app.entrances[server]
	}
	if e.headers == nil {
		e.headers = defaultStripper
	}
	return nil
}

// ServeHTTP strips, and says so to App.visitor.
func (e *Entrance) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if vars, ok := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		if _, decided := vars[varKey]; !decided { // on error routes the headers may be ours already
			e.headers.strip(r)
			vars[varKey] = stripped{}
		}
	}
	if e.routes == nil {
		return next.ServeHTTP(w, r)
	}
	e.routes.compile.Do(func() { e.routes.chain = e.routes.list.Compile(next) })
	return e.routes.chain.ServeHTTP(w, r)
}

// unguarded is the warning where guard was of no use.
const unguarded = "geosegment is used only on a named route or an error route: forged headers are removed only from requests that reach it;" +
	" if a backend reads them, use geosegment among the site's own routes too"

// guard gives the server that ctx provisions an entrance which strips names,
// too, and reports whether it has one.
//
// Caddy has no hook in front of a server's routes, but it provisions all of
// them before it compiles them into a chain, and reads Server.Routes again for
// that. So while they are being provisioned they can be replaced by one route
// that leads to them.
func (a *App) guard(ctx caddy.Context, names []string) (bool, error) {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		a.guardLater(ctx)
		return false, nil
	}
	if headers, ok := a.entrances[server]; ok {
		headers.add(names...)
		return true, nil
	}
	// A route that is not provisioned yet still has its raw handlers. Without
	// one the chain is compiled already, and we are on an error route or a
	// named route.
	if !slices.ContainsFunc(server.Routes, func(r caddyhttp.Route) bool { return r.HandlersRaw != nil }) {
		return false, nil
	}
	headers := newStripper(headerNames(defaultPrefix)...)
	headers.add(names...)
	a.entrances[server] = headers
	entrance, err := newEntranceRoute(ctx, server.Routes)
	if err != nil {
		return false, err
	}
	server.Routes = entrance
	if server.Errors != nil { // for errors before the routes; provisioned after them
		server.Errors.Routes = append(caddyhttp.RouteList{{HandlersRaw: []json.RawMessage{rawEntrance}}}, server.Errors.Routes...)
	}
	return true, nil
}

func newEntranceRoute(ctx caddy.Context, own caddyhttp.RouteList) (caddyhttp.RouteList, error) {
	list := caddyhttp.RouteList{{HandlersRaw: []json.RawMessage{rawEntrance}}}
	if err := list.ProvisionHandlers(ctx, nil); err != nil {
		return nil, fmt.Errorf("setting up the entrance: %w", err)
	}
	list[0].Handlers[0].(*Entrance).routes = &routes{list: own}
	return list, nil
}

// guardLater is guard for the matchers of a server's own routes, which Caddy
// provisions before all handlers and without saying for which server. Their
// raw form is still there, though; an entrance among the handlers of such a
// route is provisioned later, and calls guard with the server.
func (a *App) guardLater(ctx caddy.Context) {
	for _, module := range ctx.Modules() {
		app, ok := module.(*caddyhttp.App)
		if !ok {
			continue
		}
		for _, server := range app.Servers {
			for i := range server.Routes {
				route := &server.Routes[i]
				if usesMatcher(route) && !slices.ContainsFunc(route.HandlersRaw, func(raw json.RawMessage) bool { return bytes.Equal(raw, rawEntrance) }) {
					route.HandlersRaw = append([]json.RawMessage{rawEntrance}, route.HandlersRaw...)
				}
			}
		}
	}
}

// usesMatcher reports whether one of a route's raw matchers may be a segment
// matcher, in a set, under `not` or in an expression. Whatever says "segment"
// may be: an entrance too many does no harm.
func usesMatcher(route *caddyhttp.Route) bool {
	for _, set := range route.MatcherSetsRaw {
		for name, raw := range set {
			var value any
			_ = json.Unmarshal(raw, &value) // Caddy complains if it is no JSON
			if plain := fmt.Sprint(name, value); strings.Contains(plain, "segment") {
				return true
			}
		}
	}
	return false
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Entrance)(nil)
	_ caddyhttp.MiddlewareHandler = (*Entrance)(nil)
)
