package main

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
	"github.com/oschwald/maxminddb-golang/v2"
)

// family is one of the two input files.
type family struct {
	name     string
	bits     int // how deep the tree goes: what is finer is not told apart
	unit     int // the prefix length that weighs 1: an address, a /48
	reserved []netip.Prefix
	damping  float64 // a network of n units counts as n to this power in what pruning minimises
	share    float64 // and all of them together as this

	weighings []weighing // for the report

	month    string
	networks []network // in order of start
	records  []record
}

// network is a network of the full database. What is below the uppermost 64
// bits of an address is not looked at.
type network struct {
	start  uint64
	bits   int16
	record int32
}

// record is a record of the full database.
type record struct {
	country, region, city string
	point                 geo.Point
	label                 int32
}

// weighing is a way to count agreement.
type weighing struct {
	name string
	of   func(units float64) float64
}

func linear(units float64) float64 { return units }

func newIPv4() *family {
	return &family{name: "IPv4", bits: codec.DepthIPv4, unit: 32, reserved: reservedIPv4, damping: 1, share: 1,
		weighings: []weighing{{"address", linear}}}
}

// Of IPv6, whole /12s that nobody has been given are in the full database,
// beside /48s that a city's subscribers share: damping keeps the few large
// networks from being all that counts.
func newIPv6() *family {
	return &family{name: "IPv6", bits: codec.DepthIPv6, unit: 48, reserved: reservedIPv6, damping: 0.5, share: 0.5,
		weighings: []weighing{{"/48", linear}, {"square root of /48s", math.Sqrt}}}
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

var (
	// RFC 6890 and its successors, and multicast and class E space: nobody
	// comes from there, and whatever a database says of them is wrong.
	reservedIPv4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")
	// All but the global unicast space 2000::/3, and documentation.
	reservedIPv6 = prefixes("::/3", "2001:db8::/32", "3fff::/20", "4000::/2", "8000::/1")
)

// start is the uppermost 64 bits of an address.
func start(a netip.Addr) uint64 {
	b := a.As16()
	if a.Is4() {
		b4 := a.As4()
		return uint64(b4[0])<<56 | uint64(b4[1])<<48 | uint64(b4[2])<<40 | uint64(b4[3])<<32
	}
	var s uint64
	for _, x := range b[:8] {
		s = s<<8 | uint64(x)
	}
	return s
}

// units is what a prefix weighs.
func (f *family) units(bits int) float64 { return math.Ldexp(1, f.unit-bits) }

// load reads a file.
func (f *family) load(path string) error {
	db, err := geo.OpenDatabase(path)
	if err != nil {
		return err
	}
	f.month = db.Built().Format("2006-01")
	reader, err := maxminddb.Open(path)
	if err != nil {
		return err
	}
	defer reader.Close()
	known := map[uintptr]int32{}
	for result := range reader.Networks() {
		if err := result.Err(); err != nil {
			return err
		}
		id, ok := known[result.Offset()]
		if !ok {
			var l geo.Location
			if err := db.Read(uint32(result.Offset())+1, &l); err != nil {
				return err
			}
			id = int32(len(f.records))
			known[result.Offset()] = id
			if l.Country == "" || !l.HasPoint {
				return fmt.Errorf("%s: a record without country or point", result.Prefix())
			}
			f.records = append(f.records, record{l.Country, l.Region().Name, l.City, l.Point, 0})
		}
		f.add(result.Prefix(), id)
	}
	return nil
}

// add adds a network, without the reserved space in it.
func (f *family) add(p netip.Prefix, id int32) {
	for _, r := range f.reserved {
		if r.Overlaps(p) {
			if r.Bits() <= p.Bits() {
				return
			}
			low, high := halves(p)
			f.add(low, id)
			f.add(high, id)
			return
		}
	}
	f.networks = append(f.networks, network{start(p.Addr()), int16(p.Bits()), id})
}

func halves(p netip.Prefix) (low, high netip.Prefix) {
	bytes := p.Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	second, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(p.Addr(), p.Bits()+1), netip.PrefixFrom(second, p.Bits()+1)
}

// reservedAt reports whether all of a prefix is reserved.
func (f *family) reservedAt(start64 uint64, bits int) bool {
	for _, r := range f.reserved {
		if r.Bits() <= bits && (start(r.Addr())^start64)>>(64-r.Bits()) == 0 {
			return true
		}
	}
	return false
}

// label is a place that the trees can refer to.
type label struct {
	codec.Place
	at              [3]float32 // on the unit sphere
	country, region int32      // labels of what it is in; itself for a country or region
	point           geo.Point
}

// clusterRadius is how far records with the same names may lie from a label's
// centre, in metres; those beyond get another label of the same name.
const clusterRadius = 12_000

// makeLabels gathers the records of all families under labels, and gives each
// record its own. Districts ("Amsterdam (Westpoort)") become their city.
func makeLabels(families []*family) []label {
	type spot struct {
		point  geo.Point
		weight float64
		record *record
	}
	type name struct{ country, region, city string }
	groups := map[name][]spot{}
	for _, f := range families {
		weights := make([]float64, len(f.records))
		total := 0.0
		for _, n := range f.networks {
			w := f.damped(int(n.bits))
			weights[n.record] += w
			total += w
		}
		for i := range f.records {
			r := &f.records[i]
			r.city, _, _ = strings.Cut(r.city, " (")
			for _, k := range []name{{r.country, r.region, r.city}, {r.country, r.region, ""}, {r.country, "", ""}} {
				s := spot{r.point, weights[i] / total, r}
				if k.city == "" {
					s.record = nil
				}
				groups[k] = append(groups[k], s)
				if k.city == "" && k.region == "" {
					break
				}
			}
		}
	}
	names := make([]name, 0, len(groups))
	for k := range groups {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b name) int {
		return cmp.Or(cmp.Compare(a.country, b.country), cmp.Compare(a.region, b.region), cmp.Compare(a.city, b.city))
	})
	labels := []label{{}}
	var country, region int32
	for _, k := range names {
		spots := groups[k]
		slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Compare(b.weight, a.weight) })
		for len(spots) > 0 {
			id := int32(len(labels))
			if k.city == "" {
				region = id
				if k.region == "" {
					country = id
				}
			}
			var centre [3]float64
			left := spots[:0]
			first := spots[0]
			for _, s := range spots {
				if k.city != "" && geo.Distance(first.point, s.point) > clusterRadius {
					left = append(left, s)
					continue
				}
				v := vector(s.point)
				for i := range centre {
					centre[i] += v[i] * (s.weight + 1e-12)
				}
				if s.record != nil {
					s.record.label = id
				}
			}
			labels = append(labels, newLabel(k.country, k.region, k.city, centre, country, region))
			spots = left
		}
	}
	for _, f := range families {
		for i := range f.records {
			if r := &f.records[i]; r.label == 0 {
				r.label = int32(slices.IndexFunc(labels, func(l label) bool { return l.Country == r.country && l.Region == r.region && l.City == "" }))
			}
		}
	}
	return labels
}

// newLabel makes a label whose point is the direction of centre, rounded.
func newLabel(country, region, city string, centre [3]float64, countryLabel, regionLabel int32) label {
	lat := math.Atan2(centre[2], math.Hypot(centre[0], centre[1])) * 180 / math.Pi
	lng := math.Atan2(centre[1], centre[0]) * 180 / math.Pi
	l := label{
		Place:   codec.Place{Country: country, Region: region, City: city, Lat: int16(math.Round(lat / codec.Unit)), Lng: int16(math.Round(lng / codec.Unit))},
		country: countryLabel, region: regionLabel,
	}
	l.point = l.Place.Point()
	for i, x := range vector(l.point) {
		l.at[i] = float32(x)
	}
	return l
}

func vector(p geo.Point) [3]float64 {
	const rad = math.Pi / 180
	return [3]float64{math.Cos(p.Lat*rad) * math.Cos(p.Lng*rad), math.Cos(p.Lat*rad) * math.Sin(p.Lng*rad), math.Sin(p.Lat * rad)}
}

// damped is what a network weighs in the distortion.
func (f *family) damped(bits int) float64 {
	u := f.units(bits)
	if u > 1 {
		u = math.Pow(u, f.damping)
	}
	return u
}
