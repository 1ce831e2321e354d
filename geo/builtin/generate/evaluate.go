package main

import (
	"cmp"
	"slices"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// overlaps calls meet for each part of a network that lies in a leaf, with its
// weight in units.
func (f *family) overlaps(leaves []codec.Leaf, meet func(leaf int, r *record, weight float64)) {
	at := 0
	for _, n := range f.networks {
		last := n.start | (1<<(64-min(int(n.bits), 64)) - 1)
		for at+1 < len(leaves) && leaves[at+1].Start <= n.start {
			at++
		}
		if at+1 == len(leaves) || leaves[at+1].Start > last {
			meet(at, &f.records[n.record], f.units(int(n.bits))) // also all that is finer than leaves can be
			continue
		}
		for i := at; i < len(leaves) && leaves[i].Start <= last; i++ {
			from, to := max(n.start, leaves[i].Start), last
			if i+1 < len(leaves) {
				to = min(to, leaves[i+1].Start-1)
			}
			meet(i, &f.records[n.record], float64(to-from+1)/float64(uint64(1)<<(64-f.unit)))
		}
	}
}

// classify gives each leaf the class for the 67th percentile of the distances
// between its point and those of the full database.
func (f *family) classify(leaves []codec.Leaf, labels []label) {
	type sample struct{ distance, weight float64 }
	var samples []sample
	current := -1
	finish := func() {
		if current < 0 {
			return
		}
		slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.distance, b.distance) })
		total := 0.0
		for _, s := range samples {
			total += s.weight
		}
		sum := 0.0
		for _, s := range samples {
			if sum += s.weight; sum >= total*0.67 {
				leaves[current].Class = codec.ClassOf(s.distance)
				break
			}
		}
		samples = samples[:0]
	}
	f.overlaps(leaves, func(i int, r *record, w float64) {
		if leaves[i].Label == 0 {
			return
		}
		if i != current {
			finish()
			current = i
		}
		samples = append(samples, sample{geo.Distance(labels[leaves[i].Label].point, r.point), w})
	})
	finish()
}

// agreement is which share of the located address space the pruned database
// says the same of as the full one.
type agreement struct {
	country, region, city, near, within, found float64
}

func (f *family) agreement(leaves []codec.Leaf, labels []label, weight func(units float64) float64) agreement {
	var a agreement
	total := 0.0
	f.overlaps(leaves, func(i int, r *record, units float64) {
		w := weight(units)
		total += w
		if leaves[i].Label == 0 {
			return
		}
		a.found += w
		l := labels[leaves[i].Label]
		if l.Country == r.country {
			a.country += w
			if l.Region == r.region {
				a.region += w
				if l.City == r.city {
					a.city += w
				}
			}
		}
		d := geo.Distance(l.point, r.point)
		if d <= 25_000 {
			a.near += w
		}
		if d <= codec.Accuracy(leaves[i].Class) {
			a.within += w
		}
	})
	for _, share := range []*float64{&a.country, &a.region, &a.city, &a.near, &a.within, &a.found} {
		*share *= 100 / total
	}
	return a
}
