package builtin

import (
	"net/netip"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/builtin/internal/codec"
)

func TestDamagedDataIsRefused(t *testing.T) {
	for _, length := range []int{0, 1, 10, 100, 1000, len(data) / 2, len(data) - 1} {
		if _, err := decode(data[:length]); err == nil {
			t.Errorf("decode of the first %d bytes gives no error", length)
		}
	}
	for at := 0; at < len(data); at += len(data)/50 + 1 {
		damaged := append([]byte(nil), data...)
		damaged[at] ^= 0x10
		if _, err := decode(damaged); err == nil {
			t.Errorf("decode with byte %d changed gives no error", at)
		}
	}
}

// small is a file of a few places and leaves.
func small() *codec.File {
	places := []codec.Place{
		{},
		{Country: "IT", Lat: 2100, Lng: 600},
		{Country: "IT", Region: "Lombardy", City: "Milan", Lat: 2273, Lng: 459},
		{Country: "NL", Region: "North Holland", City: "Amsterdam", Lat: 2619, Lng: 245},
	}
	labels := codec.Group(places)
	leaf := func(label uint32, class uint8) *codec.Node { return &codec.Node{Label: label, Class: class} }
	split := func(label uint32, low, high *codec.Node) *codec.Node {
		return &codec.Node{Label: label, Children: [2]*codec.Node{low, high}}
	}
	f := &codec.File{Month: "2026-06", Agreement: "none", Places: codec.WritePlaces(places)}
	for tree, root := range []*codec.Node{
		codec.IPv4Low:  split(2, leaf(2, 1), split(2, leaf(3, 0), leaf(2, 1))),
		codec.IPv4High: leaf(0, 0),
		codec.IPv6:     split(0, split(0, split(0, leaf(0, 0), split(1, leaf(1, 7), leaf(3, 2))), leaf(0, 0)), leaf(0, 0)),
	} {
		leaves := 0
		root.Each(func(n *codec.Node) {
			if n.Children[0] == nil {
				leaves++
			}
		})
		f.Trees[tree] = codec.Tree{Leaves: leaves, Data: codec.Write(root, codec.Extents[tree], labels, nil)}
	}
	return f
}

func TestDecodeSmall(t *testing.T) {
	db, err := decode(small().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		addr, city string
		class      uint8
	}{
		{"0.0.0.0", "Milan", 1},
		{"63.255.255.255", "Milan", 1},
		{"64.0.0.0", "Amsterdam", 0},
		{"96.0.0.0", "Milan", 1},
		{"127.255.255.255", "Milan", 1},
		{"3000::", "Amsterdam", 2},
		{"3fff:ffff::", "Amsterdam", 2},
	} {
		l := locate(t, db, netip.MustParseAddr(test.addr))
		if l.City != test.city || l.Accuracy != codec.Accuracy(test.class) {
			t.Errorf("%s is in %q within %v, want %q within %v", test.addr, l.City, l.Accuracy, test.city, codec.Accuracy(test.class))
		}
	}
	if l := locate(t, db, netip.MustParseAddr("2000::1")); l.Country != "IT" || l.City != "" || len(l.Regions) > 0 || l.Point != (geo.Point{Lat: 42, Lng: 12}) {
		t.Errorf("2000::1 is in %+v, want only the country IT at 42,12", l)
	}
	for _, addr := range []string{"128.0.0.0", "255.255.255.255", "::", "4000::"} {
		if l := locate(t, db, netip.MustParseAddr(addr)); l.Located() {
			t.Errorf("%s is in %+v, want nowhere", addr, l)
		}
	}
}

// FuzzDecode feeds the decoder with parts that no checksum guards. Whatever
// they are, it ends with an error or with a database that answers.
func FuzzDecode(f *testing.F) {
	file := small()
	f.Add(file.Places, file.Trees[0].Data, file.Trees[2].Data, uint16(3), uint16(5))
	f.Add(file.Places, []byte{}, []byte{}, uint16(1), uint16(1))
	f.Fuzz(func(t *testing.T, places, ipv4, ipv6 []byte, leaves4, leaves6 uint16) {
		file := &codec.File{Places: places, Trees: [codec.Trees]codec.Tree{
			{Leaves: int(leaves4), Data: ipv4}, {Leaves: int(leaves4), Data: ipv4}, {Leaves: int(leaves6), Data: ipv6},
		}}
		db, err := decodeFile(file)
		if err != nil {
			return
		}
		if _, err := geo.CompileNetworks([]geo.Source{db}, geo.DefaultIndexMemory); err != nil {
			return
		}
		for _, addr := range []string{"0.0.0.0", "127.0.0.1", "128.0.0.0", "255.255.255.255", "::", "2000::", "3fff:ffff:ffff::"} {
			locate(t, db, netip.MustParseAddr(addr))
		}
	})
}
