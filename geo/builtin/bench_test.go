package builtin

import "testing"

// BenchmarkLoad is what the first configuration without a database of its own
// waits for. Run it with -cpu 1,2: the trees are read side by side.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		db, err := decode(data)
		if err != nil {
			b.Fatal(err)
		}
		compile(b, db)
	}
}
