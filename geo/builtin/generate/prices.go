package main

import (
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// prices are what things take in the stream of one family, in bits.
type prices struct {
	label []float32 // of naming a label, with its share of the table of places
	flags [2][2][64]float32
}

// What the first round supposes, and what the prices of rarely met decisions
// are drawn towards.
const (
	firstLabel  = 18 // of a label that has not been used lately
	firstPlace  = 70 // of a row in the table of places
	firstClass  = 1
	smoothLabel = 1
	smoothFlag  = 20
)

// leafToll is added to the price of each leaf, in bits: a leaf takes memory,
// and time to load, even where it takes next to nothing in the file. At 2 MB, a
// toll of 5 has 5 % fewer leaves of IPv4 and 10 % fewer of IPv6 than one of 2,
// for 0.1 % of agreement within 25 km.
const leafToll = 5

var firstFlags = [2][2]float64{
	codec.LabelFlag: {0.3, 2.5},
	codec.SplitFlag: {1, 1},
}

func firstPrices(labels int) (both [2]prices) {
	for i := range both {
		p := &both[i]
		p.label = make([]float32, labels)
		for l := range p.label {
			p.label[l] = firstLabel + 2
		}
		p.setFlags(&codec.Stats{})
	}
	return both
}

func (p *prices) setFlags(s *codec.Stats) {
	class := s.Class.Or(firstClass, smoothFlag)
	for which, sides := range firstFlags {
		for side, first := range sides {
			for level := range p.flags[which][side] {
				price := s.Flags[which][side][level].Or(first, smoothFlag)
				if which == codec.SplitFlag && side == 0 {
					price += class + leafToll
				}
				p.flags[which][side][level] = float32(price)
			}
		}
	}
}

// prices are those that a result has shown.
func (r *result) prices() (both [2]prices) {
	place := float64(len(r.file.Places)) * 8 / float64(r.places)
	for i := range both {
		p := &both[i]
		p.setFlags(r.stats[i])
		p.label = make([]float32, len(r.number))
		for l, n := range r.number {
			switch {
			case n == 0 && l > 0:
				p.label[l] = firstLabel + firstPlace
			default:
				uses := r.stats[0].Labels[n].Count + r.stats[1].Labels[n].Count
				p.label[l] = float32(r.stats[i].Labels[n].Or(firstLabel, smoothLabel) + place/max(uses, 1))
			}
		}
	}
	return both
}
