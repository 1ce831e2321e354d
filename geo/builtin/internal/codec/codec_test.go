package codec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	labels := &Labels{Countries: []uint32{0, 1, 3, 4}, Regions: []uint32{0, 1, 5, 30, 31}}
	for range 300 {
		depth := 1 + random.IntN(12)
		root := randomTree(random, depth, uint32(labels.Len()))
		var want []Leaf
		leavesOf(root, 0, 0, &want)
		data := Write(root, Extent{Depth: depth}, labels, nil)
		var got []Leaf
		if err := Read(data, Extent{Depth: depth}, len(want), labels, func(l Leaf) { got = append(got, l) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("Read(Write(tree)) = %v, want %v", got, want)
		}
	}
}

func randomTree(random *rand.Rand, depth int, labels uint32) *Node {
	n := &Node{Label: uint32(random.Uint32N(labels)), Class: uint8(random.IntN(Classes))}
	if depth > 0 && random.IntN(4) > 0 {
		n.Children = [2]*Node{randomTree(random, depth-1, labels), randomTree(random, depth-1, labels)}
	}
	return n
}

func leavesOf(n *Node, start uint64, level int, to *[]Leaf) {
	if n.Children[0] == nil {
		*to = append(*to, Leaf{start, n.Label, n.Class})
		return
	}
	leavesOf(n.Children[0], start, level+1, to)
	leavesOf(n.Children[1], start|1<<(63-level), level+1, to)
}
