package main

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// world is a family with random networks of a few cities far from each other.
func world(random *rand.Rand) *family {
	f := newIPv4()
	f.records = []record{
		{country: "IT", region: "Lombardy", city: "Milan (Brera)", point: geo.Point{Lat: 45.47, Lng: 9.19}},
		{country: "IT", region: "Piedmont", city: "Turin", point: geo.Point{Lat: 45.07, Lng: 7.69}},
		{country: "NL", region: "North Holland", city: "Amsterdam", point: geo.Point{Lat: 52.37, Lng: 4.9}},
		{country: "IT", region: "Lombardy", city: "Milan (Lambrate)", point: geo.Point{Lat: 45.48, Lng: 9.24}},
	}
	var cut func(p netip.Prefix)
	cut = func(p netip.Prefix) {
		if p.Bits() < 8 || p.Bits() < 20 && random.IntN(3) > 0 {
			low, high := halves(p)
			cut(low)
			cut(high)
			return
		}
		if random.IntN(8) > 0 {
			f.add(p, int32(random.IntN(len(f.records))))
		}
	}
	cut(netip.MustParsePrefix("0.0.0.0/0"))
	return f
}

func pruned(f *family, labels []label, lambda float32) []codec.Leaf {
	t := buildTrie(f, labels)
	p := &pruner{trie: t, prices: firstPrices(len(labels))[0], labels: labels, lambda: lambda}
	p.solve(t.root, 0)
	leaves, _ := leavesOf(p.tree(t.root, 0, 0, math.MaxFloat32))
	f.classify(leaves, labels)
	return leaves
}

// TestPruneForNothing checks that where bits are for free nothing is lost.
func TestPruneForNothing(t *testing.T) {
	f := world(rand.New(rand.NewPCG(7, 8)))
	labels := makeLabels([]*family{f})
	a := f.agreement(pruned(f, labels, 0), labels, linear)
	for _, share := range []float64{a.country, a.region, a.city, a.near, a.within, a.found} {
		if math.Abs(share-100) > 1e-9 {
			t.Fatalf("agreement at lambda 0 = %+v, want 100 %% of all", a)
		}
	}
}

// TestPruneMore checks that dearer bits give fewer leaves, and that reserved
// space stays nowhere whatever they cost.
func TestPruneMore(t *testing.T) {
	f := world(rand.New(rand.NewPCG(9, 10)))
	labels := makeLabels([]*family{f})
	before := math.MaxInt
	for _, lambda := range []float32{0, 1e-7, 1e-6, 1e-5, 1e-4} {
		leaves := pruned(f, labels, lambda)
		if len(leaves) > before {
			t.Errorf("lambda %g gives %d leaves, more than the %d before", lambda, len(leaves), before)
		}
		before = len(leaves)
		for i, leaf := range leaves {
			last := uint64(math.MaxUint64)
			if i+1 < len(leaves) {
				last = leaves[i+1].Start - 1
			}
			for _, r := range f.reserved {
				from := start(r.Addr())
				if leaf.Label != 0 && leaf.Start <= from|(1<<(64-r.Bits())-1) && from <= last {
					t.Fatalf("lambda %g: a leaf in %s has the label %v", lambda, r, labels[leaf.Label].Place)
				}
			}
		}
	}
}

// TestMakeLabels checks that districts become their city, and that regions and
// countries have labels.
func TestMakeLabels(t *testing.T) {
	f := world(rand.New(rand.NewPCG(11, 12)))
	labels := makeLabels([]*family{f})
	if got, want := len(labels), 1+2+3+3; got != want {
		t.Errorf("%d labels, want %d: nothing, 2 countries, 3 regions, 3 cities", got, want)
	}
	if a, b := f.records[0].label, f.records[3].label; a != b || labels[a].City != "Milan" {
		t.Errorf("two districts of Milan are labelled %v and %v, want both Milan", labels[a].Place, labels[b].Place)
	}
	if l := labels[labels[f.records[1].label].region]; l.Region != "Piedmont" || l.City != "" {
		t.Errorf("Turin's region is %v, want Piedmont", l.Place)
	}
}

func TestDistortion(t *testing.T) {
	f := world(rand.New(rand.NewPCG(13, 14)))
	labels := makeLabels([]*family{f})
	milan, turin, amsterdam := f.records[0].label, f.records[1].label, f.records[2].label
	italy := labels[milan].country
	if d := distortion(labels, milan, milan); d != 0 {
		t.Errorf("distortion of the truth = %v, want 0", d)
	}
	if near, far := distortion(labels, milan, turin), distortion(labels, amsterdam, turin); near <= 0 || near >= far || far != wrongCountry {
		t.Errorf("distortions %v and %v, want more for another country", near, far)
	}
	if wrong, coarse := distortion(labels, milan, turin), distortion(labels, italy, turin); coarse >= wrong {
		t.Errorf("distortion %v of the country alone, want less than %v of another city", coarse, wrong)
	}
}
