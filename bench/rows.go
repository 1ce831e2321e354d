package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/golang/geo/s2"
	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/tidwall/rtree"
	"gonum.org/v1/gonum/spatial/kdtree"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
)

type bench struct{ ipv4, ipv6 string }

func itself(l *geo.Location) *geo.Location { return l }

// networks is the compiled table of a file.
func networks(paths ...string) (*geo.Networks, error) {
	var sources []geo.Source
	for _, path := range paths {
		db, err := geo.OpenDatabase(path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, db)
	}
	return geo.CompileNetworks(sources, geo.DefaultIndexMemory)
}

var sink any

// records: address to record, and to the decoded location.
func (b *bench) records() error {
	names, addrs, err := traffic(b.ipv4)
	if err != nil {
		return err
	}
	n, err := networks(b.ipv4)
	if err != nil {
		return err
	}
	reader, err := maxminddb.Open(b.ipv4)
	if err != nil {
		return err
	}
	cityPath, err := cityDatabase(b.ipv4)
	if err != nil {
		return err
	}
	city, err := geoip2.Open(cityPath)
	if err != nil {
		return err
	}
	nCity, err := networks(cityPath)
	if err != nil {
		return err
	}
	for _, name := range names {
		list := addrs[name]
		i, j := 0, 0
		compare("record of an address, "+name,
			side{"", func(k int) {
				for range k {
					r, _ := n.Records(list[i%many])
					sink, i = nil, i+1+int(r[0]&0)
				}
			}},
			side{"maxminddb Lookup", func(k int) {
				for range k {
					j += 1 + int(reader.Lookup(list[j%many]).Offset()&0)
				}
			}})
		locator, err := geo.NewLocator(nCity, 1<<20, geo.Defaults{}, itself)
		if err != nil {
			return err
		}
		for _, addr := range list {
			_, _ = locator.Locate(addr)
		}
		compare("location of an address, "+name,
			side{"", func(k int) {
				for range k {
					l, _ := locator.Locate(list[i%many])
					if l == nil {
						panic("no location")
					}
					i++
				}
			}},
			side{"geoip2 City", func(k int) {
				for range k {
					if c, err := city.City(list[j%many]); err != nil || c == nil {
						panic(err)
					}
					j++
				}
			}})
	}
	return nil
}

// decider makes decisions of addresses as text.
func decider(n *geo.Networks, segmentCount, storeCount int) (decide func(text string) *segment.Decision, answer func(*geo.Location) *segment.Answer, err error) {
	directory, err := stores(storeCount)
	if err != nil {
		return nil, nil, err
	}
	engine, err := segment.Compile(segments(segmentCount), segment.Options{Stores: directory})
	if err != nil {
		return nil, nil, err
	}
	locator, err := geo.NewLocator(n, geo.DefaultCacheSize, geo.Defaults{}, engine.Answer)
	if err != nil {
		return nil, nil, err
	}
	return func(text string) *segment.Decision {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			panic(err)
		}
		answer, err := locator.Locate(addr)
		if err != nil {
			panic(err)
		}
		return engine.Decide(segment.Visitor{Answer: answer})
	}, engine.Answer, nil
}

// decisions: address text to decision, against geoip2 alone.
func (b *bench) decisions() error {
	names, addrs, err := traffic(b.ipv4)
	if err != nil {
		return err
	}
	cityPath, err := cityDatabase(b.ipv4)
	if err != nil {
		return err
	}
	city, err := geoip2.Open(cityPath)
	if err != nil {
		return err
	}
	n, err := networks(cityPath)
	if err != nil {
		return err
	}
	texts := map[string][]string{}
	for name, list := range addrs {
		for _, a := range list {
			texts[name] = append(texts[name], a.String())
		}
	}
	for _, size := range []struct{ segments, stores int }{{10, 0}, {10, 100_000}, {1000, 100_000}, {5000, 100_000}, {100_000, 100_000}, {100_000, 1_000_000}} {
		decide, _, err := decider(n, size.segments, size.stores)
		if err != nil {
			return err
		}
		for _, name := range names {
			list := texts[name]
			for _, text := range list {
				decide(text)
			}
			i, j := 0, 0
			compare(fmt.Sprintf("text to decision, %d segments, %d stores, %s", size.segments, size.stores, name),
				side{"", func(k int) {
					for range k {
						if decide(list[i%many]) == nil {
							panic("no decision")
						}
						i++
					}
				}},
				side{"geoip2 City alone", func(k int) {
					for range k {
						if c, err := city.City(addrs[name][j%many]); err != nil || c == nil {
							panic(err)
						}
						j++
					}
				}})
		}
		if size.segments == 5000 {
			list := texts["skewed"]
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range 10 {
				for _, text := range list[:1000] {
					decide(text)
				}
			}
			runtime.ReadMemStats(&after)
			fmt.Printf("| …allocations of 10,000 warm decisions | %d | | |\n", after.Mallocs-before.Mallocs)
		}
	}
	return nil
}

// processors: what a second processor adds.
func (b *bench) processors() error {
	_, addrs, err := traffic(b.ipv4)
	if err != nil {
		return err
	}
	n, err := networks(b.ipv4)
	if err != nil {
		return err
	}
	decide, _, err := decider(n, 5000, 100_000)
	if err != nil {
		return err
	}
	var texts []string
	for _, a := range addrs["skewed"] {
		texts = append(texts, a.String())
	}
	for _, text := range texts {
		decide(text)
	}
	work := func(k, offset int) {
		for i := range k {
			decide(texts[(i+offset)%many])
		}
	}
	compare("throughput of two goroutines, 5,000 segments, skewed",
		side{"", func(k int) {
			var both sync.WaitGroup
			both.Go(func() { work(k/2, 0) })
			both.Go(func() { work(k-k/2, many/2) })
			both.Wait()
		}},
		side{"one goroutine", func(k int) { work(k, 0) }})
	return nil
}

// answers: what a location that was never seen costs.
func (b *bench) answers() error {
	l := &geo.Location{Country: "IT", Continent: "EU", EU: true, City: "Milan", TimeZone: "Europe/Rome", Postal: "20121", Point: geo.Point{Lat: 45.4643, Lng: 9.1895}, HasPoint: true, Accuracy: 20_000}
	for _, size := range []int{10, 1000, 5000, 100_000} {
		engine, err := segment.Compile(segments(size), segment.Options{})
		if err != nil {
			return err
		}
		alone(fmt.Sprintf("a new location, %d segments", size), side{"", func(k int) {
			for range k {
				engine.Answer(l)
			}
		}})
	}
	return nil
}

// storePoint is a point of gonum's tree.
type storePoint = kdtree.Point

// nearest: the nearest store.
func (b *bench) nearest() error {
	for _, n := range []int{100_000, 1_000_000} {
		random := rand.New(rand.NewPCG(7, 8))
		points := make([]geo.Point, n)
		tree := make(kdtree.Points, n)
		var boxes rtree.RTree
		shapes := s2.NewShapeIndex()
		vector := make(s2.PointVector, n)
		for i := range points {
			points[i] = somewhere(random)
			v := s2.PointFromLatLng(s2.LatLngFromDegrees(points[i].Lat, points[i].Lng))
			tree[i] = storePoint{v.X, v.Y, v.Z}
			vector[i] = v
			at := [2]float64{points[i].Lng, points[i].Lat}
			boxes.Insert(at, at, i)
		}
		shapes.Add(&vector)
		shapes.Build()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		index := geo.NewIndex(n, func(id int) geo.Point { return points[id] })
		built := time.Since(start)
		runtime.GC()
		runtime.ReadMemStats(&after)
		fmt.Printf("| index of %d stores: time to build, bytes a store | %d ms, %.1f B | | |\n", n, built.Milliseconds(), float64(after.HeapAlloc-before.HeapAlloc)/float64(n))
		gonum := kdtree.New(tree, false)
		queries := make([]geo.Point, 1<<16)
		for i := range queries {
			queries[i] = somewhere(random)
		}
		i := 0
		ours := side{"", func(k int) {
			for range k {
				index.Nearest(queries[i%len(queries)])
				i++
			}
		}}
		name := fmt.Sprintf("nearest of %d stores", n)
		compare(name, ours, side{"gonum kdtree", func(k int) {
			for range k {
				v := s2.PointFromLatLng(s2.LatLngFromDegrees(queries[i%len(queries)].Lat, queries[i%len(queries)].Lng))
				gonum.Nearest(storePoint{v.X, v.Y, v.Z})
				i++
			}
		}})
		compare(name, ours, side{"golang/geo s2", func(k int) {
			query := s2.NewClosestEdgeQuery(shapes, s2.NewClosestEdgeQueryOptions().MaxResults(1))
			for range k {
				v := s2.PointFromLatLng(s2.LatLngFromDegrees(queries[i%len(queries)].Lat, queries[i%len(queries)].Lng))
				query.FindEdges(s2.NewMinDistanceToPointTarget(v))
				i++
			}
		}})
		compare(name, ours, side{"tidwall/rtree (flat earth)", func(k int) {
			for range k {
				q := queries[i%len(queries)]
				at := [2]float64{q.Lng, q.Lat}
				boxes.Nearby(rtree.BoxDist[float64, any](at, at, nil), func(_, _ [2]float64, _ any, _ float64) bool { return false })
				i++
			}
		}})
	}
	return nil
}

// circles: which of many circles hold a point.
func (b *bench) circles() error {
	const n = 100_000
	random := rand.New(rand.NewPCG(9, 10))
	list := make([]segment.Segment, n)
	centres := make([]geo.Point, n)
	radii := make([]float64, n)
	var boxes rtree.RTree
	for i := range list {
		centres[i] = somewhere(random)
		radii[i] = float64(1000 * (20 + random.IntN(180)))
		list[i] = segment.Segment{Name: fmt.Sprintf("s%d", i), Rules: []segment.Rule{{Within: &segment.Within{
			Radius: fmt.Sprintf("%.0fm", radii[i]), Of: []string{fmt.Sprintf("%.6f,%.6f", centres[i].Lat, centres[i].Lng)},
		}}}}
		box := geo.BoundsOfCircle(centres[i], radii[i])
		for _, turn := range []float64{0, 360} { // a box over the date line is there twice
			if turn == 0 || box.East > 180 {
				boxes.Insert([2]float64{box.West - turn, box.South}, [2]float64{box.East - turn, box.North}, i)
			}
		}
	}
	engine, err := segment.Compile(list, segment.Options{})
	if err != nil {
		return err
	}
	queries := make([]*geo.Location, 4096)
	hits := 0
	for i := range queries {
		queries[i] = &geo.Location{Country: "IT", Point: somewhere(random), HasPoint: true}
		hits += len(engine.Decide(segment.Visitor{Answer: engine.Answer(queries[i])}).Segments)
	}
	i := 0
	ours := side{"", func(k int) {
		for range k {
			engine.Answer(queries[i%len(queries)])
			i++
		}
	}}
	what := fmt.Sprintf("which of 100,000 circles hold a point (%.0f do), as a whole answer", math.Round(float64(hits)/float64(len(queries))))
	compare(what, ours, side{"tidwall/rtree and distances", func(k int) {
		for range k {
			p := queries[i%len(queries)].Point
			at := [2]float64{p.Lng, p.Lat}
			var found []int
			boxes.Search(at, at, func(_, _ [2]float64, data any) bool {
				if c := data.(int); geo.Distance(p, centres[c]) <= radii[c] {
					found = append(found, c)
				}
				return true
			})
			sink = found
			i++
		}
	}})
	compare(what, ours, side{"linear", func(k int) {
		for range k {
			p := queries[i%len(queries)].Point
			var found []int
			for c := range centres {
				if geo.Distance(p, centres[c]) <= radii[c] {
					found = append(found, c)
				}
			}
			sink = found
			i++
		}
	}})
	return nil
}

// loading: everything of a large shop, and what it takes.
func (b *bench) loading() error {
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	step := func(what string, do func() error) error {
		before, start := heap(), time.Now()
		if err := do(); err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Printf("| %s | %d ms, %.0f MB | | |\n", what, took.Milliseconds(), heap()-before)
		return nil
	}
	var files []geo.Source
	if err := step("read both DB-IP files", func() error {
		for _, path := range []string{b.ipv4, b.ipv6} {
			db, err := geo.OpenDatabase(path)
			if err != nil {
				return err
			}
			files = append(files, db)
		}
		return nil
	}); err != nil {
		return err
	}
	var n *geo.Networks
	if err := step("compile their networks", func() (err error) {
		n, err = geo.CompileNetworks(files, geo.DefaultIndexMemory)
		return err
	}); err != nil {
		return err
	}
	var decide any
	if err := step("1,000,000 stores and 5,000 segments, with writing the list", func() (err error) {
		decide, _, err = decider(n, 5000, 1_000_000)
		return err
	}); err != nil {
		return err
	}
	sink = []any{decide, n}
	return nil
}
