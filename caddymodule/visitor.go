package caddymodule

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/geosegment/caddy-geosegment/segment"
)

// told is what a decision comes to on the Caddy side: made once a decision,
// shared by all its requests, immutable.
type told struct {
	decision *segment.Decision
	engine   *segment.Engine
	values   []string // of defaultHeaders, encoded; "" where not known
	known    int      // how many of them are not ""
	replace  caddy.ReplacerFunc
}

func newTold(d *segment.Decision, e *segment.Engine) *told {
	t := &told{decision: d, engine: e, values: make([]string, len(defaultHeaders))}
	for i, h := range defaultHeaders {
		if t.values[i] = encodeHeader(h.value(d)); t.values[i] != "" {
			t.known++
		}
	}
	t.replace = t.placeholder
	return t
}

// varKey is where the request's *told is kept, so that handlers and matchers
// share one lookup, and one decision.
const varKey = "geosegment"

// visitor gives what is told of the request's visitor. The first call decides,
// and makes the placeholders known; if the request did not pass an entrance,
// it also strips the headers that only we may set.
func (a *App) visitor(r *http.Request) *told {
	ctx := r.Context()
	vars, _ := ctx.Value(caddyhttp.VarsCtxKey).(map[string]any)
	switch known := vars[varKey].(type) {
	case *told:
		return known
	case stripped:
	default:
		defaultStripper.strip(r)
	}
	t := a.decide(r, vars)
	if vars != nil {
		vars[varKey] = t
	}
	if repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(t.replace)
	}
	return t
}

// stripped in place of a *told says that an entrance has stripped the request.
type stripped struct{}

var defaultStripper = newStripper(headerNames(defaultPrefix)...)

// decide locates the visitor and decides. Nothing here can fail a request.
func (a *App) decide(r *http.Request, vars map[string]any) *told {
	g := a.current.Load()
	answer := g.locator.Nowhere()
	if addr, ok := clientAddr(r, vars); ok {
		var err error
		answer, err = g.locator.Locate(addr)
		switch {
		case err != nil:
			a.metrics.lookups.failed.Inc()
			if c := a.logger.Check(zap.DebugLevel, "a lookup failed"); c != nil {
				c.Write(zap.Error(err))
			}
		case answer.Located():
			a.metrics.lookups.located.Inc()
		default:
			a.metrics.lookups.unlocated.Inc()
		}
	} else {
		a.metrics.lookups.noAddress.Inc()
		a.logger.Debug("the client address is unknown")
	}
	visitor := segment.Visitor{Answer: answer}
	if !answer.Settled() { // the clock costs more than the rest
		visitor.Time = time.Now()
	}
	return g.engine.Decide(visitor).Finished.(*told)
}

// clientAddr is the address of the visitor as Caddy determined it. It is not
// known on a Unix socket, nor in 0-RTT data, whose address is not proven yet.
func clientAddr(r *http.Request, vars map[string]any) (netip.Addr, bool) {
	if r.TLS != nil && !r.TLS.HandshakeComplete {
		return netip.Addr{}, false
	}
	text, _ := vars[caddyhttp.ClientIPVarKey].(string)
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, true
	}
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), true
	}
	return netip.Addr{}, false
}
