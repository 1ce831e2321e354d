package main

import (
	"net/netip"

	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// What a wrong answer costs, an address that is a long way off but in the
// right country being 1.
const (
	wrongCountry = 4
	wrongNothing = 4 // located, but nothing is said
	restWrong    = 1.3
	// nothingWeight is what an address that nobody has weighs beside one that
	// somebody may have, reservedWeight what forbids an answer.
	nothingWeight  = 0.01
	reservedWeight = 1e6
)

// saturation is the distance at which half of the whole cost of being a long
// way off is reached, as the square of a chord of the unit sphere.
const saturation = (25 / 6371.0) * (25 / 6371.0)

// distortion is what saying l costs where is is true.
func distortion(labels []label, l, is int32) float32 {
	switch {
	case l == is:
		return 0
	case is == 0:
		return 1
	case l == 0:
		return wrongNothing
	}
	a, b := &labels[l], &labels[is]
	if a.country != b.country {
		return wrongCountry
	}
	var square float32
	for i := range a.at {
		square += (a.at[i] - b.at[i]) * (a.at[i] - b.at[i])
	}
	far := square / (square + saturation)
	switch {
	case a.City == b.City && a.region == b.region:
		return far
	case a.City == "" && (a.region == b.region || a.region == a.country):
		return 0.1 + far // it says nothing false
	case a.region == b.region:
		return 1.2 * far
	}
	return 1.3 * far
}

func prefixOverlaps(p netip.Prefix, start64 uint64, level int) bool {
	bits := min(level, p.Bits())
	return bits == 0 || (start(p.Addr())^start64)>>(64-bits) == 0
}

// pruner finds the tree of the least cost: distortion plus lambda for each bit.
type pruner struct {
	*trie
	prices
	labels []label
	lambda float32
}

// own is the least cost of a node that is given a label of its own.
func (p *pruner) own(n *node, level int) (cost float32, best *candidate) {
	for i := range n.cand[:n.n] {
		c := &n.cand[i]
		if total := p.lambda*(p.flags[codec.LabelFlag][1][level]+p.label[c.label]) + c.cost; best == nil || total < cost {
			cost, best = total, c
		}
	}
	return cost, best
}

// solve finds, from the leaves upwards, what each node costs under each label
// it may inherit.
func (p *pruner) solve(id int32, level int) {
	n := &p.nodes[id]
	stop := p.lambda * p.flags[codec.SplitFlag][0][level]
	if n.child[0] < 0 {
		for i := range n.cand[:n.n] {
			n.cand[i].cost, n.cand[i].split = n.cand[i].wrong[0]+stop, false
		}
		return
	}
	var own [2]float32
	for side, child := range n.child {
		p.solve(child, level+1)
		own[side], _ = p.own(&p.nodes[child], level+1)
	}
	split := p.lambda * p.flags[codec.SplitFlag][1][level]
	for i := range n.cand[:n.n] {
		c := &n.cand[i]
		c.cost, c.split = c.wrong[0]+c.wrong[1]+stop, false
		total := split
		for side, child := range n.child {
			total += min(own[side], p.inherited(child, level+1, c.label, c.wrong[side]))
		}
		if total < c.cost {
			c.cost, c.split = total, true
		}
	}
}

// inherited is what a node costs that takes over a label, under which all of
// it is wrong by so much.
func (p *pruner) inherited(id int32, level int, label int32, wrong float32) float32 {
	none := p.lambda * p.flags[codec.LabelFlag][0][level]
	if c := p.nodes[id].find(label); c != nil {
		return none + c.cost
	}
	return none + p.lambda*p.flags[codec.SplitFlag][0][level] + wrong
}

// tree gives the solution.
func (p *pruner) tree(id int32, level int, label int32, wrong float32) *codec.Node {
	n := &p.nodes[id]
	ownCost, own := p.own(n, level)
	c := n.find(label)
	if ownCost < p.inherited(id, level, label, wrong) {
		c, label = own, own.label
	}
	out := &codec.Node{Label: uint32(label)}
	if c != nil && c.split {
		for side, child := range n.child {
			out.Children[side] = p.tree(child, level+1, label, c.wrong[side])
		}
	}
	return out
}
