package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Coder is an adaptive binary range coder. The same code drives it in both
// directions, so that what writes a stream and what reads it cannot drift
// apart: Bit is given the bit to write and gives it back, or ignores what it
// is given and gives the bit read.
//
//	0 ├──────── one ────────┼──────── zero ────────┤ width
//	                        bound, by the probability of a one
//
// invariant: width ≥ 2³² between calls; when reading, value < width as long as
// the stream is a written one.
type Coder struct {
	width   uint64
	value   uint64 // writing: the lower end of the interval; reading: the stream's offset in it
	reading bool

	written []byte  // writing
	Spent   float64 // writing: the bits spent so far

	data []byte // reading: what is left
	over int    // reading: how many bytes more than there are were asked for
}

// Prob is an adaptive probability that a bit is one: 22 bits of probability,
// then 10 bits that count the bits seen, which set how fast it moves. The zero
// value is not usable, see NewProbs.
type Prob uint32

const (
	probBits  = 22
	countBits = 32 - probBits
	probEven  = Prob(1 << 31) // one half, nothing seen
	// countLimit bounds the memory of a probability: it never moves by less
	// than 1/(countLimit+1.5) of what it was wrong by.
	countLimit = 250
)

// steps[n] is 2¹⁶ / (n + 1.5): a probability moves as the mean of n bits does
// at first, and ever slower.
var steps = func() (s [1 << countBits]int64) {
	for n := range s {
		s[n] = int64(65536 / (float64(n) + 1.5))
	}
	return s
}()

// NewProbs gives n probabilities of one half.
func NewProbs(n int) []Prob {
	p := make([]Prob, n)
	for i := range p {
		p[i] = probEven
	}
	return p
}

// NewWriter starts a stream; Bytes ends it.
func NewWriter() *Coder { return &Coder{width: math.MaxUint64} }

// NewReader reads a stream. Any data can be read; Overrun tells whether more
// was asked of it than it has.
func NewReader(data []byte) *Coder {
	c := &Coder{width: math.MaxUint64, reading: true, data: data}
	c.value = uint64(c.next())<<32 | uint64(c.next())
	return c
}

// split gives the part of the interval's width that stands for a one. It is
// one more than 16 bits of the probability, so that neither part is empty.
func (p Prob) split(width uint64) uint64 { return (width >> 17) * uint64(p>>16<<1|1) }

// read reads a bit: zero is all ones for a zero, and no bits for a one. There
// is no branch on the bit, which nobody could predict.
func (p Prob) read(width, value uint64) (newWidth, newValue, zero uint64) {
	bound := p.split(width)
	_, borrow := bits.Sub64(value, bound, 0)
	zero = borrow - 1
	return bound&^zero | (width-bound)&zero, value - bound&zero, zero
}

// adapt moves the probability towards the bit, zero being as read gives it.
func (p Prob) adapt(zero uint64) Prob {
	n := p & (1<<countBits - 1)
	now := int64(p >> countBits)
	now += (int64(^zero)&(1<<probBits-1) - now) * steps[n] >> 16
	return Prob(now)<<countBits | min(n+1, countLimit)
}

// Bit writes bit, or reads one, with the probability p, which it adapts.
func (c *Coder) Bit(bit bool, p *Prob) bool {
	var zero uint64
	if c.reading {
		c.width, c.value, zero = p.read(c.width, c.value)
	} else {
		zero = c.write(bit, *p)
	}
	*p = p.adapt(zero)
	if c.width < 1<<32 {
		c.shift()
	}
	return zero == 0
}

// write writes a bit: a one keeps the lower end of the interval, a zero the
// upper.
func (c *Coder) write(bit bool, p Prob) (zero uint64) {
	bound := p.split(c.width)
	probability := float64(p>>16<<1|1) / (1 << 17)
	if bit {
		c.width = bound
		c.Spent -= math.Log2(probability)
		return 0
	}
	sum, carry := bits.Add64(c.value, bound, 0)
	c.value = sum
	c.width -= bound
	for i := len(c.written) - 1; carry > 0; i-- {
		c.written[i]++
		if c.written[i] != 0 {
			carry = 0
		}
	}
	c.Spent -= math.Log2(1 - probability)
	return math.MaxUint64
}

// shift makes the interval wider by four bytes of the stream.
func (c *Coder) shift() {
	c.width <<= 32
	if c.reading {
		c.value = c.value<<32 | uint64(c.next())
		return
	}
	c.written = binary.BigEndian.AppendUint32(c.written, uint32(c.value>>32))
	c.value <<= 32
}

// next takes four bytes of the stream, zeros beyond its end.
func (c *Coder) next() uint32 {
	if len(c.data) < 4 {
		c.over += 4 - len(c.data)
		c.data = append(append(make([]byte, 0, 4), c.data...), 0, 0, 0, 0)[:4]
	}
	word := binary.BigEndian.Uint32(c.data)
	c.data = c.data[4:]
	return word
}

// Index writes want, or reads a number, of lo ≤ number < hi, by halving: each
// midpoint is met on one way only, and has a probability of its own.
func (c *Coder) Index(lo, hi, want uint32, probs []Prob) uint32 {
	if c.reading {
		return c.readIndex(lo, hi, probs)
	}
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if c.Bit(want >= mid, &probs[mid]) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// readIndex is Index when reading, with the state in registers: half of the
// time of loading is spent here.
func (c *Coder) readIndex(lo, hi uint32, probs []Prob) uint32 {
	width, value := c.width, c.value
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		var zero uint64
		width, value, zero = probs[mid].read(width, value)
		probs[mid] = probs[mid].adapt(zero)
		lo, hi = mid&^uint32(zero)|lo&uint32(zero), hi&^uint32(zero)|mid&uint32(zero)
		if width < 1<<32 {
			c.width, c.value = width, value
			c.shift()
			width, value = c.width, c.value
		}
	}
	c.width, c.value = width, value
	return lo
}

// Bytes ends a stream that is written, and gives it.
func (c *Coder) Bytes() []byte { return binary.BigEndian.AppendUint64(c.written, c.value) }

// Reading reports whether the stream is read.
func (c *Coder) Reading() bool { return c.reading }

// Overrun reports whether a stream that is read has been left behind.
func (c *Coder) Overrun() bool { return c.over > 0 }

// Left is how many bytes of the stream have not been read.
func (c *Coder) Left() int { return len(c.data) }
