package codec

// Stats is what the parts of a tree took when it was written, which the
// generator needs to prune well.
type Stats struct {
	Labels []Price // of naming each label
	Flags  [2][2][maxDepth + 1]Price
	Class  Price

	before float64
}

// Price is the bits that some number of decisions took in all.
type Price struct {
	Bits  float64
	Count float64
}

// NewStats makes Stats for so many labels.
func NewStats(labels int) *Stats { return &Stats{Labels: make([]Price, labels)} }

// Label and Split are the flags of a node.
const (
	LabelFlag = iota
	SplitFlag
)

func (s *Stats) flag(which int, set bool, level int, c *Coder) {
	if s == nil {
		return
	}
	side := 0
	if set {
		side = 1
	}
	s.note(&s.Flags[which][side][level], c)
}

func (s *Stats) name(label uint32, c *Coder) {
	if s != nil {
		s.note(&s.Labels[label], c)
	}
}

func (s *Stats) class(c *Coder) {
	if s != nil {
		s.note(&s.Class, c)
	}
}

func (s *Stats) note(p *Price, c *Coder) {
	p.Bits += c.Spent - s.before
	p.Count++
	s.before = c.Spent
}

// Or is the mean price of one decision, as if it had been met count times
// more, for so many bits each.
func (p Price) Or(bits, count float64) float64 {
	return (p.Bits + bits*count) / (p.Count + count)
}
