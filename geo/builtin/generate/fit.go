package main

import (
	"fmt"
	"math"

	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

// generator holds what every budget shares.
type generator struct {
	families []*family
	labels   []label
	tries    []*trie
	progress func(format string, a ...any)
}

// result is a pruned database.
type result struct {
	file   codec.File
	leaves [2][]codec.Leaf // with the labels of the generator
	labels []label
	places int
	stats  [2]*codec.Stats // with the labels of the file
	number []uint32        // a label of the generator in the file, 0 where it is not in it
}

func newGenerator(families []*family, progress func(string, ...any)) *generator {
	g := &generator{families: families, labels: makeLabels(families), progress: progress}
	progress("%d labels", len(g.labels))
	for _, f := range families {
		g.tries = append(g.tries, buildTrie(f, g.labels))
		progress("%s: a trie of %d nodes", f.name, len(g.tries[len(g.tries)-1].nodes))
	}
	return g
}

// rounds is how often a tree is pruned and written, each time at the prices
// that the time before has shown.
const rounds = 12

// fit gives the best result of at most so many bytes.
func (g *generator) fit(budget int) (*result, error) {
	// The size falls with about lambda to the power of −0.7.
	const power = 1 / 0.7
	lambda := 1e-8 * math.Pow(1.1e6/float64(budget), power)
	prices := firstPrices(len(g.labels))
	var best *result
	for round := range rounds {
		r := g.prune(prices, float32(lambda))
		size := len(r.file.Bytes())
		g.progress("round %d: lambda %.3g gives %d bytes", round, lambda, size)
		if size <= budget && round > 2 {
			best = r
			if size > budget-budget/200 {
				break
			}
		}
		prices = r.prices()
		lambda *= math.Pow(float64(size)/(float64(budget)*0.998), power)
	}
	if best == nil {
		return nil, fmt.Errorf("no database of at most %d bytes in %d rounds", budget, rounds)
	}
	return best, nil
}

// prune makes a database at given prices.
func (g *generator) prune(prices [2]prices, lambda float32) *result {
	r := &result{labels: g.labels}
	var roots [2]*codec.Node
	for i, t := range g.tries {
		p := &pruner{trie: t, prices: prices[i], labels: g.labels, lambda: lambda}
		p.solve(t.root, 0)
		roots[i] = p.tree(t.root, 0, 0, math.MaxFloat32)
		var nodes []*codec.Node
		r.leaves[i], nodes = leavesOf(roots[i])
		g.families[i].classify(r.leaves[i], g.labels)
		for j, n := range nodes {
			n.Class = r.leaves[i][j].Class
		}
	}

	// Only the places in use are written, still in their order.
	used := make([]bool, len(g.labels))
	used[0] = true
	for _, root := range roots {
		root.Each(func(n *codec.Node) { used[n.Label] = true })
	}
	r.number = make([]uint32, len(g.labels))
	var places []codec.Place
	for l, u := range used {
		if u {
			r.number[l] = uint32(len(places))
			places = append(places, g.labels[l].Place)
		}
	}
	r.places = len(places)
	r.file.Places = codec.WritePlaces(places)
	r.file.Month = max(g.families[0].month, g.families[1].month)
	grouped := codec.Group(places)
	for i, root := range roots {
		root.Each(func(n *codec.Node) { n.Label = r.number[n.Label] })
		r.stats[i] = codec.NewStats(len(places))
	}
	r.write(codec.IPv4Low, roots[0].Children[0], grouped, r.stats[0])
	r.write(codec.IPv4High, roots[0].Children[1], grouped, r.stats[0])
	r.write(codec.IPv6, roots[1], grouped, r.stats[1])
	a4 := g.families[0].agreement(r.leaves[0], g.labels, linear)
	a6 := g.families[1].agreement(r.leaves[1], g.labels, linear)
	r.file.Agreement = fmt.Sprintf("IPv4: same country for %s %%, within 25 km for %s %% of addresses; IPv6: %s %% and %s %%",
		down(a4.country), down(a4.near), down(a6.country), down(a6.near))
	return r
}

// write writes one tree of the file.
func (r *result) write(tree int, root *codec.Node, l *codec.Labels, s *codec.Stats) {
	t := &r.file.Trees[tree]
	t.Data = codec.Write(root, codec.Extents[tree], l, s)
	root.Each(func(n *codec.Node) {
		if n.Children[0] == nil {
			t.Leaves++
		}
	})
}

// down gives a percentage with one decimal, rounded down.
func down(percent float64) string { return fmt.Sprintf("%.1f", math.Floor(percent*10)/10) }

// leavesOf gives the leaves of a tree in order, without classes, and the nodes
// that they are.
func leavesOf(root *codec.Node) (leaves []codec.Leaf, nodes []*codec.Node) {
	var walk func(n *codec.Node, start uint64, level int)
	walk = func(n *codec.Node, start uint64, level int) {
		if n.Children[0] == nil {
			leaves = append(leaves, codec.Leaf{Start: start, Label: n.Label})
			nodes = append(nodes, n)
			return
		}
		walk(n.Children[0], start, level+1)
		walk(n.Children[1], start|1<<(63-level), level+1)
	}
	walk(root, 0, 0)
	return leaves, nodes
}
