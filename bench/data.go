package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
	"github.com/geosegment/caddy-geosegment/store"
)

// many is how many addresses are asked for in turn.
const many = 1 << 18

// traffic is addresses of the networks that a database knows: few of them
// again and again, as a shop's visitors are (Zipf), or all over.
func traffic(path string) (names []string, addrs map[string][]netip.Addr, err error) {
	reader, err := maxminddb.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer reader.Close()
	random := rand.New(rand.NewPCG(1, 2))
	located := func() netip.Addr {
		for {
			x := random.Uint32()
			addr := netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
			if reader.Lookup(addr).Found() {
				return addr
			}
		}
	}
	pool := make([]netip.Addr, 100_000)
	for i := range pool {
		pool[i] = located()
	}
	zipf := rand.NewZipf(random, 1.1, 1, uint64(len(pool)-1))
	names = []string{"hot", "skewed", "uniform"}
	addrs = map[string][]netip.Addr{}
	for range many {
		addrs["hot"] = append(addrs["hot"], pool[random.IntN(1024)])
		addrs["skewed"] = append(addrs["skewed"], pool[zipf.Uint64()])
		addrs["uniform"] = append(addrs["uniform"], located())
	}
	return names, addrs, nil
}

// cityDatabase is a file in MaxMind's layout, which geoip2 and nginx read, with
// the networks and places of a flat one. It is made once: it takes a minute.
func cityDatabase(flat string) (path string, err error) {
	path = filepath.Join(filepath.Dir(flat), "bench-city.mmdb")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "making %s …\n", path)
	reader, err := maxminddb.Open(flat)
	if err != nil {
		return "", err
	}
	defer reader.Close()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", IPVersion: 4, RecordSize: 28, IncludeReservedNetworks: true})
	if err != nil {
		return "", err
	}
	for result := range reader.Networks() {
		var r struct {
			Country  string  `maxminddb:"country_code"`
			Region   string  `maxminddb:"state1"`
			City     string  `maxminddb:"city"`
			Lat, Lng float64 `maxminddb:"-"`
			Lat32    float32 `maxminddb:"latitude"`
			Lng32    float32 `maxminddb:"longitude"`
		}
		if err := result.Decode(&r); err != nil {
			return "", err
		}
		english := func(s string) mmdbtype.Map { return mmdbtype.Map{"en": mmdbtype.String(s)} }
		p := result.Prefix().Masked()
		if err := tree.Insert(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}, mmdbtype.Map{
			"country":      mmdbtype.Map{"iso_code": mmdbtype.String(r.Country), "names": english(r.Country)},
			"subdivisions": mmdbtype.Slice{mmdbtype.Map{"names": english(r.Region)}},
			"city":         mmdbtype.Map{"names": english(r.City)},
			"location":     mmdbtype.Map{"latitude": mmdbtype.Float64(r.Lat32), "longitude": mmdbtype.Float64(r.Lng32)},
		}); err != nil {
			return "", err
		}
	}
	file, err := os.Create(path + ".new")
	if err != nil {
		return "", err
	}
	if _, err := tree.WriteTo(file); err != nil {
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}

func somewhere(random *rand.Rand) geo.Point {
	return geo.Point{Lat: math.Asin(2*random.Float64()-1) * 180 / math.Pi, Lng: 360*random.Float64() - 180}
}

// stores is a list of n, all over the world.
func stores(n int) (*store.Directory, error) {
	if n == 0 {
		return nil, nil
	}
	random := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	b.WriteString("code,name,lat,lng\n")
	for i := range n {
		p := somewhere(random)
		fmt.Fprintf(&b, "S%07d,Store %d,%.5f,%.5f\n", i, i, p.Lat, p.Lng)
	}
	return store.Read(strings.NewReader(b.String()))
}

// segments is n of a shop with campaigns everywhere, each for a small part of
// the world.
func segments(n int) []segment.Segment {
	random := rand.New(rand.NewPCG(5, 6))
	list := make([]segment.Segment, n)
	for i := range list {
		p := somewhere(random)
		at := []string{fmt.Sprintf("%.4f,%.4f", p.Lat, p.Lng)}
		s := segment.Segment{Name: fmt.Sprintf("s%d", i)}
		switch i % 4 {
		case 0:
			s.Rules = []segment.Rule{{Within: &segment.Within{Radius: fmt.Sprintf("%dkm", 1+random.IntN(50)), Of: at}}}
		case 1:
			s.Rules = []segment.Rule{{City: []string{fmt.Sprintf("City %d, IT", random.IntN(n))}}, {Not: &segment.Rule{City: []string{"Naples"}}}}
		case 2:
			s.Rules = []segment.Rule{{Country: []string{"IT", "FR"}}, {Within: &segment.Within{Radius: "100km", Of: at}}}
		case 3:
			s.Match = "any"
			s.Rules = []segment.Rule{{Postal: []string{fmt.Sprintf("%05d", random.IntN(100_000))}}, {City: []string{fmt.Sprintf("City %d", random.IntN(n))}}}
		}
		list[i] = s
	}
	return list
}
