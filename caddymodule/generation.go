package caddymodule

import (
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin"
	"github.com/geosegment/caddy-geosegment/geo/gazetteer"
	"github.com/geosegment/caddy-geosegment/segment"
	"github.com/geosegment/caddy-geosegment/store"
)

// generation is one consistent version of all data and what was made of it.
// It is immutable but for the locator's cache, which belongs to it alone, so
// that nothing of an old version is ever served with a new one.
type generation struct {
	sources []geo.Source
	locator *geo.Locator[segment.Answer]
	engine  *segment.Engine
	stores  *store.Directory // nil where there are none
	files   []fileVersion
	never   []string // rules that no database can answer
	walks   bool     // the table of networks would take more than allowed
}

// fileVersion is what a file looked like when it was loaded.
type fileVersion struct {
	path string
	info fs.FileInfo // nil if it could not be seen
}

func (v fileVersion) same(w fileVersion) bool {
	if v.info == nil || w.info == nil {
		return v.info == nil && w.info == nil
	}
	return os.SameFile(v.info, w.info) && v.info.Size() == w.info.Size() && v.info.ModTime().Equal(w.info.ModTime()) &&
		v.info.Mode() == w.info.Mode() // one that could not be read may have become readable
}

// look sees which version every file is now.
func (a *App) look() []fileVersion {
	paths := slices.Concat(a.Databases, a.Places, a.Areas)
	if a.Stores != "" {
		paths = append(paths, a.Stores)
	}
	files := make([]fileVersion, len(paths))
	for i, path := range paths {
		files[i].path = path
		if info, err := os.Stat(path); err == nil {
			files[i].info = info
		}
	}
	return files
}

// load makes a generation of the files as they are now.
func (a *App) load() (*generation, error) {
	g := &generation{files: a.look()} // before reading: a change meanwhile is seen later
	go decodeNames()                  // beside the databases
	if len(a.Databases) == 0 {
		db, err := builtin.Database()
		if err != nil {
			return nil, err
		}
		g.sources = append(g.sources, db)
	}
	for _, path := range a.Databases {
		db, err := geo.OpenDatabase(path)
		if err != nil {
			return nil, err
		}
		g.sources = append(g.sources, db)
	}
	var defaults geo.Defaults
	if a.DefaultAccuracy != "" {
		var err error
		if defaults.Accuracy, err = geo.ParseLength(a.DefaultAccuracy); err != nil {
			return nil, fmt.Errorf("default_accuracy: %w", err)
		}
	}
	names, err := gazetteer.Builtin()
	if err != nil {
		return nil, err
	}
	defaults.Zones = names
	places, err := geo.ReadPlaces(names, a.Places...)
	if err != nil {
		return nil, err
	}
	areas, err := geo.ReadAreas(a.Areas...)
	if err != nil {
		return nil, err
	}
	if a.Stores != "" {
		if g.stores, err = store.ReadFile(a.Stores); err != nil {
			return nil, err
		}
	}
	if g.stores != nil {
		for _, column := range g.stores.Columns() {
			if _, taken := decisionPlaceholders["store."+column]; taken {
				return nil, fmt.Errorf("stores %s: the column %s has the name of a placeholder of geosegment's own, {store.%s}: give it another", a.Stores, column, column)
			}
		}
	}
	g.engine, err = segment.Compile(a.Segments, segment.Options{
		Places: places,
		Cities: names,
		Areas:  areas,
		Stores: g.stores,
		Finish: func(d *segment.Decision) any { return newTold(d, g.engine) },
	})
	if err != nil {
		return nil, err
	}
	networks, err := geo.CompileNetworks(g.sources, a.IndexMemory)
	if err != nil {
		return nil, err
	}
	g.walks = !networks.Compiled()
	g.locator, err = geo.NewLocator(networks, a.CacheSize, defaults, g.engine.Answer)
	if err == nil {
		g.never = g.unanswerable()
	}
	return g, err
}

// sampled is how many locations of a family are looked at to see what a
// database states.
const sampled = 2000

// unanswerable tells of rules that need what no database states.
func (g *generation) unanswerable() (never []string) {
	if len(g.engine.Needs()) == 0 {
		return nil
	}
	seen, stated := 0, map[string]bool{}
	g.locator.Sample(sampled, func(l *geo.Location) {
		seen++
		for field, known := range map[string]bool{"postal": l.Postal != "", "metro": l.Metro != 0, "asn": l.ASN != 0, "accuracy": l.Accuracy != 0} {
			stated[field] = stated[field] || known
		}
	})
	if seen == 0 {
		return nil
	}
	what := map[string]string{"postal": "postal codes", "metro": "metro codes", "asn": "network numbers", "accuracy": "an accuracy radius: set default_accuracy"}
	for _, need := range g.engine.Needs() {
		if !stated[need.Field] {
			never = append(never, fmt.Sprintf("%s: no database states %s", need.Where, what[need.Field]))
		}
	}
	return never
}

// decodeNames makes the built-in names ready before they are asked for.
func decodeNames() {
	if names, err := gazetteer.Builtin(); err == nil { // whoever asks gets the error
		names.Zone("US", geo.Point{})
	}
	geo.RegionByCode("")
}

// watch checks the files until stop is closed.
func (a *App) watch(stop <-chan struct{}) {
	ticker := time.NewTicker(time.Duration(a.ReloadInterval))
	defer ticker.Stop()
	seen := a.current.Load().files
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			seen = a.reload(seen)
		}
	}
}

// reload loads a new version of the files, once they differ from the loaded or
// refused ones and have not changed since the last look: a file that is still
// being written would be loaded by halves. It returns what it saw.
func (a *App) reload(seen []fileVersion) []fileVersion {
	now := a.look()
	if !sameFiles(now, seen) || sameFiles(now, a.current.Load().files) {
		return now
	}
	again := sameFiles(now, a.refused)
	if again && time.Since(a.refusedAt) < retryRefused {
		return now
	}
	g, err := a.tryLoad()
	if err != nil {
		a.refused, a.refusedAt = now, time.Now()
		if !again {
			a.metrics.reloads.failed.Inc()
			a.logger.Error("a new version of the data cannot be used; the old one stays", zap.Error(err))
		}
		return now
	}
	a.refused = nil
	a.current.Store(g)
	a.metrics.reloads.succeeded.Inc()
	a.logLoaded("loaded a new version of the data", g)
	debug.FreeOSMemory() // of the old version, if nobody uses it any more, and of loading
	return now
}

// retryRefused is when a version that could not be loaded is tried again: the
// cause may have been another one than the files.
const retryRefused = time.Minute

// tryLoad is load while the server runs, which a mistake in reading some file
// must not end.
func (a *App) tryLoad() (g *generation, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the data failed, which is a mistake in geosegment: %v", r)
		}
	}()
	return a.load()
}

func sameFiles(a, b []fileVersion) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].same(b[i]) {
			return false
		}
	}
	return true
}
