package builtin

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// BenchmarkLoad is what the first configuration without a database of its own
// waits for. Run it with -cpu 1,2: the trees are read side by side.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind is one lookup of 65,536 addresses in turn: uniform over the
// address space, the worst case for the processor's caches, and of one
// address, the best.
func BenchmarkFind(b *testing.B) {
	db := open(b)
	random := rand.New(rand.NewPCG(5, 6))
	var ipv4, ipv6 [1 << 16]netip.Addr
	for i := range ipv4 {
		x := random.Uint32()
		ipv4[i] = netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
		// Half of IPv6 is near the allocations that are most in use.
		ipv6[i] = netip.AddrFrom16([16]byte{0x2a, byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
		if i%2 > 0 {
			ipv6[i] = netip.AddrFrom16([16]byte{0x20 | byte(x>>24)&15, byte(x >> 16), byte(x >> 8), byte(x)})
		}
	}
	one := [1 << 16]netip.Addr{}
	for i := range one {
		one[i] = netip.MustParseAddr("151.38.1.1")
	}
	for _, test := range []struct {
		name  string
		addrs *[1 << 16]netip.Addr
	}{{"ipv4", &ipv4}, {"ipv6", &ipv6}, {"one", &one}} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_, _ = db.Find(test.addrs[i&(1<<16-1)])
				i++
			}
		})
	}
}
