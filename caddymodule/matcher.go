package caddymodule

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(MatchSegment{})
}

// MatchSegment matches requests of visitors who are in one of the segments. It
// works with and without the `geosegment` handler.
type MatchSegment struct {
	// The names of the segments; one of them is enough.
	Names []string `json:"names,omitempty"`

	app      *App
	segments []int
}

// CaddyModule returns the Caddy module information.
func (MatchSegment) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.matchers.segment",
		New: func() caddy.Module { return new(MatchSegment) },
	}
}

// Provision finds the segments.
func (m *MatchSegment) Provision(ctx caddy.Context) error {
	var err error
	if m.app, err = appOf(ctx); err != nil {
		return err
	}
	if len(m.Names) == 0 {
		return errors.New("the segment matcher needs the name of a segment")
	}
	for _, name := range m.Names {
		i, err := m.app.current.Load().engine.FindSegment(name)
		if err != nil {
			return err
		}
		m.segments = append(m.segments, i)
	}
	guarded := m.app.guard(ctx, nil)
	if _, inServer := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); inServer && !guarded {
		ctx.Logger().Warn(unguarded)
	}
	return nil
}

// MatchWithError implements caddyhttp.RequestMatcherWithError. It never gives
// an error.
func (m MatchSegment) MatchWithError(r *http.Request) (bool, error) {
	return slices.ContainsFunc(m.segments, m.app.visitor(r).decision.Matches), nil
}

// CELLibrary makes the matcher available in expressions.
//
// Example:
//
//	expression segment('near_milan') && path('/offers/*')
func (MatchSegment) CELLibrary(ctx caddy.Context) (cel.Library, error) {
	return caddyhttp.CELMatcherImpl(
		"segment",
		"segment_match_request_list",
		[]*cel.Type{cel.ListType(cel.StringType)},
		func(data ref.Val) (caddyhttp.RequestMatcherWithError, error) {
			names, err := data.ConvertToNative(reflect.TypeFor[[]string]())
			if err != nil {
				return nil, err
			}
			m := MatchSegment{Names: names.([]string)}
			err = m.Provision(ctx)
			return m, err
		},
	)
}

// Interface guards
var (
	_ caddy.Provisioner                 = (*MatchSegment)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchSegment)(nil)
	_ caddyhttp.CELLibraryProducer      = (*MatchSegment)(nil)
)
