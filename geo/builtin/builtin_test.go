package builtin

import (
	"errors"
	"net/netip"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

func open(t testing.TB) *DB {
	t.Helper()
	db, err := Database()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func compile(t testing.TB, db *DB) *geo.Networks {
	t.Helper()
	networks, err := geo.CompileNetworks([]geo.Source{db}, geo.DefaultIndexMemory)
	if err != nil {
		t.Fatal(err)
	}
	return networks
}

func locate(t testing.TB, db *DB, addr netip.Addr) (l geo.Location) {
	t.Helper()
	number, err := db.Find(addr)
	if err != nil {
		t.Fatalf("Find(%s): %v", addr, err)
	}
	if number == 0 {
		return l
	}
	if err := db.Read(number, &l); err != nil {
		t.Fatalf("Read(%d) of %s: %v", number, addr, err)
	}
	return l
}

func TestKnownAddresses(t *testing.T) {
	db := open(t)
	for _, test := range []struct{ addr, country, city string }{
		{"98.234.10.1", "US", "San Jose"},
		{"104.32.1.1", "US", "Ventura"},
		{"93.34.120.10", "IT", "Milan"},
		{"213.127.1.1", "NL", "Amsterdam"},
		{"81.2.69.142", "GB", "London"},
		{"2a02:a210::1", "NL", ""},
		{"2003:e5::1", "DE", ""},
		{"2001:4860::1", "CA", ""}, // as the full database has it
	} {
		l := locate(t, db, netip.MustParseAddr(test.addr))
		if l.Country != test.country || test.city != "" && l.City != test.city {
			t.Errorf("%s is in %q, %q, want %q, %q", test.addr, l.City, l.Country, test.city, test.country)
		}
	}
}

func TestReservedSpaceIsNowhere(t *testing.T) {
	db := open(t)
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::/3", "4000::/2", "8000::/1", "fc00::/7", "fe80::/10", "ff00::/8", "2001:db8::/32",
	} {
		p := netip.MustParsePrefix(text)
		for _, addr := range spread(p, 10_000) {
			if number, err := db.Find(addr); number != 0 || err != nil {
				t.Fatalf("Find(%s) of %s = %d, %v, want 0", addr, p, number, err)
			}
		}
	}
	if number, err := db.Find(netip.Addr{}); number != 0 || err != nil {
		t.Errorf("Find(invalid) = %d, %v, want 0", number, err)
	}
}

// spread gives the first, the last and about n addresses between, evenly.
func spread(p netip.Prefix, n int) []netip.Addr {
	bits := 0
	for 1<<bits < n && p.Bits()+bits < p.Addr().BitLen() {
		bits++
	}
	var addrs []netip.Addr
	for i := range 1 << bits {
		for _, fill := range []byte{0, 0xff} {
			bytes := p.Addr().AsSlice()
			for at := p.Bits(); at < len(bytes)*8; at++ {
				set := fill > 0
				if at < p.Bits()+bits {
					set = i>>(p.Bits()+bits-1-at)&1 > 0
				}
				if set {
					bytes[at/8] |= 0x80 >> (at % 8)
				}
			}
			addr, _ := netip.AddrFromSlice(bytes)
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func TestEveryRecordIsComplete(t *testing.T) {
	db := open(t)
	seen := map[uint32]bool{0: true}
	for _, ipv6 := range []bool{false, true} {
		if err := db.Networks(ipv6, func(start netip.Addr, record uint32) error {
			if seen[record] {
				return nil
			}
			seen[record] = true
			var l geo.Location
			if err := db.Read(record, &l); err != nil {
				return err
			}
			if _, ok := geo.CountryByCode(l.Country); !ok {
				t.Errorf("%s: record %d has the country %q", start, record, l.Country)
			}
			if !l.HasPoint || !l.Point.Valid() || l.Accuracy < 25_000 {
				t.Errorf("%s: record %d has the point %v and the accuracy radius %v", start, record, l.Point, l.Accuracy)
			}
			if strings.Contains(l.City, "(") {
				t.Errorf("%s: record %d has the district %q", start, record, l.City)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 10_000 {
		t.Errorf("%d records are in use, want more than 10,000", len(seen))
	}
	for _, record := range []uint32{0, codec.Classes - 1, uint32(len(db.places)) * codec.Classes, 1<<32 - 1} {
		if err := db.Read(record, &geo.Location{}); err == nil {
			t.Errorf("Read(%d) gives no error", record)
		}
	}
}

func TestErrorsOfAddEnd(t *testing.T) {
	db := open(t)
	enough := errors.New("enough")
	for _, ipv6 := range []bool{false, true} {
		calls := 0
		err := db.Networks(ipv6, func(netip.Addr, uint32) error { calls++; return enough })
		if calls != 1 || !errors.Is(err, enough) {
			t.Errorf("add was called %d times, and Networks gave %v", calls, err)
		}
	}
}

func TestDescription(t *testing.T) {
	db := open(t)
	if !regexp.MustCompile(`^20\d\d-[01]\d$`).MatchString(db.Month()) {
		t.Errorf("Month() = %q, want a year and a month", db.Month())
	}
	if got, want := db.String(), "built-in (DB-IP City Lite "+db.Month()+", pruned)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if db.Agreement() == "" {
		t.Error("Agreement() is empty")
	}
}

func TestSize(t *testing.T) {
	if len(data) > 3_000_000 {
		t.Errorf("the data file has %d bytes, want at most 3,000,000", len(data))
	}
}

func TestMemory(t *testing.T) {
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	db, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	networks := compile(t, db)
	live := int64(heap() - before)
	runtime.KeepAlive(networks)
	t.Logf("%.1f MB live", float64(live)/1e6)
	if live > 18_000_000 {
		t.Errorf("%d bytes are live after loading, want at most 18 MB", live)
	}
}
