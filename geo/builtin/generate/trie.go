package main

import (
	"cmp"
	"slices"
	"sort"
)

const (
	// candidates is how many labels a node may be given.
	candidates = 6
	// remembered is how many labels from below are told apart when the cost
	// of a label is summed up.
	remembered = 20
)

// trie is the full database as a binary tree, and for each node what
// candidates for its label would cost.
type trie struct {
	nodes []node
	root  int32
}

type node struct {
	child [2]int32 // -1: a leaf
	n     int32    // candidates
	cand  [candidates]candidate
}

// candidate is a label a node may get.
type candidate struct {
	label int32
	// wrong is the distortion of each half under this label; of a leaf, all
	// of it is the first.
	wrong [2]float32
	// What the last pruning found: the cost of the node when this label is
	// inherited.
	cost  float32
	split bool
}

func (n *node) find(label int32) *candidate {
	for i := range n.cand[:n.n] {
		if n.cand[i].label == label {
			return &n.cand[i]
		}
	}
	return nil
}

// histogram is the labels of a part of the address space with their weights,
// the heaviest first, and the weight of those that found no room.
type histogram struct {
	entries []entry
	rest    float32
}

type entry struct {
	label  int32
	weight float32
}

func merge(a, b *histogram) *histogram {
	sum := &histogram{entries: slices.Concat(a.entries, b.entries), rest: a.rest + b.rest}
	sum.tidy()
	return sum
}

// tidy adds up entries of the same label, sorts them, and forgets the lightest.
func (h *histogram) tidy() {
	slices.SortFunc(h.entries, func(a, b entry) int { return cmp.Compare(a.label, b.label) })
	kept := h.entries[:0]
	for _, e := range h.entries {
		if len(kept) > 0 && kept[len(kept)-1].label == e.label {
			kept[len(kept)-1].weight += e.weight
		} else {
			kept = append(kept, e)
		}
	}
	slices.SortFunc(kept, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.label, b.label))
	})
	for len(kept) > remembered {
		h.rest += kept[len(kept)-1].weight
		kept = kept[:len(kept)-1]
	}
	h.entries = kept
}

// wrong is the distortion of everything in h under a label.
func (h *histogram) wrong(labels []label, l int32) float32 {
	sum := h.rest * restWrong
	for _, e := range h.entries {
		if e.label != l {
			sum += e.weight * distortion(labels, l, e.label)
		}
	}
	return sum
}

// builder makes a trie.
type builder struct {
	*family
	labels []label
	scale  float64 // of weights
	trie   *trie
}

// buildTrie makes the trie of a family.
func buildTrie(f *family, labels []label) *trie {
	total := 0.0
	for _, n := range f.networks {
		total += f.damped(int(n.bits))
	}
	b := &builder{family: f, labels: labels, scale: f.share / total, trie: &trie{}}
	b.trie.nodes = make([]node, 0, 2*len(f.networks))
	b.trie.root, _ = b.build(f.networks, 0, 0)
	return b.trie
}

// build makes the node for the prefix of start and level, all of whose
// networks are given.
func (b *builder) build(networks []network, start uint64, level int) (int32, *histogram) {
	h := &histogram{}
	switch {
	case len(networks) == 0:
		w := b.damped(level) * b.scale * nothingWeight
		for _, r := range b.reserved {
			if !b.reservedAt(start, level) && prefixOverlaps(r, start, level) {
				return b.halves(networks, start, level)
			}
		}
		if b.reservedAt(start, level) {
			w = reservedWeight
		}
		h.entries = []entry{{0, float32(w)}}
	case int(networks[0].bits) <= level:
		h.entries = []entry{{b.records[networks[0].record].label, float32(b.damped(level) * b.scale)}}
	case level == b.bits:
		left := 1.0
		for _, n := range networks {
			share := 1.0
			for range int(n.bits) - level {
				share /= 2
			}
			left -= share
			h.entries = append(h.entries, entry{b.records[n.record].label, float32(b.damped(level) * share * b.scale)})
		}
		if left > 0 {
			h.entries = append(h.entries, entry{0, float32(b.damped(level) * left * b.scale * nothingWeight)})
		}
		h.tidy()
	default:
		return b.halves(networks, start, level)
	}
	return b.push(node{child: [2]int32{-1, -1}}, h, nil), h
}

func (b *builder) halves(networks []network, start uint64, level int) (int32, *histogram) {
	middle := start | 1<<(63-level)
	cut := sort.Search(len(networks), func(i int) bool { return networks[i].start >= middle })
	low, lowHist := b.build(networks[:cut], start, level+1)
	high, highHist := b.build(networks[cut:], middle, level+1)
	h := merge(lowHist, highHist)
	if len(h.entries) == 1 && h.rest == 0 && b.trie.nodes[low].child[0] < 0 && b.trie.nodes[high].child[0] < 0 {
		b.trie.nodes = b.trie.nodes[:low] // all the same
		return b.push(node{child: [2]int32{-1, -1}}, h, nil), h
	}
	return b.push(node{child: [2]int32{low, high}}, h, []*histogram{lowHist, highHist}), h
}

// push adds a node with its candidates: the heaviest labels, and what is
// known where only the region or the country is.
func (b *builder) push(n node, h *histogram, halves []*histogram) int32 {
	add := func(l int32) {
		if n.n < candidates && n.find(l) == nil {
			n.cand[n.n].label = l
			n.n++
		}
	}
	for i, e := range h.entries {
		if i < candidates-2 {
			add(e.label)
		}
	}
	if len(h.entries) > 1 {
		heaviest := h.entries[0].label
		if heaviest == 0 {
			heaviest = h.entries[1].label
		}
		add(b.labels[heaviest].region)
		add(b.labels[heaviest].country)
	}
	for i := range n.cand[:n.n] {
		c := &n.cand[i]
		if halves == nil {
			c.wrong[0] = h.wrong(b.labels, c.label)
			continue
		}
		for side, half := range halves {
			c.wrong[side] = half.wrong(b.labels, c.label)
		}
	}
	b.trie.nodes = append(b.trie.nodes, n)
	return int32(len(b.trie.nodes) - 1)
}
