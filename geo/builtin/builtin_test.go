package builtin

import (
	"net/netip"
	"regexp"
	"runtime"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
)

func open(t testing.TB) *DB {
	t.Helper()
	db, err := Database()
	if err != nil {
		t.Fatal(err)
	}
	return db
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
		{"8.8.8.8", "US", "Mountain View"},
		{"1.1.1.1", "AU", "Sydney"},
		{"151.38.1.1", "IT", "Milan"},
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
		"::/3", "4000::/2", "8000::/1", "fc00::/7", "fe80::/10", "ff00::/8", "::ffff:0:0/96", "2001:db8::/32",
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
	for number := uint32(1); number <= uint32(len(db.records)); number++ {
		var l geo.Location
		if err := db.Read(number, &l); err != nil {
			t.Fatal(err)
		}
		if _, ok := geo.CountryByCode(l.Country); !ok {
			t.Errorf("record %d has the country %q", number, l.Country)
		}
		if !l.HasPoint || !l.Point.Valid() || l.Accuracy < 25_000 {
			t.Errorf("record %d has the point %v and the accuracy radius %v", number, l.Point, l.Accuracy)
		}
		if l.City != "" && regexp.MustCompile(`\(`).MatchString(l.City) {
			t.Errorf("record %d has the district %q", number, l.City)
		}
	}
	for _, number := range []uint32{0, uint32(len(db.records)) + 1, 1<<32 - 1} {
		if err := db.Read(number, &geo.Location{}); err == nil {
			t.Errorf("Read(%d) gives no error", number)
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
	live := int64(heap() - before)
	runtime.KeepAlive(db)
	t.Logf("%.1f MB live", float64(live)/1e6)
	if live > 18_000_000 {
		t.Errorf("%d bytes are live after loading, want at most 18 MB", live)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	db := open(t)
	ipv4, ipv6 := netip.MustParseAddr("151.38.1.1"), netip.MustParseAddr("2a02:a210::1")
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = db.Find(ipv4)
		_, _ = db.Find(ipv6)
	}); n > 0 {
		t.Errorf("Find allocates %v times, want 0", n)
	}
}
