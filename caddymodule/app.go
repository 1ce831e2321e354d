// Package caddymodule is the Caddy side of geosegment: the app that owns the
// data, the handler, the matcher, and their Caddyfile. It has no rules and no
// geometry of its own.
//
//	client address ──► locator ──► answer of the record ──► decision ──► told
//	                                                                      ├ request headers
//	                                                                      ├ placeholders
//	                                                                      └ rewrite ──► next handler
package caddymodule

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin"
	"github.com/geosegment/caddy-geosegment/segment"
)

func init() {
	caddy.RegisterModule(App{})
}

// App locates visitors and decides which segments they are in, for the
// `geosegment` handler and the `segment` matcher.
//
// A file that is missing, damaged or contradictory is an error when the
// configuration is loaded. While the server runs nothing fails: a visitor who
// cannot be located is in no segment, except in those that ask for it.
type App struct {
	// MaxMind-DB files to locate visitors with, asked in order; the first
	// that knows a field wins. So City and ASN, or an IPv4 and an IPv6 file,
	// make one answer. GeoIP2 and GeoLite2 files are read, DB-IP's, and flat
	// ones. At most eight. Default: a coarse one that is built in.
	Databases []string `json:"databases,omitempty"`

	// How many database records to keep the finished answers of. A database
	// has far fewer records than addresses. Default: 65536.
	CacheSize int `json:"cache_size,omitempty"`

	// The most memory, in bytes, that the table of networks may take for each
	// family of addresses. Without the table every address is looked up in
	// the files, which is slower. Default: 268435456 (256 MiB).
	IndexMemory int `json:"index_memory,omitempty"`

	// The accuracy radius to assume where the database states none, like
	// `25km`. Default: unknown.
	DefaultAccuracy string `json:"default_accuracy,omitempty"`

	// How often files are checked for a new version, which is loaded beside
	// the old one and swapped in. A new version that cannot be loaded is
	// logged, and the old one stays. Negative: never. Default: 10s.
	ReloadInterval caddy.Duration `json:"reload_interval,omitempty"`

	// CSV files with names for `within`, with the columns `name`, `lat` and
	// `lng`.
	Places []string `json:"places,omitempty"`

	// GeoJSON files with polygons for `in_area`, named by their property
	// `name`.
	Areas []string `json:"areas,omitempty"`

	// A CSV file with the stores, with the columns `code`, `name`, `lat` and
	// `lng`, and any others.
	Stores string `json:"stores,omitempty"`

	// The segments. The first that matches a visitor is the primary one.
	Segments []segment.Segment `json:"segments,omitempty"`

	current   *atomic.Pointer[generation]
	entrances map[*caddyhttp.Server]*stripper
	metrics   *metrics
	logger    *zap.Logger
	stop      chan struct{}

	// Of the last version that could not be loaded; only for reload.
	refused   []fileVersion
	refusedAt time.Time
}

// CaddyModule returns the Caddy module information.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "geosegment",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision loads the data.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	a.entrances = map[*caddyhttp.Server]*stripper{}
	if err := a.check(); err != nil {
		return err
	}
	if a.CacheSize == 0 {
		a.CacheSize = geo.DefaultCacheSize
	}
	if a.IndexMemory == 0 {
		a.IndexMemory = geo.DefaultIndexMemory
	}
	if a.ReloadInterval == 0 {
		a.ReloadInterval = caddy.Duration(10 * time.Second)
	}
	repl := caddy.NewReplacer()
	for _, paths := range [][]string{a.Databases, a.Places, a.Areas} {
		for i := range paths {
			paths[i] = repl.ReplaceAll(paths[i], "")
		}
	}
	a.Stores = repl.ReplaceAll(a.Stores, "")
	var err error
	if a.metrics, err = newMetrics(ctx.GetMetricsRegistry()); err != nil {
		return err
	}
	g, err := a.load()
	if err != nil {
		return err
	}
	a.current = new(atomic.Pointer[generation])
	a.current.Store(g)
	a.logLoaded("loaded", g)
	if db, ok := g.sources[0].(*builtin.DB); ok {
		a.logger.Info("visitors are located with the coarse built-in database; for a full one write `database FILE` into the geosegment options",
			zap.String("month", db.Month()), zap.String("agreement_with_the_full_one", db.Agreement()), zap.String("attribution", builtin.Attribution))
	}
	return nil
}

// minReloadInterval keeps a slip of the pen from checking files all the time.
const minReloadInterval = 10 * time.Millisecond

// check refuses numbers out of range, before all data is loaded in vain.
func (a *App) check() error {
	if a.CacheSize < 0 {
		return fmt.Errorf("cache_size %d: it must be above zero", a.CacheSize)
	}
	if a.IndexMemory < 0 {
		return fmt.Errorf("index_memory %d: it must not be below zero", a.IndexMemory)
	}
	if a.ReloadInterval > 0 && a.ReloadInterval < caddy.Duration(minReloadInterval) {
		return fmt.Errorf("reload_interval %s: expected at least %s", time.Duration(a.ReloadInterval), minReloadInterval)
	}
	return nil
}

// Start begins to watch the files.
func (a *App) Start() error {
	// Loading leaves behind a few times the memory that the data takes.
	go debug.FreeOSMemory()
	if a.ReloadInterval > 0 {
		a.stop = make(chan struct{})
		go a.watch(a.stop)
	}
	return nil
}

// Stop ends the watching. The data stays, as requests may still be running.
func (a *App) Stop() error {
	if a.stop != nil {
		close(a.stop)
	}
	return nil
}

// maxWarnings is how many rules are complained of one by one.
const maxWarnings = 20

func (a *App) logLoaded(message string, g *generation) {
	fields := []zap.Field{zap.Int("segments", len(g.engine.Names())), zap.Int("segments_tested_everywhere", g.engine.AlwaysTested())}
	if g.stores != nil {
		fields = append(fields, zap.Int("stores", g.stores.Len()))
	}
	var databases []string
	for _, source := range g.sources {
		databases = append(databases, source.String())
	}
	warnings, count := g.engine.Warnings(maxWarnings)
	for _, warning := range warnings {
		a.logger.Warn("a rule looks wrong; it may never match", zap.Error(warning))
	}
	if more := count - len(warnings); more > 0 {
		a.logger.Warn("more rules look wrong", zap.Int("count", more))
	}
	if g.walks {
		a.logger.Warn("the table of networks would take more than index_memory allows; addresses are looked up in the files, which is slower",
			zap.Int("index_memory", a.IndexMemory))
	}
	for _, never := range g.never {
		a.logger.Warn("a rule cannot match", zap.String("rule", never))
	}
	a.logger.Info(message, append(fields, zap.Strings("databases", databases))...)
}

// appOf is the app of a configuration. Its data is loaded when it returns.
func appOf(ctx caddy.Context) (*App, error) {
	app, err := ctx.App("geosegment")
	if err != nil {
		return nil, err
	}
	a, ok := app.(*App)
	if !ok {
		return nil, errors.New("the app geosegment is not this module's")
	}
	return a, nil
}

// Interface guards
var (
	_ caddy.App         = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
