package codec

import (
	"errors"
	"fmt"
	"slices"
)

var (
	errOverrun = errors.New("the tree ends early")
	errTooMany = errors.New("the tree has more leaves than it should have")
)

// Labels says how the labels of a tree are grouped. Label 0 is "nothing
// known"; it has a country and a region of its own, both 0.
//
// invariant: Countries and Regions begin with 0, ascend, and end with the
// number of regions and of labels.
type Labels struct {
	Countries []uint32 // country c has the regions Countries[c] ≤ r < Countries[c+1]
	Regions   []uint32 // region r has the labels Regions[r] ≤ l < Regions[r+1]
}

// Len is the number of labels.
func (l *Labels) Len() int { return int(l.Regions[len(l.Regions)-1]) }

// Node is a node of a tree to be written. A node states a label where it
// differs from the one it inherits; a leaf has a class too.
//
//	       · Milan                    10 in 16 bits: all of it is Milan …
//	     /   \
//	Milan     ·                       inherited: no label is written
//	        /   \
//	    Turin   Milan                 … but this
type Node struct {
	Children [2]*Node // both or none
	Label    uint32
	Class    uint8 // of a leaf
}

// Each calls visit for each node.
func (n *Node) Each(visit func(*Node)) {
	visit(n)
	if n.Children[0] != nil {
		n.Children[0].Each(visit)
		n.Children[1].Each(visit)
	}
}

// Leaf is a leaf as it is read: it reaches from Start (the address' bits, the
// first one uppermost) to the next leaf's start.
type Leaf struct {
	Start uint64
	Label uint32
	Class uint8
}

// What a node's left neighbour was, as a context.
const (
	asNone = iota // there is none
	asLeaf
	asSplit
	asLabelledLeaf // with a label of its own
	asLabelledSplit
	shapes
)

const maxDepth = 63

// recent is how many labels used last can be named by their rank.
const recent = 8

// model is the state that writer and reader share.
type model struct {
	*Coder
	labels    *Labels
	regionOf  []uint32
	countryOf []uint32 // of a region

	label, split []Prob // is there a label of its own? has it children?
	isRecent     Prob   // is it one of the recent labels?
	rank         []Prob // which?
	same         []Prob // same country, same region as the label before?
	country      []Prob
	region       []Prob
	place        []Prob
	sameClass    []Prob // is it the class of the last leaf of this label?
	class        []Prob

	recent    [recent]uint32
	lastClass []uint8 // of each label

	depth  int
	leaves int // that are still to be read
	emit   func(Leaf)
	stats  *Stats // of what was written
}

func newModel(c *Coder, l *Labels) *model {
	m := &model{
		Coder: c, labels: l,
		regionOf:  make([]uint32, l.Len()),
		countryOf: make([]uint32, len(l.Regions)-1),
		label:     NewProbs(contexts),
		split:     NewProbs(contexts * 2),
		isRecent:  probEven,
		rank:      NewProbs(recent),
		same:      NewProbs(4),
		country:   NewProbs(len(l.Countries)),
		region:    NewProbs(len(l.Regions)),
		place:     NewProbs(l.Len() + 1),
		sameClass: NewProbs(Classes * 2),
		class:     NewProbs(Classes * Classes * 2),
		lastClass: make([]uint8, l.Len()),
	}
	for r := range l.Regions[1:] {
		for i := l.Regions[r]; i < l.Regions[r+1]; i++ {
			m.regionOf[i] = uint32(r)
		}
	}
	for k := range l.Countries[1:] {
		for r := l.Countries[k]; r < l.Countries[k+1]; r++ {
			m.countryOf[r] = uint32(k)
		}
	}
	return m
}

// ownLabel writes or reads a label that is not the inherited one. Most are one
// of a few used lately; others are named by country, region and place.
func (m *model) ownLabel(inherited, want uint32) uint32 {
	if m.Bit(!m.reading && want != inherited && slices.Contains(m.recent[:], want), &m.isRecent) {
		i := 0
		for rank := 0; i < recent-1; i++ {
			if m.recent[i] == inherited {
				continue
			}
			if m.Bit(m.recent[i] == want, &m.rank[rank]) {
				break
			}
			rank++
		}
		label := m.recent[i]
		copy(m.recent[1:i+1], m.recent[:i])
		m.recent[0] = label
		return label
	}
	before := m.recent[0]
	region := m.regionOf[before]
	country := m.countryOf[region]
	wantRegion := m.regionOf[want]
	wantCountry := m.countryOf[wantRegion]
	if !m.Bit(wantRegion == region, &m.same[0]) {
		if !m.Bit(wantCountry == country, &m.same[1]) {
			country = m.Index(0, uint32(len(m.labels.Countries)-1), wantCountry, m.country)
		}
		region = m.Index(m.labels.Countries[country], m.labels.Countries[country+1], wantRegion, m.region)
	}
	label := m.Index(m.labels.Regions[region], m.labels.Regions[region+1], want, m.place)
	copy(m.recent[1:], m.recent[:recent-1])
	m.recent[0] = label
	return label
}

// leafClass writes or reads the class of a leaf.
func (m *model) leafClass(label uint32, want uint8, own int) uint8 {
	context := int(m.lastClass[label])*2 + own
	last := m.lastClass[label]
	if m.Bit(want == last, &m.sameClass[context]) {
		return last
	}
	class := uint8(m.Index(0, Classes, uint32(want), m.class[context*Classes:][:Classes]))
	m.lastClass[label] = class
	return class
}

// node writes n, or reads a node; it gives what its right neighbour has as a
// context. n is not nil.
func (m *model) node(n *Node, start uint64, level int, inherited uint32, at place) (shape int, err error) {
	context := at.context(level)
	label, own := inherited, 0
	shape = asLeaf
	set := m.Bit(n.Label != inherited, &m.label[context])
	if m.stats != nil {
		m.stats.flag(LabelFlag, set, level, m.Coder)
	}
	if set {
		label, own, shape = m.ownLabel(inherited, n.Label), 1, asLabelledLeaf
		if m.stats != nil {
			m.stats.name(label, m.Coder)
		}
	}
	split := false
	if level < m.depth {
		split = m.Bit(n.Children[0] != nil, &m.split[context*2+own])
		if m.stats != nil {
			m.stats.flag(SplitFlag, split, level, m.Coder)
		}
	}
	if !split {
		return shape, m.leaf(n, start, label, own)
	}
	children := n.Children
	if m.reading {
		children = unread
	}
	below := place{parent: inParent + own}
	if label == 0 {
		below.parent = inNothing
	}
	if below.beside, err = m.node(children[0], start, level+1, label, below); err == nil {
		_, err = m.node(children[1], start|1<<(63-level), level+1, label, below)
	}
	return shape + 1, err
}

// leaf writes or reads what a leaf has beyond other nodes.
func (m *model) leaf(n *Node, start uint64, label uint32, own int) error {
	class := m.leafClass(label, n.Class, own)
	if m.stats != nil {
		m.stats.class(m.Coder)
	}
	if !m.reading {
		return nil
	}
	if m.Overrun() {
		return errOverrun
	}
	if m.leaves--; m.leaves < 0 {
		return errTooMany
	}
	m.emit(Leaf{start, label, class})
	return nil
}

// place is where a node is, as a context.
type place struct {
	beside int // its left neighbour; asNone for a left child
	parent int
}

// What a node's parent is.
const (
	inNothing = iota // the label inherited is 0
	inParent         // the parent has inherited its label, too
	_                // the parent has a label of its own
	parents
)

const contexts = (maxDepth + 1) * shapes * parents

func (p place) context(level int) int { return (level*shapes+p.beside)*parents + p.parent }

// unread stand for the children of a node that is read.
var unread = [2]*Node{{}, {}}

// Extent is the part of the address space that a tree covers.
type Extent struct {
	Start uint64 // as of a Leaf
	Level int    // the length of the prefix that begins with Start
	Depth int    // the length of the longest prefix of a leaf
}

// Write gives the stream of a tree. The stats may be nil.
func Write(root *Node, e Extent, l *Labels, stats *Stats) []byte {
	m := newModel(NewWriter(), l)
	m.depth, m.stats = e.Depth, stats
	if stats != nil {
		stats.before = 0
	}
	if _, err := m.node(root, e.Start, e.Level, 0, place{}); err != nil {
		panic(err) // only reading fails
	}
	return m.Bytes()
}

// Read reads a tree of so many leaves, and calls emit for each, in order.
func Read(data []byte, e Extent, leaves int, l *Labels, emit func(Leaf)) error {
	m := newModel(NewReader(data), l)
	m.depth, m.leaves, m.emit = e.Depth, leaves, emit
	if _, err := m.node(unread[0], e.Start, e.Level, 0, place{}); err != nil {
		return err
	}
	if m.leaves > 0 || m.Left() > 0 {
		return fmt.Errorf("the tree lacks %d leaves, and %d bytes are left over", m.leaves, m.Left())
	}
	return nil
}
